"""What chat requests become before vLLM's own route gets them, and what never gets there."""

import base64
from typing import Any

import pytest
from vllm.exceptions import GenerationError

from tests.support.apps.chat_app import CLIP, TEXT, ChatApp

DATA_URL = "data:video/mp4;base64,AAAA"
INLINE = "data:audio/wav;base64,AAAA"


@pytest.fixture
def app() -> ChatApp:
    return ChatApp()


def clips(app: ChatApp, *parts: Any) -> list[str]:
    """Return the clips that vLLM's route gets of these parts."""
    messages: list[Any] = app.got(*parts).messages
    content = messages[0]["content"]
    return [part["video_url"]["url"] for part in content if part["type"] == "video_url"]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "video_url", "video_url": {"url": DATA_URL}},
        {"type": "video_url", "video_url": DATA_URL},
        {"video_url": DATA_URL},
        {"type": "file", "file": {"file_data": DATA_URL, "filename": "clip.mp4"}},
        {"type": "file", "file": {"file_data": DATA_URL, "format": "video/mp4"}},
        {"type": "file", "file": {"file_data": DATA_URL, "file_id": None}},
        {"type": "file", "file": {"file_id": DATA_URL, "format": "video/mp4"}},
        {"type": "input_file", "file_data": DATA_URL},
        {"type": "input_file", "file_url": DATA_URL},
    ],
)
def test_a_clip_comes_in_every_part_that_clients_send(app: ChatApp, part: dict[str, Any]) -> None:
    assert clips(app, part, TEXT) == [DATA_URL]
    assert "X-Warning" not in app.post(part, TEXT).headers


@pytest.mark.parametrize("kind", ["file", "input_file"])
def test_an_uploaded_file_is_named_as_openais_clients_name_it(app: ChatApp, kind: str) -> None:
    name = "file-" + "0123456789abcdef" * 2
    assert clips(app, {"type": kind, "file": {"file_id": name}}, TEXT) == [name]
    assert clips(app, {"type": kind, "file_id": name}, TEXT) == [name]
    assert clips(app, {"type": "video_url", "video_url": {"url": name}}, TEXT) == [name]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "face.png", "detail": "high"}},
        {"type": "image_url", "image_url": "face.png"},
        {"type": "input_image", "image_url": "face.png"},
        {"image_url": {"url": "face.png"}},
    ],
)
def test_a_picture_is_a_clip_with_a_warning(app: ChatApp, part: dict[str, Any]) -> None:
    assert clips(app, TEXT, part) == ["face.png"]
    warning = app.post(TEXT, part).headers["X-Warning"]
    assert warning.startswith("picture_as_clip: ")


def test_a_file_with_base64_and_its_kind_is_taken(app: ChatApp) -> None:
    data = base64.b64encode(bytes(99)).decode()
    part = {"type": "file", "file": {"file_data": data, "format": "video/mp4"}}
    assert clips(app, part, TEXT) == [data]


@pytest.mark.parametrize(
    ("part", "url"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, INLINE),
        ({"input_audio": {"data": "AAAA", "format": "mp3"}}, INLINE),
        ({"type": "input_audio", "input_audio": {"data": "data:audio/ogg,x"}}, "data:audio/ogg,x"),
        ({"type": "audio_url", "audio_url": {"url": "voice.wav"}}, "voice.wav"),
        ({"type": "audio_url", "audio_url": "voice.wav"}, "voice.wav"),
    ],
)
def test_a_part_of_sound_alone_is_taken_with_a_warning(
    app: ChatApp, part: dict[str, Any], url: str
) -> None:
    assert clips(app, TEXT, part) == [url]
    assert app.post(TEXT, part).headers["X-Warning"].startswith("sound_as_clip: ")


@pytest.mark.parametrize(
    "file",
    [
        {"file_data": "data:audio/wav;base64,AAAA"},
        {"file_data": "data:audio/wav;base64,AAAA", "format": "audio/mpeg"},
    ],
)
def test_a_file_of_sound_alone_is_taken(app: ChatApp, file: dict[str, Any]) -> None:
    assert clips(app, TEXT, {"type": "file", "file": file}) == [file["file_data"]]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "file": {"file_id": "file-6F2ksmvXxt4VdoqmHRw6kL"}},
        {"type": "file", "file": {"filename": "clip.mp4"}},
        {"type": "file"},
        {"type": "video_url", "video_url": None},
        {"type": "video_url"},
        {"type": "input_audio"},
        {"type": "input_audio", "input_audio": {"format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": 7}},
        {"type": "audio_url", "audio_url": {}},
        {"type": "image_url", "image_url": {"url": 7}},
        {"type": "video_url", "video_url": {}},
    ],
)
def test_a_part_without_a_clip_is_refused(app: ChatApp, part: dict[str, Any]) -> None:
    assert app.refusal(part, TEXT)["param"] == "messages"


@pytest.mark.parametrize("content", [[TEXT], ["words"], [{"type": "refusal", "refusal": "x"}]])
def test_a_conversation_without_a_clip_is_refused(app: ChatApp, content: list[Any]) -> None:
    error = app.refusal(*content)
    assert "no clip in this conversation" in error["message"]
    assert error["param"] == "messages"


@pytest.mark.parametrize(
    ("messages", "is_taken"),
    [
        ([{"role": "user", "content": "Which emotion?"}], False),
        ([], False),
        ([{"role": "system", "content": "Be brief."}, {"role": "user", "content": None}], False),
        (
            [
                {"role": "user", "content": "What was it?"},
                {"role": "assistant", "content": "happy"},
                {"role": "user", "content": [{"type": "text", "text": "Why?"}]},
            ],
            False,
        ),
        (
            [
                {"role": "user", "content": [CLIP, TEXT]},
                {"role": "assistant", "content": "happy"},
                {"role": "user", "content": "Why?"},
            ],
            True,
        ),
    ],
)
def test_the_clip_may_be_in_any_turn(app: ChatApp, messages: Any, is_taken: bool) -> None:
    assert (app.post(messages=messages).status_code == 200) == is_taken


