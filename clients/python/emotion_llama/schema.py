"""Defines the request and response bodies of API v1.0, above all those of `POST /v1/emotion`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

API_VERSION = "1.0"

Task = Literal["emotion", "reason", "both"]
Language = Literal["en", "zh"]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
FramePolicy = Literal["first", "middle", "peak"] | Seconds
RowSource = Literal["given", "computed", "zero"]
_MAX_TEXT = 32_768
"""The maximum number of characters of a question or a transcript."""

Label = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]


class _Documented(BaseModel):
    """Makes the docstrings of the fields their descriptions in the OpenAPI document."""

    model_config = ConfigDict(use_attribute_docstrings=True)


class TimelineRequest(_Documented):
    """Requests windows of `window` seconds; a new window begins every `step` seconds."""

    model_config = ConfigDict(extra="forbid")

    window: Annotated[float, Field(ge=0.5, allow_inf_nan=False)]
    """The length of each window in seconds."""
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """The seconds from one window's start to the next one's."""


class EmotionRequest(_Documented):
    """Holds a request about one clip; the server refuses unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"video": "happy_face.mp4", "task": "both"}]},
    )

    video: str | None = None
    """The clip: a path under a media root, an http(s) URL of an allowed domain, a data URL or the
    file as base64; null if the clip is uploaded as the part `video`."""
    task: Task = "both"
    """The kind of answer. `emotion`: probabilities; `reason`: probabilities and an explanation;
    `both`: these and the model's own answer in words."""
    question: Annotated[str, StringConstraints(min_length=1, max_length=_MAX_TEXT)] | None = None
    """The question for the explanation; by default the checkpoint's own question."""
    transcript: Annotated[str, StringConstraints(max_length=_MAX_TEXT)] = ""
    """The words that the person says in the clip."""
    transcribe: bool | None = None
    """True to let the server's transcription service write the transcript, false to let it not; by
    default the operator's choice for requests without a transcript."""
    labels: Annotated[list[Label], Field(min_length=2, max_length=64)] | None = None
    """The labels to choose from, in any case and spacing; by default those of the checkpoint."""
    frame: FramePolicy = "first"
    """The picture that the model sees: the first one, the middle one, the peak (the strongest
    expression of the face) or the one at a time in seconds."""
    audio_track: Annotated[int, Field(ge=0)] | None = None
    """The number of the sound track, counted from 0; by default the track that a player plays."""
    features: Annotated[str, StringConstraints(max_length=1 << 20)] | None = None
    """Pre-extracted features: base64 of a `.npy` file, float32 [3, feature size]; NaN marks a
    missing row."""
    timeline: TimelineRequest | None = None
    """The windows of a timeline; by default there is none."""
    language: Language = "en"
    """The language of the checkpoint's own questions."""
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] = 0.0
    """The randomness of the generated text; 0 always takes the most probable token."""
    max_tokens: Annotated[int, Field(ge=1)] = 256
    """The maximum number of tokens of the explanation and, up to 64, of the answer in words."""
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    """The seed of the random numbers for a temperature above 0."""
    stream: bool = False
    """True to receive the parts of the answer as server-sent events when they are ready."""

    @field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: list[str] | None) -> list[str] | None:
        if labels is not None and len(set(labels)) < len(labels):
            raise ValueError("each label may be given once")
        return labels


class Emotion(_Documented):
    """Holds the emotion that the clip shows, in numbers."""

    emotion: str
    """The most probable label."""
    confidence: Share
    """The probability of that label."""
    probabilities: dict[str, Share]
    """The probability of every label; all of them sum to 1."""


class TimelineWindow(Emotion):
    """Holds the emotion from `start` to `end`, in seconds from the clip's start."""

    start: float
    """The start in seconds, rounded to milliseconds."""
    end: float
    """The end in seconds, rounded to milliseconds."""
    frame_time: float | None = None
    """The time of the window's picture in seconds from the start of the video track; null from
    older servers."""
    transcript: str | None = None
    """The words that the transcription service heard in the window; null if it was not asked."""


class Track(_Documented):
    """Describes the video track or the sound track that was used."""

    index: int
    """The track's number among the tracks of its kind, counted from 0."""
    language: str | None
    """The language that the file names, usually in three letters."""
    codec: str
    count: int
    """The number of tracks of this kind in the file."""


class Box(_Documented):
    """Places a face in the frame, in shares of the frame's width and height from the top left."""

    x: Share
    y: Share
    width: Share
    height: Share


class Faces(_Documented):
    """Tells what was seen of faces in the clip."""

    count: int
    """The number of faces in the frame that the model saw."""
    box: Box | None
    """The place of the widest face in that frame; null if it shows none."""
    frames: int
    """The number of the clip's frames in which a face was sought."""
    share: Share
    """The share of these frames that show a face."""


