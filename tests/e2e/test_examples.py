"""Each example runs as its head says, and tells what it promises."""

import csv
import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Route, expect

from devtools.paths import CHECKOUT
from devtools.server import Server
from tests.support.documents import asking, fresh_environment
from tests.support.page.browser import chromium

EXAMPLES = CHECKOUT / "examples"
TESTED = {
    *(
        "with_requests.py",
        "openai_sdk.py",
        "batch.py",
        "ask.sh",
        "node.mjs",
        "page",
        "folder.ipynb",
    ),
    "annotate_with_ray.py",  # tests/offline/test_annotate_with_ray.py
}


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        timeout=120,
        cwd=folder,
        env=fresh_environment() | {"MPLBACKEND": "agg"},
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(name: str, server: Server, folder: Path) -> str:
    """Write an example that asks this server into a folder; return its name."""
    code = (EXAMPLES / name).read_text(encoding="utf-8")
    (folder / name).write_text(asking(code, server), encoding="utf-8")
    return name


def python(name: str, server: Server, folder: Path, *words: str) -> str:
    return run([".venv/bin/python", written(name, server, folder), *words], folder)


def test_each_example_has_a_test_and_a_row_in_the_list() -> None:
    there = {path.name for path in EXAMPLES.iterdir() if path.suffix not in (".md", ".pyc")}
    assert there - {"__pycache__"} == TESTED
    for page in ("README.md", "README.zh.md"):
        told = (EXAMPLES / page).read_text(encoding="utf-8")
        assert all(f"]({name})" in told for name in TESTED)


def test_requests_alone_tell_shares_words_and_windows(server: Server, folder: Path) -> None:
    told = python("with_requests.py", server, folder).splitlines()
    assert told[0].startswith("happy ")
    assert "0.0 s to   1.0 s: happy" in told[7]
    assert told[-1].startswith("A demonstration")


def test_a_refusal_is_told_in_its_own_words(server: Server, folder: Path) -> None:
    name = written("with_requests.py", server, folder)
    done = subprocess.run(
        [".venv/bin/python", name, "ARCHITECTURE.md"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("invalid_request: ")


def test_openais_sdk_holds_a_conversation(server: Server, folder: Path) -> None:
    told = python("openai_sdk.py", server, folder).splitlines()
    assert [line for line in told if line.startswith("> ")] == [told[0], told[2]]
    assert "happy" in told[1]
    assert told[3]


def test_a_folder_becomes_a_table(server: Server, folder: Path) -> None:
    told = python("batch.py", server, folder, "demo/clips", "table.csv")
    assert told == "Wrote 8 rows into table.csv.\n"
    rows = list(csv.DictReader((folder / "table.csv").open(encoding="utf-8")))
    found = {Path(row["clip"]).stem: row["emotion"] for row in rows}
    assert found["happy_face"] == "happy"
    assert found["angry_voice"] == "angry"
    assert len(found) == 8
    assert all(row["confidence"] and not row["error"] for row in rows)


def test_curl_asks_each_route(server: Server, folder: Path) -> None:
    told = run(["bash", written("ask.sh", server, folder)], folder)
    assert '"emotion":"happy"' in told
    assert "WEBVTT" in told
    assert "event: done" in told
    assert '{"data":["happy"]' in told


def test_node_asks_by_the_client(server: Server, sdk: Path) -> None:
    checkout = sdk.parent.parent
    (checkout / "ask").mkdir(
        exist_ok=True
    )  # as deep as the folder of the examples, which is a link there
    told = run(["node", f"ask/{written('node.mjs', server, checkout / 'ask')}"], checkout)
    assert "windows\n" in told
    assert "happy_face.mp4 happy 0." in told
    assert "sad_face.mp4 sad 0." in told


def test_the_notebook_analyses_a_folder_and_plots_it(server: Server, folder: Path) -> None:
    """Its cells run one after the other, as a notebook's kernel runs them."""
    notebook = json.loads((EXAMPLES / "folder.ipynb").read_text(encoding="utf-8"))
    assert all(not cell.get("outputs") for cell in notebook["cells"])
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    (folder / "cells.py").write_text(asking("\n".join(cells), server), encoding="utf-8")
    told = run([".venv/bin/python", "cells.py"], folder)
    assert told.startswith("8 of 8 clips\n")
    for picture in ("shares.png", "timeline.png"):
        colours = Image.open(folder / picture).convert("RGB").getcolors(2**20)
        assert colours is not None
        assert len(colours) > 100


def test_a_page_of_ones_own_shows_the_answer(server: Server, sdk: Path) -> None:
    """The browser gets the files as if the server had them, so that no other origin asks it."""
    checkout = sdk.parent.parent
    place = checkout / "ask" / "page"
    place.mkdir(parents=True)
    for name in ("index.html", "ask.js"):
        code = (EXAMPLES / "page" / name).read_text(encoding="utf-8")
        (place / name).write_text(asking(code, server), encoding="utf-8")

    def hand_out(route: Route) -> None:
        route.fulfill(path=checkout / urlsplit(route.request.url).path[1:])

    with chromium() as browser:
        page = browser.new_page(base_url=server.url)
        page.route("/ask/**", hand_out)
        page.route("/clients/**", hand_out)
        page.goto("/ask/page/index.html")
        page.set_input_files("[name=clip]", CHECKOUT / "demo/clips/happy_face.mp4")
        page.click("button")
        expect(page.get_by_role("status")).to_contain_text("demonstration", timeout=30_000)
        expect(page.locator("tr").first).to_contain_text("happy")
        expect(page.locator("#explanation")).to_contain_text("happy")
