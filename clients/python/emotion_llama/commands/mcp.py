"""Implements `emotion-llama mcp`, which gives the tools of a server to an agent on this machine."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from emotion_llama.commands.asking import Server
from emotion_llama.commands.failure import INTERRUPTED, CommandError, fail, note
from emotion_llama.commands.flags import Address, ApiKey
from emotion_llama.connection import DEFAULT_URL


def mcp(
    server: Address = DEFAULT_URL,
    api_key: ApiKey = None,
    media_root: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="DIR",
            help="folder of this machine whose clips may be uploaded; repeat it for several",
        ),
    ] = None,
) -> None:
    """Give an agent on this machine tools about clips (MCP)."""
    try:
        client = Server.of(server, api_key).connect()
        roots = [_root(folder) for folder in media_root or ()]
        try:
            from emotion_llama.agents import remote
        except ModuleNotFoundError as error:
            raise CommandError(
                f"{error.name} is not installed: "
                f"`{sys.executable} -m pip install 'mcp>=2.3,<3'` adds it."
            ) from error
    except CommandError as error:
        fail("mcp", error)
    if sys.stdin.isatty():
        note("mcp", "Waiting for an agent on standard input; Ctrl-C ends this.")
    try:
        asyncio.run(remote.serve(client, roots))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _root(folder: Path) -> Path:
    """Return a folder's absolute path without links.

    Raises:
        CommandError: there is no such folder.
    """
    if not folder.expanduser().is_dir():
        raise CommandError(f"--media-root: there is no folder {folder}.")
    return folder.expanduser().resolve()
