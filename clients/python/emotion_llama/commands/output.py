"""Writes the answers about many clips: lines of a file or of the output, or a table."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import fspath

from emotion_llama.commands.failure import CommandError
from emotion_llama.commands.records import as_record, json_line
from emotion_llama.commands.results import Results
from emotion_llama.commands.terminal import printable, show
from emotion_llama.many import Analysis
from emotion_llama.schema import EmotionResponse


@dataclass
class Output:
    """Writes the answers: lines of a file or of the output, or a table in a terminal.

    A file has a line for each clip. The output has a line for each answer, because the error stream
    lists the failed clips.

    Args:
        words: the transcript of each clip that has one.
        options: the options of all clips, as text.
        results: the file; None for the output.
    """

    words: Mapping[str, str]
    options: str
    results: Results | None

    def __post_init__(self) -> None:
        self.count = 0
        self.failed: list[Analysis] = []
        self._shown: list[tuple[str, EmotionResponse]] = []
        self._is_table = self.results is None and sys.stdout.isatty()

    def take(self, analysis: Analysis) -> None:
        """Write the result of one clip."""
        video = fspath(analysis.video_path)
        self.count += 1
        if analysis.response is None:
            self.failed.append(analysis)
        elif self._is_table:
            self._shown.append((video, analysis.response))
        if self._is_table:
            return
        said = self.words.get(video)
        if said is None and analysis.response is not None:
            said = analysis.response.evidence.transcript
        record = as_record(analysis, transcript=said, options=self.options)
        try:
            if self.results is not None:
                self.results.add(record)
            elif analysis.response is not None:
                sys.stdout.buffer.write(json_line(record).encode())
                sys.stdout.buffer.flush()
        except OSError as error:  # the disk is full, or the reader has closed the pipe
            raise CommandError(f"The results cannot be written: {error.strerror}.") from error

    def close(self) -> None:
        """Close the file, or show the table."""
        if self.results is not None:
            self.results.close()
        show(self._shown)


def list_failures(failed: Sequence[Analysis]) -> None:
    """Print the clips that failed, each with the reason, on the error stream."""
    if failed:
        print(f"{count_of_clips(len(failed))} failed:", file=sys.stderr)
    for analysis in failed:
        print(f"  {printable(fspath(analysis.video_path))}: {analysis.error}", file=sys.stderr)


def count_of_clips(count: int) -> str:
    """Return a number of clips in words."""
    return "1 clip" if count == 1 else f"{count} clips"
