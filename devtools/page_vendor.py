"""Copies into the page what it is served with: lit-html and the JavaScript client as it is built.

`make page-vendor` runs it after both were installed and built; `VENDORED.json` lists the copies.
"""

import hashlib
import json
import shutil
from pathlib import Path

from devtools.paths import CHECKOUT

SDK, PAGE = CHECKOUT / "clients/js", CHECKOUT / "clients/page"
VENDOR = PAGE / "vendor"
RECORD = VENDOR / "VENDORED.json"

_LIT, _OUR_SDK = "lit-html", "emotion-llama-sdk"
_MODULES = (
    *("async-directive", "directive", "directive-helpers", "lit-html"),
    *("directives/live", "directives/ref", "directives/repeat"),
)
"""The modules of lit-html that the page uses, with those that they use."""


def vendor() -> None:
    """Replace the copies and the record of them."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    source = PAGE / "node_modules" / _LIT
    for name in ("LICENSE", *(f"{module}{end}" for module in _MODULES for end in (".js", ".d.ts"))):
        target = VENDOR / _LIT / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, target)
    shutil.copytree(SDK / "dist", VENDOR / _OUR_SDK)
    RECORD.write_text(json.dumps(record(), indent=2) + "\n", encoding="utf-8")


def record() -> dict[str, dict[str, str]]:
    """Return the versions and the SHA-256 of the copies and of the client's sources."""
    locked = json.loads((PAGE / "package-lock.json").read_text(encoding="utf-8"))
    lit = locked["packages"][f"node_modules/{_LIT}"]["version"]
    sdk = json.loads((SDK / "package.json").read_text(encoding="utf-8"))["version"]
    return {
        _LIT: {"version": lit, "copy": _sha256(VENDOR / _LIT)},
        _OUR_SDK: {
            "version": sdk,
            "copy": _sha256(VENDOR / _OUR_SDK),
            "sources": _sha256(SDK / "src"),
        },
    }


def _sha256(folder: Path) -> str:
    """Return the hash of the names and contents of all files in a folder."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    vendor()
