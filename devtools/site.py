"""Builds the documents as a site that needs no network: `make docs`.

    python -m devtools.site [--out build/site]

Each language is a site of its own, in `en` and `zh`; a warning is an error.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from devtools.paths import CHECKOUT

LANGUAGES = {"en": "English", "zh": "中文"}
_LINE = '<p><a lang="{0}" href="{0}/docs/{0}/index.html">{1}</a></p>\n'
_FIRST_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url=en/docs/en/index.html">
<title>Emotion-LLaMA Server</title>
{}</html>
"""


def main() -> None:
    """Build the site, and say where it is."""
    parser = argparse.ArgumentParser(description="Build the documents as a site.")
    parser.add_argument("--out", type=Path, default=CHECKOUT / "build" / "site")
    out = parser.parse_args().out
    build(out)
    print(f"Open {out / 'index.html'} in a browser.")


def build(out: Path) -> None:
    """Build the sites of all languages, and a first page that leads to them.

    Raises:
        CalledProcessError: Sphinx warned of something; it has said of what.
    """
    for language in LANGUAGES:
        build_language(language, out / language)
    lines = "".join(_LINE.format(*pair) for pair in LANGUAGES.items())
    (out / "index.html").write_text(_FIRST_PAGE.format(lines), encoding="utf-8")


def build_language(language: str, out: Path) -> None:
    """Build the site of one language."""
    strict = ("--quiet", "--fail-on-warning", "--keep-going")
    places = ("-c", "docs/site", "-d", f"{out.resolve()}.doctrees", ".", str(out.resolve()))
    command = (sys.executable, "-m", "sphinx", *strict, "-b", "html", "-t", language, *places)
    subprocess.run(command, cwd=CHECKOUT, check=True)


if __name__ == "__main__":
    main()
