"""`emotion-llama bench` against a server whose delays are known."""

import asyncio
import base64
import json
import random
import selectors
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from devtools.paths import CHECKOUT
from emotion_llama.bench.clips import DEMO_CLIPS, Deck, Question, named
from emotion_llama.bench.figures import Bench, Distribution, Record
from emotion_llama.bench.load import OpenLoop
from emotion_llama_server.cli import app
from tests.unit.client.bench_server import FIRST, GAP, TOKENS, FakeServer

SLACK = 0.15
"""Seconds by which the quickest of several may be late on a machine under load."""
RECORD = Record(
    clip="x",
    question=0,
    start=0,
    end_to_end=1,
    ttft=None,
    gaps=[],
    output_tokens=None,
    error=None,
    message=None,
)


@pytest.fixture
def server(clean_environment: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    made = FakeServer()
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    folder = tmp_path / "clips"
    folder.mkdir()
    for name in ("a.mp4", "b.webm", "c.mp4"):
        (folder / name).write_bytes(name.encode() * 30)
    return folder


def run(*words: object) -> Result:
    return CliRunner().invoke(app, ["bench", *map(str, words)])


def measured(server: FakeServer, out: Path, *words: object) -> Bench:
    done = run("--server", server.url, "--out", out, *words)
    assert done.exit_code == 0, done.output
    return Bench.model_validate_json((out / "bench.json").read_bytes())


@pytest.mark.costly
def test_the_times_of_a_streamed_chat(server: FakeServer, tmp_path: Path) -> None:
    server.first, server.gap = FIRST, GAP
    found = measured(server, tmp_path, "--concurrency", "1,4", "--requests", 4)
    total = FIRST + GAP * (TOKENS - 1)
    for measurement, concurrency in zip(found.runs, (1, 4), strict=True):
        figures = measurement.figures
        assert measurement.concurrency == concurrency
        assert (figures.requests, figures.good, figures.errors) == (4, 4, {})
        assert figures.ttft
        assert figures.inter_token
        assert figures.time_per_output_token
        assert figures.end_to_end
        assert figures.ttft.p50 >= FIRST
        assert figures.inter_token.p50 > GAP / 2
        assert figures.time_per_output_token.p50 > GAP / 2
        assert total <= figures.end_to_end.p50 <= figures.end_to_end.p99
        assert figures.requests_per_second == pytest.approx(4 / figures.seconds)
        assert figures.requests_per_second < concurrency / total
        assert figures.output_tokens_per_second == pytest.approx(4 * TOKENS / figures.seconds)
        records = measurement.records
        assert min(record.ttft or 0 for record in records) < FIRST + SLACK
        assert min(record.end_to_end for record in records) < total + SLACK
        assert min(min(record.gaps) for record in records) < GAP + SLACK
        assert [len(record.gaps) for record in records] == [TOKENS - 1] * 4
    assert len(server.asked) == 2 * 4 + 1 + 4  # each run is warmed up, which does not count


@pytest.mark.costly
def test_what_a_chat_is_sent(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    """The clip itself, and with --max-tokens answers of one length."""
    words = ("--concurrency", 1, "--requests", 1, "--clips", clips, "--api-key", "secret")
    found = measured(server, tmp_path, *words, "--max-tokens", 7)
    measured(server, tmp_path, *words)
    bodies = server.bodies()
    content = bodies[0]["messages"][0]["content"]
    data = base64.b64encode(b"a.mp4" * 30).decode()
    assert content[0]["video_url"]["url"] == f"data:video/mp4;base64,{data}"
    assert bodies[0]["model"] == "demo"
    assert bodies[0]["stream_options"] == {"include_usage": True}
    assert [body.get("ignore_eos") for body in bodies] == [True, True, None, None]
    assert [body["max_tokens"] for body in bodies] == [7, 7, 256, 256]
    assert {key for _, key, _ in server.asked} == {"Bearer secret"}
    assert found.server.model_dump() == {
        "url": f"{server.url}",
        "version": "0.32.0",
        "model": "demo",
    }
    assert "secret" not in (tmp_path / "bench.json").read_text()


@pytest.mark.costly
def test_the_first_event_of_an_analysis(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    """By the server's own name of a clip, and as an upload."""
    server.first, server.gap = FIRST, GAP
    words = ("--route", "emotion", "--concurrency", 1, "--requests", 2)
    named_clip = measured(server, tmp_path, *words).runs[0]
    assert json.loads(server.asked[0][2])["video"] == "angry_voice.mp4"
    server.asked.clear()
    uploaded = measured(server, tmp_path, *words, "--clips", clips, "--max-tokens", 9).runs[0]
    assert b"a.mp4" * 30 in server.asked[0][2]
    assert b'"stream": true, "max_tokens": 9' in server.asked[0][2]
    for measurement in (named_clip, uploaded):
        assert measurement.figures.ttft
        assert measurement.figures.ttft.p50 >= FIRST
        assert max(r.end_to_end - (r.ttft or 0) for r in measurement.records) > GAP / 2
        assert measurement.figures.inter_token is None
        assert measurement.figures.output_tokens_per_second


@pytest.mark.parametrize("route", ["emotion", "predict"])
@pytest.mark.costly
def test_each_request_has_the_session_of_its_clip(
    server: FakeServer, clips: Path, tmp_path: Path, route: str
) -> None:
    words = ("--route", route, "--clips", clips, "--concurrency", 1, "--requests", 1)
    measured(server, tmp_path, *words)
    sessions = {sha256(clip.read_bytes()).hexdigest() for clip in clips.iterdir()}
    assert server.sessions
    assert server.sessions <= sessions


@pytest.mark.parametrize(
    ("route", "path"), [("predict", "/api/predict/"), ("process_video", "/process_video")]
)
@pytest.mark.costly
def test_routes_that_answer_at_once(
    server: FakeServer, clips: Path, tmp_path: Path, route: str, path: str
) -> None:
    words = ("--route", route, "--clips", clips, "--concurrency", 2, "--requests", 4)
    figures = measured(server, tmp_path, *words).runs[0].figures
    assert {asked for asked, _, _ in server.asked} == {path}
    assert base64.b64encode(b"a.mp4" * 30) in server.asked[0][2]
    assert figures.good == 4
    assert figures.end_to_end
    assert figures.ttft is figures.output_tokens_per_second is None


@pytest.mark.costly
def test_hidden_files_are_not_sent_but_counted(
    server: FakeServer, clips: Path, tmp_path: Path
) -> None:
    (clips / "._a.mp4").write_bytes(b"hidden" * 30)
    words = ("--concurrency", 1, "--requests", 2, "--clips", clips)
    done = run("--server", server.url, "--out", tmp_path, *words)
    assert done.exit_code == 0
    assert "1 hidden file or sidecar was skipped" in done.stderr
    assert not any(b"hidden" in body for _, _, body in server.asked)


@pytest.mark.costly
def test_errors_are_counted_by_kind(server: FakeServer, tmp_path: Path) -> None:
    server.failures = {
        "angry": "hangs up",  # the warm-up's
        "happy_face": 503,
        "happy_mixed": "hangs up",
        "neutral": '{"error": {"message": "died", "type": "x", "code": 500}}',
        "sad_face": "[1]",
    }
    done = run(
        *("--server", server.url, "--out", tmp_path, "--concurrency", 1, "--requests", 7),
    )
    assert done.exit_code == 0
    found = Bench.model_validate_json((tmp_path / "bench.json").read_bytes()).runs[0]
    kinds = {"503": 1, "RemoteProtocolError": 1, "500": 1, "InvalidAnswer": 1}
    assert found.figures.errors == kinds
    assert (found.figures.good, found.figures.requests) == (3, 7)
    assert [record.error is None for record in found.records] == [False] * 4 + [True] * 3
    assert "concurrency 1: 1 × 503: no room" in done.stderr
    assert "1 × 500: died" in done.stderr


def test_a_run_without_a_good_answer(server: FakeServer, tmp_path: Path) -> None:
    """The results are written all the same."""
    server.failures = {"person": 429}
    done = run(*("--server", server.url, "--out", tmp_path, "--concurrency", 2, "--requests", 4))
    assert done.exit_code == 1
    (found,) = Bench.model_validate_json((tmp_path / "bench.json").read_bytes()).runs
    assert found.figures.errors == {"429": 4}
    assert found.figures.end_to_end is None
    assert (tmp_path / "bench.png").exists()


class Skipping(asyncio.SelectorEventLoop):
    """A loop in whose time nobody waits: it goes on to what is due next."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(SkippingSelector(self))

    def time(self) -> float:
        return self._now

    def skip(self, seconds: float) -> None:
        self._now += seconds


class SkippingSelector(selectors.DefaultSelector):
    def __init__(self, loop: Skipping) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._loop.skip(timeout or 0)
        return super().select(0)


@pytest.mark.costly
def test_arrivals_are_a_poisson_process() -> None:
    """The same each time, and they do not wait for answers that take far longer."""
    rate, requests, starts = 20.0, 5000, []

    async def ask(question: Question) -> Record:
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(3600)
        return RECORD

    with asyncio.Runner(loop_factory=Skipping) as runner:
        found = runner.run(OpenLoop(rate).run(ask, Deck([named("x")]), requests, 1))
    draw = random.Random(0)
    meant = np.cumsum([0.0] + [draw.expovariate(rate) for _ in range(requests - 1)])
    assert starts == pytest.approx(meant, abs=1e-6)
    assert len(found) == requests
    gaps = np.diff(starts)
    assert gaps.mean() == pytest.approx(1 / rate, rel=0.05)
    assert gaps.std() == pytest.approx(1 / rate, rel=0.05)


@pytest.mark.costly
def test_an_open_loop(server: FakeServer, tmp_path: Path) -> None:
    server.first, rate, requests = 0.5, 40.0, 20
    found = measured(server, tmp_path, "--rate", rate, "--requests", requests).runs[0]
    assert (found.concurrency, found.rate, found.figures.good) == (None, rate, requests)
    assert found.figures.seconds < requests * server.first / 2  # many were there at once
    starts = [record.start for record in found.records]
    assert found.sent_per_second == pytest.approx((requests - 1) / (starts[-1] - starts[0]))


@pytest.mark.costly
def test_shares_of_cache_hits(server: FakeServer, tmp_path: Path) -> None:
    words = ("--concurrency", 1, "--requests", 2)
    found = measured(server, tmp_path, *words).runs[0]
    assert found.prefix_cache_hits == pytest.approx(0.6)
    assert found.mm_cache_hits == pytest.approx(0.75)
    server.mm_counters = False
    found = measured(server, tmp_path, *words).runs[0]
    assert (found.prefix_cache_hits, found.mm_cache_hits) == (pytest.approx(0.6), None)
    server.metrics_status = 401
    found = measured(server, tmp_path, *words).runs[0]
    assert found.prefix_cache_hits is found.mm_cache_hits is None
    assert "unknown" in run("--server", server.url, *words).stdout


@pytest.mark.costly
def test_clips_are_reused_only_as_told(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    """Two questions about each clip; the first one is the warm-up's, and there are three."""
    words = ("--clips", clips, "--questions-per-clip", 2, "--concurrency", 1)
    found = measured(server, tmp_path, *words, "--requests", 4).runs[0]
    asked = [(record.clip, record.question) for record in found.records]
    assert asked == [("b.webm", 0), ("b.webm", 1), ("c.mp4", 0), ("c.mp4", 1)]
    assert not found.clips_reused
    texts = [body["messages"][0]["content"][1]["text"] for body in server.bodies()[1:]]
    assert texts[0] != texts[1]
    assert texts[:2] == texts[2:]
    found = measured(server, tmp_path, *words, "--requests", 5).runs[0]
    assert found.records[-1].clip == "a.mp4"
    assert found.clips_reused


def test_later_runs_go_on_with_new_clips(server: FakeServer, clips: Path, tmp_path: Path) -> None:
    words = ("--clips", clips, "--concurrency", "1,1", "--requests", 1)
    runs = measured(server, tmp_path, *words).runs
    assert [measurement.records[0].clip for measurement in runs] == ["b.webm", "a.mp4"]
    assert [measurement.clips_reused for measurement in runs] == [False, True]


@pytest.mark.costly
def test_the_questions_of_a_clip_are_one_users(server: FakeServer, tmp_path: Path) -> None:
    """A follow-up is asked when its clip's answer before is there, whatever others do."""
    server.first = 0.05
    words = ("--questions-per-clip", 3, "--concurrency", 2, "--requests", 12)
    records = measured(server, tmp_path, *words).runs[0].records
    assert len({(record.clip, record.question) for record in records}) == 12
    for clip in {record.clip for record in records}:
        of_clip = sorted((r for r in records if r.clip == clip), key=lambda r: r.question)
        ends = [record.start + record.end_to_end for record in of_clip]
        assert all(end <= r.start for end, r in zip(ends, of_clip[1:], strict=False))


def test_questions_are_all_different() -> None:
    questions = Deck([named("x")]).next_clip(50)
    assert len({question.text for question in questions}) == 50


def test_the_demos_clips() -> None:
    assert sorted(DEMO_CLIPS) == sorted(f.name for f in (CHECKOUT / "demo/clips").glob("*.mp4"))


def test_percentiles_are_numpys() -> None:
    values = np.random.default_rng(0).exponential(size=101).tolist()
    found = Distribution.of(values)
    assert found
    assert [found.mean, found.p50, found.p90, found.p99] == pytest.approx(
        [np.mean(values), *np.percentile(values, [50, 90, 99])]
    )
    assert Distribution.of([2.0]) == Distribution(mean=2, p50=2, p90=2, p99=2)
    assert Distribution.of([]) is None


def test_the_table(server: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = run("--server", server.url, "--concurrency", "1,2", "--requests", 2).stdout
    assert shown.startswith(f"chat of demo, vLLM 0.32.0 at {server.url}")
    for words in ("concurrency", "2 of 2", "TTFT", "p99", "60%", "75%", "clips reused"):
        assert words in shown
    assert "requests/s sent" not in shown


@pytest.mark.costly
def test_without_matplotlib(
    server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--server", server.url, "--concurrency", 1, "--requests", 1, "--out", tmp_path)
    assert "bench.png" in run(*words).stdout
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "bench.png").unlink()
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    done = run(*words)
    assert done.exit_code == 0
    assert f"{sys.executable} -m pip install matplotlib" in done.stdout
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bench.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--route", "dance"], "--route"),
        (["--concurrency", "1,x"], "--concurrency"),
        (["--concurrency", "0"], "--concurrency"),
        (["--concurrency", "4", "--rate", "2"], "--rate"),
        (["--rate", "0"], "--rate"),
        (["--rate", "nan"], "--rate"),
        (["--requests", "8"], "16 at once"),
        (["--route", "predict", "--max-tokens", "4"], "--max-tokens"),
        (["--clips", "missing"], "missing"),
        (["--clips", "tests/unit/client"], "no clip"),
        (["--server", "ftp://localhost:7889"], "--server"),
        (["--out", "README.md"], "README.md"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    words: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(CHECKOUT)
    done = run("--server", "http://127.0.0.1:9", *words)
    assert done.exit_code == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_nobody_there() -> None:
    done = run("--server", "http://127.0.0.1:9")
    assert done.exit_code == 1
    assert "cannot be reached" in done.stderr.splitlines()[-1]


@pytest.mark.costly
def test_the_light_client_does() -> None:
    heavy = ("numpy", "matplotlib", "torch", "vllm")
    code = (
        f"import sys, emotion_llama.commands.bench; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
