"""OpenAI's `/v1/files`: what is kept, for whom, how much and how long."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emotion_llama_server.files import routes
from emotion_llama_server.files.objects import Incoming
from tests.support.apps.stored import Kept, kept, upload

FILE = {"file": ("a.mp4", b"clip")}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Kept]:
    with kept(tmp_path / "data", keys="alice:a,bob:b") as running:
        yield running


def _error(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return answer.json()["error"]


def test_a_file_comes_back_as_it_was_sent(house: Kept) -> None:
    alice, data = house.client("a"), bytes(range(256)) * 9000  # more than one piece
    sent = upload(alice, data, "user_data")
    assert sent["object"] == "file"
    assert (sent["filename"], sent["bytes"], sent["status"]) == ("a.mp4", len(data), "processed")
    assert alice.get(f"/v1/files/{sent['id']}").json() == sent
    content = alice.get(f"/v1/files/{sent['id']}/content")
    assert content.content == data
    assert content.headers["content-disposition"].startswith("attachment;")
    assert house.contents() == [hashlib.sha256(data).hexdigest()]
    assert not house.left()


def test_another_key_neither_sees_nor_deletes_it(house: Kept) -> None:
    sent, bob = upload(house.client("a")), house.client("b")
    place = f"/v1/files/{sent['id']}"
    for answer in (bob.get(place), bob.get(f"{place}/content"), bob.delete(place)):
        assert _error(answer, 404)["code"] == "file_not_found"
    assert _error(bob.get(f"/v1/files?after={sent['id']}"), 404)["code"] == "file_not_found"
    assert bob.get("/v1/files").json()["data"] == []
    assert house.client("a").get(place).status_code == 200
    assert house.client().get(place).status_code == 401


def test_equal_bytes_exist_once_and_until_the_last_owner_deletes_them(house: Kept) -> None:
    alice, bob = house.client("a"), house.client("b")
    first, second = upload(alice), upload(bob)
    assert len(house.contents()) == 1
    deleted = alice.delete(f"/v1/files/{first['id']}")
    assert deleted.json() == {"id": first["id"], "object": "file", "deleted": True}
    assert bob.get(f"/v1/files/{second['id']}/content").content == b"clip"
    bob.delete(f"/v1/files/{second['id']}")
    assert not house.contents()
    assert _error(bob.get(f"/v1/files/{second['id']}"), 404)["code"] == "file_not_found"


def test_pages_of_the_list_follow_one_another_in_both_orders(house: Kept) -> None:
    alice = house.client("a")
    ids = [upload(alice, b"%d" % n)["id"] for n in range(5)]
    for order, expected in (("asc", ids), ("desc", ids[::-1])):
        seen: list[str] = []
        after: dict[str, str] = {}
        while True:
            page = alice.get("/v1/files", params={"limit": 2, "order": order} | after).json()
            seen += [file["id"] for file in page["data"]]
            assert page["last_id"] == seen[-1]
            if not page["has_more"]:
                break
            after = {"after": page["last_id"]}
        assert seen == expected
    assert alice.get("/v1/files?purpose=batch").json()["data"] == []


def test_a_file_is_refused_and_then_deleted_when_its_time_has_come(house: Kept) -> None:
    alice = house.client("a")
    fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "3600"}
    sent = upload(alice, b"clip", "vision", **fields)
    assert sent["expires_at"] == house.clock.time + 3600
    house.clock.time += 3600
    assert _error(alice.get(f"/v1/files/{sent['id']}"), 404)["code"] == "file_not_found"
    assert alice.get("/v1/files").json()["data"] == []


async def test_expired_files_leave_the_disk(house: Kept) -> None:
    alice = house.client("a")
    upload(alice)
    house.clock.time += 30 * 86_400
    later = upload(alice, b"later")
    assert await house.store.delete_expired() == 1
    assert house.contents() == [hashlib.sha256(b"later").hexdigest()]
    assert alice.get("/v1/files").json()["data"] == [later]


def test_no_file_outlives_the_operators_days(tmp_path: Path) -> None:
    with kept(tmp_path, keep_days=1) as house:
        fields = {"expires_after[anchor]": "created_at", "expires_after[seconds]": "2592000"}
        sent = upload(house.client(), b"clip", "vision", **fields)
        assert sent["expires_at"] == house.clock.time + 86_400


def test_a_key_that_keeps_too_much_is_refused_and_the_others_are_not(tmp_path: Path) -> None:
    with kept(tmp_path, keys="alice:a,bob:b", max_stored_gb=1000 / 2**30) as house:
        alice, body = house.client("a"), {"file": ("a.mp4", b"x" * 400)}
        sent = upload(alice, b"y" * 600)
        error = _error(alice.post("/v1/files", files=body, data={"purpose": "vision"}), 413)
        assert error["code"] == "quota_exceeded"
        assert "DELETE /v1/files/" in error["message"]
        upload(house.client("b"), b"x" * 600)
        alice.delete(f"/v1/files/{sent['id']}")
        upload(alice, b"x" * 600)
        assert not house.left()


@pytest.mark.parametrize(
    ("form", "param"),
    [
        ({"files": FILE, "data": {}}, "purpose"),
        ({"files": FILE, "data": {"purpose": "batch_output"}}, "purpose"),
        ({"files": FILE, "data": {"purpose": "vision", "mode": "x"}}, "mode"),
        ({"files": FILE, "data": {"purpose": "vision", "x": "y" * 2000}}, "x"),
        (
            {"files": FILE, "data": {"purpose": "vision", "expires_after[seconds]": "3600"}},
            "expires_after.anchor",
        ),
        ({"files": {"clip": ("a", b"x")}, "data": {"purpose": "vision"}}, "file"),
        ({"files": [("file", ("a", b"x"))] * 2, "data": {"purpose": "vision"}}, "file"),
        ({"files": {"file": ("a", b"")}, "data": {"purpose": "vision"}}, "file"),
    ],
)
def test_a_wrong_form_is_refused_and_leaves_nothing(
    house: Kept, form: dict[str, Any], param: str
) -> None:
    error = _error(house.client("a").post("/v1/files", **form), 400)
    assert error["param"] == param
    assert not house.left()
    assert not house.contents()


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"", 415),
        ("multipart/form-data; boundary=x", b"--y\r\n", 400),
        ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="f', 400),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nclip',
            400,
        ),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x", 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(
    house: Kept, content_type: str, body: bytes, status: int
) -> None:
    answer = house.client("a").post(
        "/v1/files", content=body, headers={"Content-Type": content_type}
    )
    _error(answer, status)
    assert not house.left()


def test_the_lines_of_a_batch_have_their_own_limit(
    house: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "BATCH_BYTES", 10)
    body = {"file": ("a", b"x" * 11)}
    error = _error(house.client("a").post("/v1/files", files=body, data={"purpose": "batch"}), 413)
    assert error["code"] == "too_large"
    assert not house.left()


@pytest.mark.parametrize("call", ["tempfile.mkstemp", "os.fdatasync", "os.link"])
def test_a_full_disk_is_told_at_each_write_and_leaves_nothing(
    house: Kept, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(call, fail)
    error = _error(house.client("a").post("/v1/files", files=FILE, data={"purpose": "vision"}), 507)
    assert error["code"] == "insufficient_storage"
    monkeypatch.undo()
    assert not house.left()
    assert not house.contents()
    upload(house.client("a"))


def test_a_name_is_only_told_and_never_a_path(house: Kept) -> None:
    name = "../../etc/passwd\"\r\nX: y'é.mp4"
    answer = house.client("a").post(
        "/v1/files", files={"file": (name, b"x")}, data={"purpose": "vision"}
    )
    sent = answer.json()
    content = house.client("a").get(f"/v1/files/{sent['id']}/content")
    disposition = content.headers["content-disposition"]
    assert "x" not in content.headers
    assert "/" not in disposition.removeprefix("attachment; filename*=UTF-8''")
    everything = {path.name for path in house.store.folder.path.rglob("*")}
    assert not any("passwd" in name for name in everything)


@pytest.mark.parametrize("name", ["../state.sqlite3", "file-" + "0" * 32, "lock", "x" * 9000])
def test_nothing_is_readable_by_a_path(house: Kept, name: str) -> None:
    for tail in ("", "/content"):
        answer = house.client("a").get(f"/v1/files/{name}{tail}")
        assert answer.status_code == 404


async def test_a_start_deletes_contents_that_no_file_names(house: Kept) -> None:
    upload(house.client("a"))
    incoming = Incoming(house.store.folder.uploads)
    incoming.write(b"left by a server that was killed between two writes")
    house.store.objects.add(incoming.path, incoming.finish())
    incoming.discard()
    assert len(house.contents()) == 2
    await house.store.drop_unused()
    assert house.contents() == [hashlib.sha256(b"clip").hexdigest()]
