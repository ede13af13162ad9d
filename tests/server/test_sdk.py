"""The official deepgram-sdk against this server: another implementation of the client."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from deepgram import DeepgramClient
from deepgram.environment import DeepgramClientEnvironment

from tests.server.conftest import AUDIO, words_right
from tests.server.test_fetch import sends, site

# The SDK asks websockets for a name that it will not have for ever.
pytestmark = pytest.mark.filterwarnings("ignore:websockets:DeprecationWarning")


def sdk_for(url: str, key: str, client: httpx.Client) -> DeepgramClient:
    socket = url.replace("http", "ws")
    environment = DeepgramClientEnvironment(base=url, production=socket, agent=socket, agent_rest=url)
    return DeepgramClient(api_key=key, environment=environment, httpx_client=client)


@pytest.fixture
def sdk(recogniser: str, client: httpx.Client) -> DeepgramClient:
    return sdk_for(recogniser, "not-needed", client)


def check(answer: Any) -> None:
    words = answer.results.channels[0].alternatives[0].words
    said = [word.word for word in words]
    assert words_right((AUDIO / "preamble-rms.txt").read_text(), said) >= 49  # of 52
    assert answer.metadata.duration == pytest.approx(25.925, abs=0.001)
    assert answer.metadata.channels == 1
    assert answer.results.utterances[0].words[0].punctuated_word == "We"


def test_a_file(sdk: DeepgramClient) -> None:
    """The SDK uploads a file and its typed response holds the words."""
    answer = sdk.listen.v1.media.transcribe_file(
        request=(AUDIO / "preamble-rms.flac").read_bytes(), model="nova-3", smart_format=True, utterances=True
    )
    check(answer)


def test_a_url(sdk: DeepgramClient) -> None:
    """The SDK names a URL and its typed response holds the words."""
    with site({"/preamble.flac": sends((AUDIO / "preamble-rms.flac").read_bytes())}) as url:
        answer = sdk.listen.v1.media.transcribe_url(
            url=f"{url}/preamble.flac", model="nova-3", smart_format=True, utterances=True
        )
    check(answer)


def test_its_errors(start: Callable[..., str], client: httpx.Client) -> None:
    """The SDK understands the server's refusal of a key."""
    from deepgram.core.api_error import ApiError

    url = start(require_key="secret")
    with pytest.raises(ApiError) as caught:
        sdk_for(url, "wrong", client).listen.v1.media.transcribe_file(request=b"x")
    assert caught.value.status_code == 401
    assert caught.value.body["err_code"] == "INVALID_AUTH"


def test_projects_and_models(sdk: DeepgramClient) -> None:
    """The SDK lists the one project there is, and its models; another project is not found."""
    from deepgram.core.api_error import ApiError

    (project,) = sdk.manage.v1.projects.list().projects or []
    assert project.project_id is not None
    assert sdk.manage.v1.projects.get(project.project_id).name == project.name == "local"
    models = sdk.manage.v1.models.list().stt or []
    assert [model.name for model in sdk.manage.v1.projects.models.list(project.project_id).stt or []] == [
        model.name for model in models
    ]
    assert sdk.manage.v1.models.get(str(models[0].uuid_)).name == models[0].name
    with pytest.raises(ApiError) as caught:
        sdk.manage.v1.projects.get("00000000-0000-0000-0000-000000000000")
    assert caught.value.status_code == 404


def test_a_key_for_the_projects(start: Callable[..., str], client: httpx.Client) -> None:
    """Who tests a key by its projects learns whether it is good."""
    from deepgram.core.api_error import ApiError

    url = start(require_key="secret")
    assert sdk_for(url, "secret", client).manage.v1.projects.list().projects
    with pytest.raises(ApiError) as caught:
        sdk_for(url, "wrong", client).manage.v1.projects.list()
    assert caught.value.status_code == 401
    headers = {"authorization": "Token secret"}
    assert client.get(f"{url}/v1/auth/token", headers=headers).status_code == 200
    assert client.get(f"{url}/v1/auth/token").status_code == 401


def test_a_stream(sdk: DeepgramClient, start: Callable[..., str], client: httpx.Client) -> None:
    """The SDK's live client gets typed results of the audio that it sends, and the metadata."""
    with sdk_for(start(), "not-needed", client).listen.v1.connect(
        model="nova-3", encoding="linear16", sample_rate="16000", punctuate="true"
    ) as socket:
        for _ in range(4):
            socket.send_media(bytes(32000))
        socket.send_close_stream()
        messages = list(socket)
    said = [m.channel.alternatives[0].transcript for m in messages if m.type == "Results"]
    assert " ".join(filter(None, said)) == "Call Maria Yes."
    assert messages[-1].type == "Metadata"
