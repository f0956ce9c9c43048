"""Names of clips that nobody should be able to read, and routes that nobody should reach."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random
from urllib.parse import quote

import requests
from hypothesis import strategies as st

from tests.fuzz.drawing import draw
from tests.fuzz.target import Shot, Target, chat, post_json

_ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
"""Every code point, lone surrogates and control characters included."""

_SCHEMES = st.sampled_from(
    (
        *("http", "https", "HTTP", "httpſ", "ftp", "file", "FILE", "data", "javascript", "rtsp"),
        *("concat", "pipe", "subfile", "tcp", "unix", "gopher", "s3", "blob", "http+unix", ""),
    )
)
_SEPARATORS = st.sampled_from(("://", ":", ":/", ":///", "://///", r":\\", ":/\t/", "%3a//", "//"))
_USERS = st.sampled_from(
    ("", "", "", "user@", "user:password@", "@", "127.0.0.1@", "a%40b@", "\\@", "x:y:z@@")
)
_HOSTS = st.sampled_from(
    (
        *("127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1.", "0", "0.0"),
        *("169.254.169.254", "169。254。169。254", "①⑥⑨.254.169.254", "metadata.google.internal"),
        *("localhost", "LOCALHOST.", "localhost%00.example.com", "local\u00adhost", "ⓛocalhost"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "[::1", "::1", "[v1.x]"),
        *("[64:ff9b::7f00:1]", "[1:2:3:4:5:6:7:8:9]", "[]", "[::1]x"),
        *("example.com", "exämple.com", "xn--exmple-cua.com", "xn--", "xn--\udcff", "ß.com", "☃.x"),
        *("a..b", ".a", "-a-", "a_b", "a b", "a\tb", "a\nb", "a\0b", "a%2eb", "a/b", "a\\b", "a|b"),
        *("a" * 64 + ".com", ".".join(["a"] * 130), "a" * 254, "１２７.0.0.1", "127.0.0.1\u200d"),
        *("", "example.com#@127.0.0.1", "example.com?@127.0.0.1", "*", "*.com", "١٢٧.٠.٠.١"),
    )
) | _ANY_TEXT  # fmt: skip
_PORTS = st.sampled_from(
    ("", "", "", ":", ":80", ":443", ":0", ":65536", ":99999999999", ":-1", ":８０", ":8a", ": 80")
)
_SEGMENTS = (
    st.sampled_from(
        (
            *("..", ".", "", "~", "...", "%2e%2e", "..%2f", "..\\", "..;", "‥", "\0", "a\0b", "*"),
            *("etc", "passwd", "proc", "self", "fd", "0", "mem", "environ", "cwd", "root", "dev"),
            *("folder.mp4", "loop", "outside", "pipe", "large.mp4", "good.mp4", "GOOD.MP4", "a b"),
            *("good.mp4/", "a" * 256, "a" * 5000, "\n", "\r\n", "\x7f", "\u202e", "🎬" * 64, "-"),
        )
    )
    | _ANY_TEXT
)
_STARTS = st.sampled_from(
    ("", "", "", "/", "//", "../" * 30, "./", "~/", "\\\\host\\", "C:\\", "/proc/self/", "/dev/")
)
_PATHS = st.builds(
    lambda start, segments: start + "/".join(segments),
    _STARTS,
    st.lists(_SEGMENTS, min_size=1, max_size=6),
)
_URLS = st.builds(
    lambda *pieces: "".join(pieces),
    *(_SCHEMES, _SEPARATORS, _USERS, _HOSTS, _PORTS),
    st.sampled_from(("", "/", "?", "#", "/?#")) | _PATHS.map("/{}".format),
)
_FILE_URLS = st.builds(
    lambda start, path: start + path,
    st.sampled_from(
        ("file:", "file:/", "file://", "file:///", "file://host/", "FILE://localhost/")
    ),
    _PATHS | _PATHS.map(lambda path: quote(path, errors="surrogatepass")),
)
_DATA_URLS = st.builds(
    lambda *pieces: "".join(pieces),
    st.sampled_from(("data:", "DATA:", "data:,", "data://")),
    st.sampled_from(("", "video/mp4", "video/jpeg", "image/png", "*/*", "video/mp4;x=y", ";;")),
    st.sampled_from((";base64,", ";BASE64,", ",", ";base64", "; base64 ,", ";charset=utf-8,")),
    _ANY_TEXT | st.text("ABCabc019+/=-_ \n,", max_size=60) | st.sampled_from(("UklGRg==", "AAAA")),
)
NAMES = st.one_of(_URLS, _URLS, _PATHS, _PATHS, _FILE_URLS, _DATA_URLS, _ANY_TEXT)
"""What a request may name as its clip."""

_METHODS = st.sampled_from(("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "QUERY"))
_ROUTES = st.builds(
    lambda *pieces: "".join(pieces),
    st.sampled_from(
        (
            *("/", "//", "/v1/", "/v1/emotion", "/v1/chat/completions", "/v1/models", "/health"),
            *("/api/predict", "/process_video", "/docs", "/metrics", "/tokenize", "/v1/responses"),
        )
    ),
    st.sampled_from(("", "/", "?", "?x=1&x=2", "/.", "/..", "//", "%00", "%2f", ";x", "%ff", "#x"))
    | _ANY_TEXT.map(lambda text: quote(text, errors="surrogatepass")),
)


def lay_out(root: Path) -> None:
    """Put into a media root what names can lead to: links, a pipe, a folder, a large file."""
    (root / "folder.mp4").mkdir(exist_ok=True)
    for name, to in {"loop": "loop", "outside": "/etc/passwd"}.items():
        with suppress(FileExistsError):
            (root / name).symlink_to(to)
    with suppress(FileExistsError):
        os.mkfifo(root / "pipe")
    with (root / "large.mp4").open("wb") as file:
        file.truncate(1 << 40)


def place_shots(target: Target, seed: int, count: int) -> Iterator[Shot]:
    """Names as clips on every route, and about one in ten requests to strange routes."""
    names = draw(NAMES, count - count // 10, seed)
    for index, name in enumerate(names):
        kind, request = _naming(target, name, Random(f"name/{seed}/{index}"))
        yield Shot(f"name, {kind}", f"name {index} of seed {seed}: {name!r:.200}", request)
    for index, (method, route) in enumerate(draw(st.tuples(_METHODS, _ROUTES), count // 10, seed)):
        origin = f"route {index} of seed {seed}: {method} {route!r:.200}"
        yield Shot("route", origin, _asking(target, method, route))


def _naming(target: Target, name: str, random: Random) -> tuple[str, requests.PreparedRequest]:
    bodies = {
        "/v1/emotion": {"video": name, "task": "emotion", "max_tokens": 1},
        "/v1/chat/completions": chat(target.model, name),
        "/api/predict/": {"data": [name, "[emotion]"]},
        "/process_video": {"video_path": name, "question": "[emotion]"},
    }
    route = random.choice(list(bodies))
    return route, post_json(target.url + route, bodies[route])


def _asking(target: Target, method: str, route: str) -> requests.PreparedRequest:
    """The route as it is written: `requests` would tidy it up."""
    request = requests.Request(method, target.url).prepare()
    request.url = target.url + route
    return request
