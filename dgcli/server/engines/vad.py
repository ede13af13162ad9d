"""Silero voice activity detection, as it comes inside faster-whisper: 32 ms at a time, across blocks.

Its weights are read from the package's folder without importing the package, which costs time and memory
that a process which only looks for voice does not have to spend.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from dgcli.server.engines.base import RATE

FRAME = 512  # samples
FRAME_SECONDS = FRAME / RATE
_CONTEXT = 64  # samples before each frame that the network sees again
_STATE = (1, 1, 128)
_MODEL = Path("assets") / "silero_vad_v6.onnx"


def _weights() -> Path:
    spec = find_spec("faster_whisper")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("faster_whisper is not installed")
    return Path(spec.origin).parent / _MODEL


def new_session() -> Any:
    """Load the network; several detectors of a process may share it, one at a time."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.inter_op_num_threads = options.intra_op_num_threads = 1
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4  # fatal only: stderr is the user's
    return onnxruntime.InferenceSession(
        str(_weights()), providers=["CPUExecutionProvider"], sess_options=options
    )


class VoiceDetector:
    """The probability of voice in one channel, frame by frame, however the audio was cut into blocks.

    Several detectors of a process may share one `session`.
    """

    def __init__(self, session: Any = None) -> None:
        self.session = session or new_session()
        self._hidden = np.zeros(_STATE, np.float32)
        self._cell = np.zeros(_STATE, np.float32)
        self._rest = np.zeros(_CONTEXT, np.float32)  # the context, and what does not fill a frame yet

    def accept(self, samples: Any) -> Any:
        """Return the probability (0-1) of each frame that float32 samples at 16 kHz complete."""
        audio = np.concatenate([self._rest, samples])
        count = (len(audio) - _CONTEXT) // FRAME
        if not count:
            self._rest = audio
            return np.zeros(0, np.float32)
        self._rest = audio[count * FRAME :].copy()
        frames = np.lib.stride_tricks.sliding_window_view(audio, _CONTEXT + FRAME)[::FRAME][:count]
        voice, self._hidden, self._cell = self.session.run(
            None, {"input": np.ascontiguousarray(frames), "h": self._hidden, "c": self._cell}
        )
        return voice

    def finish(self) -> Any:
        """Return the probability of the last frame, padded with silence, if there is one."""
        missing = FRAME - (len(self._rest) - _CONTEXT)
        return self.accept(np.zeros(missing, np.float32)) if missing < FRAME else np.zeros(0, np.float32)
