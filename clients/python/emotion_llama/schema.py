"""The bodies of API v1.0, `POST /v1/emotion` first: what the server takes and gives."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

API_VERSION = "1.0"

Task = Literal["emotion", "reason", "both"]
Language = Literal["en", "zh"]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
FramePolicy = Literal["first", "middle"] | Seconds
Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class TimelineRequest(BaseModel):
    """Windows of `window` seconds, one every `step` seconds."""

    model_config = ConfigDict(extra="forbid")

    window: Annotated[float, Field(ge=0.5, allow_inf_nan=False)]
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)]


class EmotionRequest(BaseModel):
    """What is asked about a clip; an unknown field is refused."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"video": "happy_face.mp4", "task": "both"}]},
    )

    video: str | None = None
    """A path under a media root, an http(s) URL of an allowed domain, a data URL or the file as
    base64; none if the clip is uploaded as the part `video`."""
    task: Task = "both"
    """`emotion`: probabilities; `reason`: these and an explanation; `both`: the same as `reason`
    and the model's own answer in words."""
    question: Annotated[str, StringConstraints(min_length=1, max_length=32_768)] | None = None
    """Instead of the checkpoint's own question for an explanation."""
    transcript: Annotated[str, StringConstraints(max_length=32_768)] = ""
    """What the person says."""
    labels: Annotated[list[Label], Field(min_length=2, max_length=64)] | None = None
    """To choose from, in any case and spacing; the checkpoint's own by default."""
    frame: FramePolicy = "first"
    """Which picture is looked at: the first, the middle one, or that of a time in seconds."""
    audio_track: Annotated[int, Field(ge=0)] | None = None
    """Which sound track is heard, counted from 0; by default the one that a player plays."""
    features: Annotated[str, StringConstraints(max_length=1 << 20)] | None = None
    """Pre-extracted rows as base64 of a `.npy` file: float32 [3, feature size], NaN: not given."""
    timeline: TimelineRequest | None = None
    language: Language = "en"
    """Which of the checkpoint's questions is asked."""
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.0
    max_tokens: Annotated[int, Field(ge=1)] = 256
    """Of the explanation; an answer to the question for a label is never longer than 64 either."""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    stream: bool = False

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: list[str] | None) -> list[str] | None:
        if labels is not None and len(set(labels)) < len(labels):
            raise ValueError("each label may be given once")
        return labels


class Emotion(BaseModel):
    """What is shown, in numbers."""

    emotion: str
    """The most probable label."""
    confidence: Share
    """Its probability."""
    probabilities: dict[str, Share]
    """Of every label; they sum to 1."""


class TimelineWindow(Emotion):
    """The same for a stretch of the clip, in seconds from its start."""

    start: float
    end: float


class Track(BaseModel):
    """The track that was used of those that carry pictures, or of those that carry sound."""

    index: int
    """Its place among them, from 0."""
    language: str | None
    """As the file gives it, usually in three letters."""
    codec: str
    count: int
    """How many there are."""


class Evidence(BaseModel):
    """What the numbers were read from."""

    frame_index: int
    frame_time: float
    """Seconds from the start of the picture."""
    frame_policy: FramePolicy
    audio_seconds: float
    has_audio: bool
    video_track: Track | None = None
    """Null for a picture."""
    audio_track: Track | None = None
    """Null if the clip has none."""
    features: list[str]
    """The rows that were given."""
    checkpoint: str
    """The served model's name."""
    manifest: str | None
    """SHA-256 of the checkpoint's `manifest.json`; null where it has none."""
    prompt: str
    """Behind which the labels' probabilities were read; `<unk>` stands for the clip."""


class Usage(BaseModel):
    """Tokens of the prompts and of what was generated; each label read counts one."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Timing(BaseModel):
    """Seconds; null for what did not happen."""

    fetch: float
    decode: float
    queue: float | None
    """Until the engine took up the first question."""
    first_token: float | None
    """Of the explanation, from the start of the request."""
    total: float


class AnalysisWarning(BaseModel):
    """What a caller should know about an answer that was given nevertheless."""

    code: str
    """For programs: `unknown_label`, `no_sound`, `sound_cut`, `timeline_gaps`; more may come."""
    message: str
    """For people: one sentence."""


class EmotionResponse(Emotion):
    """The answer of `POST /v1/emotion`."""

    id: str
    model: str
    answer: str | None
    """The model's own words to the question for a label; null for task `reason`."""
    answer_matches: bool | None
    """Whether they mean `emotion`."""
    explanation: str | None
    """Null for task `emotion`."""
    timeline: list[TimelineWindow] | None
    evidence: Evidence
    usage: Usage
    timing: Timing
    warnings: list[AnalysisWarning] = []
    """What the caller should know about this answer; empty where there is nothing."""
    notice: str
    """What the model is and is not."""


class EmotionEvent(Emotion):
    """The event `emotion` of a stream."""

    answer: str | None
    answer_matches: bool | None


class ExplanationDelta(BaseModel):
    """The event `explanation.delta`: the next piece of the explanation."""

    delta: str


class ErrorDetail(BaseModel):
    """OpenAI's error object."""

    message: str
    type: str
    """`invalid_request_error`, `server_error` and others, one for each kind of status."""
    param: str | None = None
    """The field that is to blame, `timeline.step` for one inside another."""
    code: int | str | None = None
    """What a program can tell the error by: `video_not_found`, `route_not_found` and others."""


class ErrorResponse(BaseModel):
    """Every failure of the routes under `/v1`, and the event `error` of a stream."""

    error: ErrorDetail


class Model(BaseModel):
    """One name under which the model is served."""

    id: str
    object: str = "model"
    created: int
    owned_by: str
    max_model_len: int | None
    """Tokens of prompt and answer together, a clip's embeddings included."""
    description: str
    """What the checkpoint is, in its own words."""


class ModelList(BaseModel):
    """As OpenAI's."""

    object: str = "list"
    data: list[Model]
