"""What the terminal showed while the server started."""

import re
import subprocess
from pathlib import Path

from devtools.server import Server

STAGES = [
    "Importing vLLM",
    "Checking the settings",
    "Starting the engine",
    "Loading weights",
    "Preparing the engine",
    "Warming up",
    "Emotion-LLaMA is ready",
]


def shown(server: Server) -> tuple[list[str], str]:
    """The lines of the log until the server was ready, and what the terminal showed then."""
    log, _, banner = server.log.read_text().partition("Emotion-LLaMA is ready\n")
    return [*log.splitlines()[:-1], log.splitlines()[-1] + "Emotion-LLaMA is ready"], banner


def test_the_start_is_told_in_a_dozen_lines_of_ours(server: Server) -> None:
    lines, _ = shown(server)
    assert len(lines) <= 12
    form = re.compile(r"[\d-]{10} [\d:]{8} INFO +(\d+\.\d) s  (.+)")
    told = [found for line in lines if (found := form.fullmatch(line))]
    assert len(told) == len(lines), lines  # no warning, and nothing of another form
    assert [found[2] for found in told if "%" not in found[2]] == STAGES
    seconds = [float(found[1]) for found in told]
    assert seconds == sorted(seconds)
    assert seconds[0] < 1


def test_the_banners_command_works_as_it_stands(server: Server, tmp_path: Path) -> None:
    _, banner = shown(server)
    command = banner[banner.index("curl ") :].partition("\n\n")[0]
    asked = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert '"explanation"' in asked.stdout
