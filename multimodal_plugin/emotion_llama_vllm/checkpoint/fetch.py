"""Downloads the inputs of a conversion: folders from Hugging Face, files from http(s) URLs."""

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path, PurePosixPath

import httpx2
from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

CACHE_VARIABLE = "EMOTION_LLAMA_CACHE"

_HUB_ID = re.compile(
    r"(?P<repo>\w[\w.-]{0,95}/\w[\w.-]{0,95})(@(?P<revision>\w[\w.+/-]{0,199}))?", re.ASCII
)
_STRONG_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')
"""Matches a strong ETag; If-Range needs one, as a weak ETag does not promise the same bytes."""
_REST = re.compile(r"bytes (?P<start>\d+)-(?P<last>\d+)/(?P<total>\d+)")
_SECONDS = 30
"""The timeout in seconds for a server that does not respond."""


class FetchError(Exception):
    """Reports an input that cannot be fetched, in one sentence with the cure."""


def local_folder(given: str, *, files: Sequence[str]) -> Path:
    """Return the folder that `given` names, downloaded if it is on Hugging Face.

    Args:
        given: an existing folder, which is returned as it is, or `owner/name` or
            `owner/name@revision` of a model repository.
        files: patterns of the files that are needed; no other files are downloaded.

    Raises:
        FetchError: `given` is neither an existing folder nor a repository that can be downloaded.
    """
    with suppress(OSError):  # the name is too long, or the folder is not readable
        if given and Path(given).is_dir():
            return Path(given)
        if Path(given).is_file():
            raise FetchError(f"{given} is a file: give the folder that it lies in.")
    match = _HUB_ID.fullmatch(given)
    if match is None:
        raise FetchError(
            f"{given!r} is neither a folder that exists nor a Hugging Face id: give the path of a "
            "folder, owner/name or owner/name@revision."
        )
    try:
        folder = Path(
            snapshot_download(match["repo"], revision=match["revision"], allow_patterns=[*files])
        )
    # The transfer library hf_xet raises RuntimeError for most of its errors.
    except (OSError, RuntimeError, HFValidationError, httpx2.HTTPError) as error:
        raise FetchError(_why_not_from_hub(match["repo"], match["revision"], error)) from error
    if not folder.is_dir():
        raise FetchError(f"{given} has none of the files {', '.join(files)}: check the id.")
    return folder


def local_file(given: str) -> Path:
    """Return the file that `given` names, downloaded once if it is a URL.

    Args:
        given: an existing file, which is returned as it is, or an http(s) URL.

    Raises:
        FetchError: there is no such file, or the download fails. The received bytes are kept, and
            the next call resumes the download if the server supports it.
    """
    with suppress(OSError):
        if Path(given).is_file():
            return Path(given)
    if given.partition("://")[0].lower() not in ("http", "https"):
        raise FetchError(f"There is no file {given!r}: give a file that exists or an http(s) URL.")
    cache = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "emotion-llama")
    try:
        target = cache / "downloads" / _place_in_cache(given)
        if not target.exists():
            _download(given, target)
    except (httpx2.HTTPError, httpx2.InvalidURL, UnicodeError) as error:
        raise FetchError(
            f"{given} cannot be fetched ({_reason(error)}): check the URL and the connection, and "
            "run this again."
        ) from error
    except OSError as error:
        raise FetchError(
            f"{given} cannot be stored ({_reason(error)}): make room in {cache}, or set "
            f"{CACHE_VARIABLE} to another folder."
        ) from error
    return target


def _place_in_cache(url: str) -> Path:
    """Return the file's path in the cache: its own name, in a folder for its URL alone."""
    name = re.sub(r"[^\w.-]", "_", PurePosixPath(httpx2.URL(url).path).name, flags=re.ASCII)
    return Path(hashlib.sha256(url.encode()).hexdigest()[:16], name[-200:].lstrip(".") or "file")