@pytest.mark.parametrize(
    "field",
    [{"files": []}, {"video": "clip.mp4"}, {"images": ["x"]}, {"attachments": None}],
)
def test_a_clip_that_was_lost_beside_the_messages_is_named(
    app: ChatApp, field: dict[str, Any]
) -> None:
    error = app.refusal(TEXT, **field)
    assert f"`{next(iter(field))}` beside `messages` is not read" in error["message"]
    assert error["param"] == next(iter(field))


def test_fields_beside_a_clip_do_no_harm(app: ChatApp) -> None:
    app.got(files=[])


def test_the_bare_llama_answers_where_the_operator_wants_it() -> None:
    ChatApp(allow_text_only=True).got(TEXT)


NULLS: dict[str, list[Any]] = {
    "media_io_kwargs": [None, {}],
    "mm_processor_kwargs": [None, {}],
    "chat_template": [None],
    "prompt_embeds": [None],
    "priority": [None, 0],
    "cache_salt": [None],
    "uuid": [None],
    "chat_template_kwargs": [None, {}, {"enable_thinking": None}],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in NULLS.items() for value in values]
)
def test_nulls_and_defaults_pass(app: ChatApp, name: str, value: Any) -> None:
    app.got(**{name: value})
    app.got({**CLIP, name: value}, TEXT)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("media_io_kwargs", {"video": {"num_frames": 10**9}}),
        ("mm_processor_kwargs", {"x": None}),
        ("chat_template", "{{ 1 }}"),
        ("priority", -1),
        ("cache_salt", "x"),
        ("uuid", "x"),
        ("transcribe", True),
    ],
)
def test_values_are_refused(app: ChatApp, name: str, value: Any) -> None:
    assert app.refusal(**{name: value})["param"] == name
    assert app.refusal({**CLIP, name: value}, TEXT)["param"] == name


def test_a_message_with_a_clip_is_not_repeated(app: ChatApp) -> None:
    """vLLM fails in the middle of it."""
    assert app.refusal(echo=True, add_generation_prompt=False)["param"] == "echo"
    assert not app.got(echo=False).echo
    first = {"role": "user", "content": [CLIP, TEXT]}
    for words in ("sad", [{"type": "text", "text": "sad"}]):
        body = {"model": "m", "messages": [first, {"role": "assistant", "content": words}]}
        assert app.post_body(body | {"echo": True}).status_code == 200


@pytest.mark.parametrize("place", ["message part", "address"])
def test_a_field_is_refused_wherever_a_part_holds_it(app: ChatApp, place: str) -> None:
    address = {"url": "clip.mp4"} | ({"uuid": "x"} if place == "address" else {})
    part = {"type": "video_url", "video_url": address}
    part |= {"uuid": "x"} if place == "message part" else {}
    assert app.refusal(part, TEXT)["param"] == "uuid"


@pytest.mark.parametrize("style", ["eval", "demo", None])
def test_the_style_of_the_prompt_is_the_callers(app: ChatApp, style: str | None) -> None:
    got = app.got(chat_template_kwargs={"prompt_style": style})
    assert got.chat_template_kwargs == {"prompt_style": style}


@pytest.mark.parametrize("name", ["bos_token", "tools", "add_generation_prompt"])
def test_other_variables_of_the_template_are_refused(app: ChatApp, name: str) -> None:
    error = app.refusal(chat_template_kwargs={"prompt_style": "demo", name: "x"})
    assert error["param"] == "chat_template_kwargs"
    assert f"not '{name}'" in error["message"]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"structured_outputs": {"regex": "x" * 20_000}}, "structured_outputs"),
        ({"structured_outputs": ["happy"]}, "structured_outputs"),
        ({"response_format": {"type": "text", "x": "x" * 20_000}}, "response_format"),
    ],
)
def test_a_form_that_is_too_long_or_no_form_is_refused(
    app: ChatApp, fields: dict[str, Any], param: str
) -> None:
    assert app.refusal(**fields)["param"] == param


@pytest.mark.parametrize("body", [[], "text", 7, True])
def test_a_body_that_is_no_object_is_a_wrong_request(app: ChatApp, body: Any) -> None:
    assert app.post_body(body).status_code == 400


class Failing(ChatApp):
    """An app whose engine fails, as vLLM's does when it cannot compile a grammar."""

    async def create_chat_completion(self, request: Any, raw_request: Any) -> Any:
        raise GenerationError("secret")


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 500),
        ({"structured_outputs": {"choice": ["happy", "sad"]}}, 400),
        ({"structured_outputs": {"regex": "It is [a-z]+"}}, 400),
        ({"guided_choice": ["happy", "sad"]}, 400),
    ],
)
def test_a_form_with_which_the_engine_fails_is_the_requests_error(
    fields: dict[str, Any], status: int
) -> None:
    response = Failing().post(**fields)
    assert response.status_code == status
    assert ("form of the answer cannot be used" in response.text) == (status == 400)
    assert "secret" not in response.text


def test_what_is_refused_is_not_in_the_document(app: ChatApp) -> None:
    for _ in range(2):
        schemas = app.app.openapi()["components"]["schemas"]
        fields = schemas["ChatCompletionRequest"]["properties"].keys()
        assert not fields & (NULLS.keys() - {"chat_template_kwargs"})
        assert {"messages", "chat_template_kwargs", "structured_outputs"} <= fields
