"""The sending of a recording: its audio goes out, and its answer is on the disk before anything else is done."""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dgcli.api.client import Answer, Client, Sendable
from dgcli.audio import cloud
from dgcli.audio.track import audio_alone
from dgcli.audio.upload import Upload, opened
from dgcli.batch.inputs import Input, InputKind
from dgcli.batch.jobs import Job, Phase
from dgcli.batch.ledger import Ledger
from dgcli.batch.planning import Plan
from dgcli.batch.record import Record, new_mark, sha256_of
from dgcli.errors import ApiError, DgError
from dgcli.output.kept import keep_response
from dgcli.output.stamps import Stamp, stamp_of
from dgcli.transcript.model import Transcript
from dgcli.transcript.response import callback_id, parse_body

# Bytes that must be free before anything is sent: answers to some hours of speech for each upload under way, and
# for this one as much as its audio has, since words are written in less than they are spoken.
_ROOM = 4 << 20
_LARGEST_ROOM = 64 << 20


class _HashedUpload:
    """An upload that is hashed as it is sent, and broken off before its last block where the run stops."""

    def __init__(self, upload: Sendable, job: Job, go_on: Callable[[Job, Phase], None]) -> None:
        self._upload = upload
        self._job = job
        self._go_on = go_on
        self._hash = hashlib.sha256()

    @property
    def size(self) -> int:
        return self._upload.size

    @property
    def media_type(self) -> str:
        return self._upload.media_type

    @property
    def sha256(self) -> str:
        """The hash of what was sent last."""
        return self._hash.hexdigest()

    def blocks(self) -> Iterator[bytes]:
        self._hash = hashlib.sha256()
        sent = 0
        for block in self._upload.blocks():
            sent += len(block)
            # Before, not after: the server may begin to compute with the last byte.
            self._go_on(self._job, Phase.SENDING if sent < self.size else Phase.TRANSCRIBING)
            self._hash.update(block)
            yield block


@dataclass(frozen=True, slots=True)
class _SentAudio:
    """What was sent, as far as is known: a `Record` says what each is."""

    sha256: str | None = None
    size: int | None = None
    stamp: Stamp | None = None


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer that is on the disk; `transcript` is None where it goes to a callback."""

    record: Record
    transcript: Transcript | None


class BatchSender:
    """Sends recordings of a run; safe for several threads.

    `go_on` is told each phase, and raises where the run is over; `told` what is sent of a video.
    """

    def __init__(
        self,
        plan: Plan,
        client: Client,
        go_on: Callable[[Job, Phase], None],
        *,
        told: Callable[[str], None] = lambda _: None,
        warned: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._told = told
        self._warned = warned
        self._plan = plan
        self._client = client
        self._go_on = go_on

    def _require_room(self, ledger: Ledger, size: int) -> None:
        """Raises `OutputError` without room for the answer to `size` bytes of audio and those of the others."""
        ledger.require_room(_ROOM * self._plan.jobs + min(size, _LARGEST_ROOM))

    def _uploaded(self, upload: Sendable, job: Job, kind: InputKind) -> tuple[Answer, str]:
        """Upload audio; the answer, and the hash of what was sent."""
        job.size = upload.size
        watched = _HashedUpload(upload, job, self._go_on)
        answer = self._client.transcribe_file(
            watched, self._plan.queries[kind], progress=lambda sent: setattr(job, "sent", sent)
        )
        return answer, watched.sha256

    def _sound(self, recording: Input, upload: Upload, job: Job) -> tuple[Answer, str | None]:
        """Upload a file, or of a video its audio track alone; the answer, and the hash of the file if all was sent."""
        with audio_alone(upload, recording.name, self._plan.track) as sent:
            if sent.note:
                self._told(f"{recording.name}: {sent.note}")
            if sent.taken:
                job.notes.append(f"Of it {sent.taken} was sent; --audio-track N takes another.")
            if sent.warning:
                self._warned(f"{recording.name}: {sent.warning}")
            answer, sha256 = self._uploaded(sent.upload, job, recording.kind)
            return answer, None if sent.is_alone else sha256

    def _file(self, recording: Input, job: Job, ledger: Ledger, query: str) -> StoredAnswer:
        """Upload a file of this machine, unless the cache has its answer."""
        cache = self._plan.cache
        with opened(recording.path, any_file=self._plan.any_file) as upload:
            before = os.fstat(upload.file.fileno())
            self._require_room(ledger, upload.size)
            if cache:
                sha256 = sha256_of(recording.path)
                answer = cache.answer(
                    recording.name,
                    sha256,
                    self._plan.answer_key(recording.kind),
                    lambda: self._sound(recording, upload, job)[0],
                    waiting=lambda: self._go_on(job, Phase.HELD),
                )
            else:
                answer, sent_hash = self._sound(recording, upload, job)
                sha256 = sent_hash or sha256_of(recording.path)
            after = os.fstat(upload.file.fileno())
            is_whole = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
            audio = _SentAudio(sha256, upload.size, stamp_of(after) if is_whole else None)
        return self._kept(recording, job, answer, query, ledger, audio)

    def _url(self, recording: Input, job: Job, ledger: Ledger, query: str) -> StoredAnswer:
        """Have the API fetch a recording, or stream it through here."""
        self._require_room(ledger, 0)
        text = self._plan.queries[recording.kind]
        if recording.kind is InputKind.URL:
            answer = self._client.transcribe_url(recording.name, text)
            return self._kept(recording, job, answer, query, ledger, _SentAudio())
        stamp = cloud.stamp(recording.name)
        signed = cloud.signed(recording.name)
        if signed is not None:
            answer = self._client.transcribe_url(signed, text)
            return self._kept(recording, job, answer, query, ledger, _SentAudio(stamp=stamp))
        with cloud.opened(recording.name) as upload:
            answer, sha256 = self._uploaded(upload, job, InputKind.FILE)
        return self._kept(recording, job, answer, query, ledger, _SentAudio(sha256, upload.size, stamp))

    def _kept(
        self, recording: Input, job: Job, answer: Answer, query: str, ledger: Ledger, audio: _SentAudio
    ) -> StoredAnswer:
        """Put an answer where it cannot be lost. Raises `ApiError` when it is no transcript."""
        self._go_on(job, Phase.WRITING)
        transcript = None
        try:
            accepted = callback_id(answer.body)
            if accepted is None:
                transcript = parse_body(answer.body)
        except DgError as error:
            error.kept = keep_response(answer.body, answer.request_id)
            raise
        except Exception as error:
            # Whatever a server sends: it may have been paid for.
            odd = ApiError(f"The answer cannot be read: {type(error).__name__}: {error}.")
            odd.kept = keep_response(answer.body, answer.request_id)
            raise odd from error
        record = Record(
            source=recording.name,
            query=query,
            mark=new_mark(),
            request_id=answer.request_id or (transcript.request_id if transcript else accepted),
            sha256=audio.sha256,
            size=audio.size,
            stamp=audio.stamp,
            accepted=transcript is None,
            duration=transcript.duration if transcript else None,
        )
        ledger.keep(record, recording, answer.body)
        return StoredAnswer(record, transcript)

    def send(self, recording: Input, job: Job, ledger: Ledger, query: str) -> StoredAnswer:
        """Send a recording; its answer is on the disk then. Raises `DgError`, and what `go_on` raises."""
        send = self._file if recording.kind is InputKind.FILE else self._url
        return send(recording, job, ledger, query)
