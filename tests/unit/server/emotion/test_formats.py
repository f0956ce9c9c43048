"""Timelines as CSV and WebVTT, events of a stream."""

import csv
import io
import json

import pytest

from emotion_llama.schema import ErrorDetail, ErrorResponse, ExplanationDelta, TimelineWindow
from emotion_llama_server.emotion.formats import as_csv, as_vtt, server_sent


def window(start: float, end: float, **probabilities: float) -> TimelineWindow:
    best = max(probabilities, key=probabilities.__getitem__)
    return TimelineWindow(
        start=start,
        end=end,
        emotion=best,
        confidence=probabilities[best],
        probabilities=probabilities,
    )


WINDOWS = [window(0, 2, sad=0.25, happy=0.75), window(3599.5, 3601.25, sad=0.9, happy=0.1)]


def test_csv_has_a_line_for_each_window() -> None:
    header, *lines = csv.reader(io.StringIO(as_csv(WINDOWS)))
    assert header == ["start", "end", "emotion", "confidence", "sad", "happy"]
    assert [[float(v) for v in (*line[:2], *line[3:])] for line in lines] == [
        [0, 2, 0.75, 0.25, 0.75],
        [3599.5, 3601.25, 0.9, 0.9, 0.1],
    ]
    assert [line[2] for line in lines] == ["happy", "sad"]


def test_csv_quotes_what_a_label_may_hold() -> None:
    strange = window(0, 1, **{'so, "so"\n': 0.6, "b": 0.4})
    header, line = csv.reader(io.StringIO(as_csv([strange])))
    assert header[4] == line[2] == 'so, "so"\n'


def test_vtt_has_a_cue_for_each_window() -> None:
    assert as_vtt(WINDOWS) == (
        "WEBVTT\n\n"
        "00:00:00.000 --> 00:00:02.000\nhappy 75%\n\n"
        "00:59:59.500 --> 01:00:01.250\nsad 90%\n"
    )


def test_vtt_shows_a_label_as_it_is_and_no_cue_of_its_own() -> None:
    text = as_vtt([window(0, 1, **{"<b> --> \n\n&": 0.6, "b": 0.4})])
    assert text.splitlines()[2:] == ["00:00:00.000 --> 00:00:01.000", "&lt;b&gt; --&gt; &amp; 60%"]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (ExplanationDelta(delta="two\n\nlines\u2028"), "explanation.delta"),
        (WINDOWS[0], "timeline.window"),
        (ErrorResponse(error=ErrorDetail(message="m", type="t")), "error"),
    ],
)
def test_an_event_is_two_lines_whatever_it_says(event: ExplanationDelta, name: str) -> None:
    first, second, *rest = server_sent(event).split("\n")
    assert (first, rest) == (f"event: {name}", ["", ""])
    assert json.loads(second.removeprefix("data: ")) == event.model_dump()