class _Partial:
    """Represents a partial download, with the ETag of the complete file beside it."""

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f"{target.name}.partial")
        self._etag_path = target.with_name(f"{target.name}.partial.etag")

    @property
    def etag(self) -> str | None:
        """Return the ETag of the partial file, or None if there is nothing to resume."""
        if not (self.path.exists() and self._etag_path.exists()):
            return None
        etag = self._etag_path.read_text(errors="replace")
        return etag if _STRONG_ETAG.fullmatch(etag) else None

    def range_headers(self) -> dict[str, str]:
        """Return the headers that request the missing rest, if the file has not changed."""
        if self.etag is None:
            return {}
        return {"Range": f"bytes={self.path.stat().st_size}-", "If-Range": self.etag}

    def is_continued_by(self, response: httpx2.Response) -> bool:
        """Return whether the response continues the partial file; False means start again."""
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return False
        if response.status_code != HTTPStatus.PARTIAL_CONTENT:
            return True  # a whole file or an error means the same without Range
        rest = _REST.fullmatch(response.headers.get("Content-Range", ""))
        return (
            rest is not None
            and int(rest["start"]) == self.path.stat().st_size
            and int(rest["last"]) + 1 == int(rest["total"])
            and response.headers.get("ETag", self.etag) == self.etag
        )

    def restart(self, etag: str) -> None:
        self.discard()
        self.path.touch()
        self._etag_path.write_text(etag)

    def discard(self) -> None:
        # The ETag is deleted first, because bytes without an ETag are never resumed.
        self._etag_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


def _download(url: str, target: Path) -> None:
    """Download `url`, resuming an earlier call; `target` appears when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = _Partial(target)
    range_headers = partial.range_headers()
    # With compression, the lengths would not be those of the file.
    headers = {"Accept-Encoding": "identity", **range_headers}
    with httpx2.stream(
        "GET", url, headers=headers, follow_redirects=True, timeout=_SECONDS
    ) as response:
        usable = not range_headers or partial.is_continued_by(response)
        if usable:
            try:
                _receive(response, partial, name=target.name)
                partial.path.replace(target)
            finally:
                if partial.etag is None:
                    partial.discard()
    if not usable:
        partial.discard()
        _download(url, target)


def _receive(response: httpx2.Response, partial: _Partial, *, name: str) -> None:
    """Append the response's body to `partial` and show a progress bar."""
    response.raise_for_status()
    kind = response.headers.get("Content-Type", "")
    expected = {HTTPStatus.OK} | ({HTTPStatus.PARTIAL_CONTENT} if partial.etag else set())
    if kind.startswith("text/html") or response.status_code not in expected:
        raise FetchError(
            f"{response.url} answers with a page instead of a file: download the file in a "
            "browser and give its path."
        )
    if response.status_code == HTTPStatus.OK:
        partial.restart(response.headers.get("ETag", ""))
    with partial.path.open("ab") as file, _progress() as progress:
        length = response.headers.get("Content-Length")
        total = file.tell() + int(length) if length else None
        task = progress.add_task(name, total=total, completed=file.tell())
        for piece in response.iter_raw():
            file.write(piece)
            progress.advance(task, len(piece))
        if total not in (None, file.tell()):
            raise FetchError(
                f"{response.url} ended after {file.tell()} of {total} bytes: run this again."
            )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )


def _why_not_from_hub(repo: str, revision: str | None, error: Exception) -> str:
    match error:
        case GatedRepoError():
            return (
                f"{repo} is gated: accept its licence on {constants.ENDPOINT}/{repo} and log in "
                "with `hf auth login`."
            )
        case RevisionNotFoundError():
            return f"{repo} has no revision {revision!r} on Hugging Face: check what follows the @."
        case RepositoryNotFoundError():
            return (
                f"{repo} is neither a folder that exists nor a repository that Hugging Face shows "
                "you: check the name, and log in with `hf auth login` if it is private."
            )
        case _:
            return (
                f"{repo} cannot be fetched from Hugging Face ({_reason(error)}): mend that and run "
                "this again, or give a folder that has the files."
            )


def _reason(error: BaseException) -> str:
    """Return the innermost cause in a few words, because its wrappers say less."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, httpx2.HTTPStatusError):
        return f"HTTP {error.response.status_code} {error.response.reason_phrase}".rstrip()
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
