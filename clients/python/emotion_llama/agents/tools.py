"""Defines the tools: what an agent gives, what it gets, and how each is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from emotion_llama.agents import text
from emotion_llama.schema import (
    AnalysisWarning,
    EmotionRequest,
    EmotionResponse,
    Evidence,
    FramePolicy,
    Label,
    Language,
    Task,
    TimelineRequest,
)

_Text = Annotated[str, StringConstraints(max_length=32_768)]
_Question = Annotated[str, StringConstraints(min_length=1, max_length=32_768)]


class Backend(Protocol):
    """Answers the tools: the server in its own process, or a client by asking a server."""

    async def analyse(self, request: EmotionRequest) -> EmotionResponse:
        """Return the answer of `POST /v1/emotion` to a request."""
        ...

    async def labels(self) -> "LabelList":
        """Return the labels of the served checkpoint."""
        ...

    def sentence(self, error: Exception) -> str:
        """Return the sentence with which an error is told to the agent."""
        ...


class _Arguments(BaseModel):
    """Makes the docstrings of the fields their descriptions, and refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class _Clip(_Arguments):
    """Names a clip, and what a request about it may say."""

    video: str
    """The clip: a path in a folder that the server reads, an http(s) URL of an allowed host, or a
    data URL."""
    transcript: _Text = ""
    """The words that the person says in the clip; the model does not recognise speech."""
    transcribe: bool | None = None
    """True to let the server's transcription service write the transcript, if it has one."""
    frame: FramePolicy = "first"
    """The picture that the model sees: the first one, the middle one, the peak (the strongest
    expression of the face) or the one at a time in seconds."""


class AnalyzeVideo(_Clip):
    """Holds the arguments of `analyze_video`."""

    task: Task = "both"
    """`emotion`: probabilities and the model's own label; `reason`: probabilities and an
    explanation; `both`: all of these."""
    labels: Annotated[list[Label], Field(min_length=2, max_length=64)] | None = None
    """The labels to choose from; by default those that `list_labels` returns."""
    timeline: TimelineRequest | None = None
    """The windows of a timeline; by default there is none."""
    language: Language = "en"
    """The language of the question that the model is asked."""


class AskAboutVideo(_Clip):
    """Holds the arguments of `ask_about_video`."""

    question: _Question
    """The question about the person in the clip."""


class NoArguments(_Arguments):
    """Holds the arguments of a tool that has none."""


class VideoAnswer(BaseModel):
    """Represents the answer to a question about a clip."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    answer: str
    """The model's answer in words."""
    model: str
    evidence: Evidence
    warnings: list[AnalysisWarning]
    """The warnings about this answer; an empty list if there are none."""
    notice: str
    """A statement of what the model is and is not."""


class LabelList(BaseModel):
    """Lists the labels of a checkpoint."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    model: str
    labels: list[str]
    """The labels that the checkpoint was trained on."""
    description: str
    """The checkpoint's description of itself."""


@dataclass(frozen=True)
class Tool:
    """Describes one tool.

    Args:
        title: the tool's name for people.
        description: what the agent reads about it.
        arguments: the model of its arguments.
        result: the model of its structured result.
        run: answers arguments with a result, and with the text that people read.
    """

    title: str
    description: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    run: Callable[[Backend, Any], Awaitable[tuple[BaseModel, str]]]


async def _analyze_video(backend: Backend, asked: AnalyzeVideo) -> tuple[BaseModel, str]:
    answer = await backend.analyse(EmotionRequest(**asked.model_dump(exclude_unset=True)))
    return answer, text.of_analysis(answer)


async def _ask_about_video(backend: Backend, asked: AskAboutVideo) -> tuple[BaseModel, str]:
    fields = asked.model_dump(exclude_unset=True)
    answer = await backend.analyse(EmotionRequest(task="reason", **fields))
    said = VideoAnswer(
        answer=answer.explanation or "",
        model=answer.model,
        evidence=answer.evidence,
        warnings=answer.warnings,
        notice=answer.notice,
    )
    return said, text.of_words(said.answer, answer)


async def _list_labels(backend: Backend, asked: NoArguments) -> tuple[BaseModel, str]:
    known = await backend.labels()
    return known, text.of_labels(known.labels, known.model, known.description)


TOOLS = {
    "analyze_video": Tool(
        title="Analyze a video",
        description="Estimate the emotion that the person in a short clip shows: the probability "
        "of every label, the model's own words and, if asked for, a timeline. The model guesses "
        "from one picture, the voice and the words, and can be wrong about anybody.",
        arguments=AnalyzeVideo,
        result=EmotionResponse,
        run=_analyze_video,
    ),
    "ask_about_video": Tool(
        title="Ask about a video",
        description="Ask a question of your own about the emotion of the person in a short clip, "
        "and get an answer in words.",
        arguments=AskAboutVideo,
        result=VideoAnswer,
        run=_ask_about_video,
    ),
    "list_labels": Tool(
        title="List the emotion labels",
        description="List the emotion labels that the model was trained on; `analyze_video` "
        "chooses from them unless it is given others.",
        arguments=NoArguments,
        result=LabelList,
        run=_list_labels,
    ),
}
