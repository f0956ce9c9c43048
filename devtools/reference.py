"""Writes the parts of the documents that the sources know: the flags, and the help of commands.

    python -m devtools.reference

Such a part stands between `<!-- flags: GROUP -->` or `<!-- help: COMMAND -->` and `<!-- end -->`.
Flags, defaults and variables come from the settings classes; the meaning of a flag is written by
hand in its row, and kept.
"""

import os
import re
from dataclasses import dataclass
from typing import Any
from unittest import mock

from typer.testing import CliRunner

from devtools.paths import CHECKOUT
from emotion_llama_server.cli import app
from emotion_llama_server.settings import ServerSettings, add_flags
from emotion_llama_server.start.help import GROUPS, help_text
from emotion_llama_vllm.settings import ENV_PREFIX, MediaSettings

DOCUMENTS = CHECKOUT / "docs"
NAMES = ("configuration.md", "cli.md")
PAGES = sorted(page for name in NAMES for page in DOCUMENTS.glob(f"*/{name}"))
COLUMNS = 80

HEADS = {
    "en": "| flag | meaning | default | variable |",
    "zh": "| 参数 | 含义 | 默认值 | 环境变量 |",
}
IN_CHINESE = {
    "none": "无",
    "all keys": "所有密钥",
    "4/3 of --max-media-mb, plus 4": "`--max-media-mb` 的 4/3 再加 4",
    "half of the cores, 2 to 8": "核心数的一半，2 到 8",
}
"""The defaults that are told in words."""

_PART = re.compile(r"(<!-- (flags|help): ?(.*?) -->\n).*?(<!-- end -->)", re.DOTALL)
_ROW = re.compile(r"^\| `(--[a-z0-9-]+)[^|]*(?:\\\|[^|]*)*\| (.*?) \|", re.MULTILINE)
_DEFAULT = re.compile(r" \[(.+)\]$")


def main() -> None:
    """Write the parts of all pages anew."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        page.write_text(renewed(text, page.parent.name), encoding="utf-8")


def renewed(text: str, language: str) -> str:
    """Return the text of a page with its parts as the sources have them today.

    Raises:
        KeyError: a flag has no row, so that nobody has written what it means.
    """
    meanings = dict(_ROW.findall(text))

    def write(found: re.Match[str]) -> str:
        start, kind, name, end = found.groups()
        part = flags(name, meanings, language) if kind == "flags" else command_help(name)
        return f"{start}{part}{end}"

    return _PART.sub(write, text)


def flags(group: str, meanings: dict[str, str], language: str) -> str:
    """Return the table of a group of settings."""
    table = _Table([HEADS[language], "| --- | --- | --- | --- |"], meanings, language)
    add_flags(table, ServerSettings, MediaSettings, only=GROUPS[group])
    return "\n".join(table.rows) + "\n"


@dataclass
class _Table:
    """Takes flags as a parser does, and makes a row of each."""

    rows: list[str]
    meanings: dict[str, str]
    language: str

    def add_argument(self, flag: str, *, metavar: str, help: str, **_: Any) -> None:
        value = metavar.replace("|", r"\|")
        told = _DEFAULT.search(help)
        default = told[1] if told else "none"
        if self.language == "zh":
            default = IN_CHINESE.get(default, default)
        variable = ENV_PREFIX + flag[2:].replace("-", "_").upper()
        self.rows.append(f"| `{flag} {value}` | {self.meanings[flag]} | {default} | `{variable}` |")


def command_help(name: str) -> str:
    """Return what `--help` prints for a command, as a block of text."""
    if name == "serve":
        with mock.patch.dict(os.environ, COLUMNS=str(COLUMNS)):
            text = help_text()
    else:
        environment = {"COLUMNS": str(COLUMNS)}
        words = name.replace("_", "-").split()  # a part has the name of the command's function
        text = CliRunner().invoke(app, [*words, "--help"], env=environment).output
    return f"```text\n{text.strip()}\n```\n"


if __name__ == "__main__":
    main()