class Evidence(_Documented):
    """Lists the inputs from which the numbers were computed."""

    frame_index: int
    frame_time: float
    """The time of the frame in seconds from the start of the video track."""
    frame_policy: FramePolicy
    """The choice of the frame that the request asked for."""
    frame_used: FramePolicy | None = None
    """The choice that was used: `middle` where no picture has a face for the `peak`; null from
    older servers."""
    audio_seconds: float
    has_audio: bool
    has_picture: bool = True
    """False for sound alone, in place of whose picture the model sees a black one."""
    video_track: Track | None = None
    """The video track; null for a picture, and for sound alone."""
    audio_track: Track | None = None
    """The sound track; null if the clip has none."""
    features: list[str]
    """The names of the feature rows that the request contains."""
    feature_rows: dict[str, RowSource] = {}
    """The source of each feature row by its name: `given` in the request, `computed` by the model,
    or `zero` where neither was possible; an older server sends none."""
    face_crops: int = 0
    """The number of face crops from which rows were computed."""
    faces: Faces | None = None
    """What was seen of faces; null if none was sought: neither for the peak, nor because the
    checkpoint computes rows from the face that the request does not bring."""
    transcript: str | None = None
    """The words that the transcription service heard; null if it was not asked, or failed."""
    checkpoint: str
    """The name of the served model."""
    manifest: str | None
    """The SHA-256 of the checkpoint's `manifest.json`; null if the checkpoint has none."""
    prompt: str
    """The prompt from which the label probabilities were computed; `<unk>` stands for the clip."""


class Usage(_Documented):
    """Counts the tokens of prompts and generated text; each read of a label counts as one."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Timing(_Documented):
    """Holds the duration of each step in seconds; null for a step that did not happen."""

    fetch: float
    decode: float
    transcribe: float | None = None
    """The time until the transcription service answered."""
    queue: float | None
    """The time until the engine started the first question."""
    first_token: float | None
    """The time from the start of the request to the first token of the explanation."""
    total: float


class AnalysisWarning(_Documented):
    """Warns the caller about an answer that is given nevertheless."""

    code: str
    """The code for programs: `unknown_label`, `no_sound`, `no_picture`, `sound_cut`,
    `face_crops_unused`, `no_face`, `no_peak`, `timeline_gaps`, `transcription_failed`,
    `transcript_cut`, `transcript_without_times`; later versions may add others."""
    message: str
    """The warning for people, in one sentence."""


class EmotionResponse(Emotion):
    """Represents the answer of `POST /v1/emotion`."""

    id: str
    model: str
    answer: str | None
    """The model's own answer to the question for a label; null for task `reason`."""
    answer_matches: bool | None
    """True if the model's own answer means `emotion`."""
    explanation: str | None
    """The explanation; null for task `emotion`."""
    timeline: list[TimelineWindow] | None
    evidence: Evidence
    usage: Usage
    timing: Timing
    warnings: list[AnalysisWarning] = []
    """The warnings about this answer; an empty list if there are none."""
    notice: str
    """A statement of what the model is and is not."""


class EmotionEvent(Emotion):
    """Represents the event `emotion` of a stream."""

    answer: str | None
    answer_matches: bool | None


class ExplanationDelta(_Documented):
    """Represents the event `explanation.delta` of a stream: the next piece of the explanation."""

    delta: str


class ErrorDetail(_Documented):
    """Represents OpenAI's error object."""

    message: str
    type: str
    """The type of the error: `invalid_request_error`, `server_error` and others, one for each kind
    of status."""
    param: str | None = None
    """The field that caused the error; `timeline.step` names a field inside another one."""
    code: int | str | None = None
    """The code of the error for programs: `video_not_found`, `route_not_found` and others."""


class ErrorResponse(_Documented):
    """Represents an error of the routes under `/v1`, and the event `error` of a stream."""

    error: ErrorDetail


class Limits(_Documented):
    """Lists the limits of one request; the server refuses what exceeds them."""

    clip_bytes: int
    """The maximum size of a clip in bytes, however it comes."""
    audio_seconds: float
    """The maximum length of a clip's sound in seconds; with a timeline, that of a window."""
    timeline_seconds: float
    """The maximum length of a clip with a timeline in seconds."""
    timeline_windows: int
    """The maximum number of windows of a timeline."""
    request_seconds: float
    """The maximum duration of a request in seconds, with its upload."""


class Sources(_Documented):
    """Says by which names a request may give a clip; every server also takes uploads."""

    paths: bool
    """True if there are folders on the server whose clips a request may name."""
    urls: bool
    """True if there are hosts from which the server fetches clips."""
    files: bool = False
    """True if the server keeps files, whose ids a request may name, and answers batches."""


class Model(_Documented):
    """Represents one name under which the model is served."""

    id: str
    object: str = "model"
    created: int
    owned_by: str
    max_model_len: int | None
    """The maximum number of tokens of prompt and answer together, with the clip's embeddings."""
    description: str
    """The checkpoint's description of itself."""
    labels: list[str] = []
    """The labels from which the checkpoint chooses by default."""
    languages: list[Language] = []
    """The languages of the checkpoint's own questions."""
    demonstration: bool = False
    """True if the checkpoint shows how the server works and recognises nobody's emotions."""
    limits: Limits | None = None
    """The limits of one request; null from older servers."""
    sources: Sources | None = None
    """The names by which a request may give a clip; null from older servers."""
    transcribes: bool = False
    """True if the server has a transcription service, which `transcribe` asks."""


class ModelList(_Documented):
    """Represents OpenAI's list of models."""

    object: str = "list"
    data: list[Model]


EVENT_STREAM = "text/event-stream"
"""The media type of a stream."""
EVENTS: dict[str, type[BaseModel]] = {
    "emotion": EmotionEvent,
    "explanation.delta": ExplanationDelta,
    "timeline.window": TimelineWindow,
    "done": EmotionResponse,
    "error": ErrorResponse,
}
"""Maps the names of a stream's events to their data."""
