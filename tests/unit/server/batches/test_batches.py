"""OpenAI's `/v1/batches`: every state, what each keeps, and for whom."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from emotion_llama.batch import Batch, BatchResult
from emotion_llama_server.files.expiry import tidy
from tests.support.apps.gate import Call, until
from tests.support.apps.stored import Batches, Kept, asking, kept, line, lines, over, running


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Kept]:
    with kept(tmp_path, keys="alice:a,bob:b") as made:
        async with running(made):
            yield made


@pytest.fixture
async def alice(house: Kept) -> AsyncIterator[Batches]:
    async with asking(house, "a") as batches:
        yield batches


async def test_each_line_is_answered_as_a_request_of_the_key_that_sent_the_batch(
    house: Kept, alice: Batches
) -> None:
    batch = await alice.create(lines(20), metadata={"run": "1"})
    assert batch["status"] == "validating"
    batch = await alice.reaches(batch["id"])
    assert Batch.model_validate(batch).status == "completed"
    assert batch["request_counts"] == {"total": 20, "completed": 20, "failed": 0}
    assert (batch["metadata"], batch["error_file_id"], batch["errors"]) == (
        {"run": "1"},
        None,
        None,
    )
    for moment in ("in_progress_at", "finalizing_at", "completed_at"):
        assert batch[moment] == house.clock.time
    results = await alice.results(batch["output_file_id"])
    assert sorted(results) == sorted(f"line-{number}" for number in range(20))
    one = BatchResult.model_validate(results["line-7"])
    assert one.response is not None
    assert one.response.body == {"said": 7}
    assert {key for key, _ in house.model.asked} == {"alice"}
    assert not house.left()


async def test_a_line_that_is_refused_is_in_the_error_file_and_the_batch_is_completed(
    house: Kept, alice: Batches
) -> None:
    house.model.statuses = {1: 400, 3: 404}
    batch = await alice.reaches((await alice.create(lines(5)))["id"])
    assert batch["status"] == "completed"
    assert batch["request_counts"] == {"total": 5, "completed": 3, "failed": 2}
    errors = await alice.results(batch["error_file_id"])
    assert {name: error["response"]["status_code"] for name, error in errors.items()} == {
        "line-1": 400,
        "line-3": 404,
    }
    assert len(house.model.asked) == 5


async def test_a_line_in_which_the_server_fails_is_tried_again_and_then_given_up(
    house: Kept, alice: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_llama_server.batches.lines._PAUSES", (0, 0, 0))
    house.model.statuses = {1: 500}
    batch = await alice.reaches((await alice.create(lines(2)))["id"])
    errors = await alice.results(batch["error_file_id"])
    assert errors["line-1"]["response"]["status_code"] == 500
    assert [body["question"] for _, body in house.model.asked].count(1) == 3


async def test_a_line_at_which_the_server_raises_costs_no_other(
    house: Kept, alice: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_llama_server.batches.lines._PAUSES", (0, 0, 0))
    house.model.statuses = {1: -1}  # no status: the route raises
    batch = await alice.reaches((await alice.create(lines(3)))["id"])
    assert batch["request_counts"] == {"total": 3, "completed": 2, "failed": 1}
    (error,) = (await alice.results(batch["error_file_id"])).values()
    assert error["response"]["status_code"] == 500
    assert error["response"]["body"]["error"]["code"] == "internal_error"


async def test_a_file_may_begin_with_the_mark_of_its_encoding(alice: Batches) -> None:
    data = b"\xef\xbb\xbf" + lines(2)
    batch = await alice.reaches((await alice.create(data))["id"])
    assert batch["request_counts"]["completed"] == 2


async def test_wrong_lines_fail_the_batch_before_any_line_is_asked(
    house: Kept, alice: Batches
) -> None:
    data = line("a") + b"{\n" + line("a") + line("b", url="/v1/chat/completions")
    batch = await alice.reaches((await alice.create(data))["id"])
    assert batch["status"] == "failed"
    assert batch["errors"]["object"] == "list"
    assert [(error["code"], error["line"]) for error in batch["errors"]["data"]] == [
        ("invalid_json_line", 2),
        ("duplicate_custom_id", 3),
        ("mismatched_url", 4),
    ]
    assert (batch["output_file_id"], batch["failed_at"]) == (None, house.clock.time)
    assert not house.model.asked


async def test_a_cancelled_batch_keeps_what_is_answered_and_names_the_rest(
    house: Kept, alice: Batches
) -> None:
    house.model.goes_on.clear()
    batch = await alice.create(lines(40))
    await until(lambda: house.model.running == 20)
    cancelled = await alice.cancel(batch["id"])
    assert (cancelled["status"], cancelled["cancelling_at"]) == ("cancelling", house.clock.time)
    assert (await alice.cancel(batch["id"]))["status"] == "cancelling"
    house.model.goes_on.set()
    batch = await alice.reaches(batch["id"])
    assert (batch["status"], batch["cancelled_at"]) == ("cancelled", house.clock.time)
    assert batch["request_counts"] == {"total": 40, "completed": 20, "failed": 0}
    done = await alice.results(batch["output_file_id"])
    rest = await alice.results(batch["error_file_id"])
    assert (len(done), len(rest)) == (20, 20)
    assert {error["error"]["code"] for error in rest.values()} == {"batch_cancelled"}
    assert not done.keys() & rest.keys()
    assert (await alice.cancel(batch["id"]))["status"] == "cancelled"


async def test_a_batch_is_cancelled_while_its_lines_are_checked(
    house: Kept, alice: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = house.storage.batches
    is_asked, goes_on = asyncio.Event(), asyncio.Event()

    async def models() -> list[str]:
        is_asked.set()
        await goes_on.wait()
        return []

    monkeypatch.setattr(runner, "models", models)
    batch = await alice.create(lines(3))
    await is_asked.wait()
    assert (await alice.cancel(batch["id"]))["status"] == "cancelling"
    goes_on.set()
    batch = await alice.reaches(batch["id"])
    assert (batch["status"], batch["request_counts"]["completed"]) == ("cancelled", 0)
    assert not house.model.asked


@pytest.mark.parametrize("status", ["completed", "failed"])
async def test_a_batch_that_is_over_cannot_be_cancelled(alice: Batches, status: str) -> None:
    data = lines(1) if status == "completed" else b"{"
    batch = await alice.reaches((await alice.create(data))["id"])
    answer = await alice.client.post(f"/v1/batches/{batch['id']}/cancel")
    assert answer.status_code == 400
    assert f"it is {status}" in answer.json()["error"]["message"]


async def test_an_expired_batch_keeps_what_is_answered_and_names_the_rest(
    house: Kept, alice: Batches
) -> None:
    house.model.goes_on.clear()
    batch = await alice.create(lines(24), completion_window="1h")
    assert batch["expires_at"] == house.clock.time + 3600
    await until(lambda: house.model.running == 20)
    house.clock.time += 3600
    house.storage.batches._ends[batch["id"]].set_result(None)  # as the timer does after an hour
    house.model.goes_on.set()
    batch = await alice.reaches(batch["id"])
    assert (batch["status"], batch["expired_at"]) == ("expired", house.clock.time)
    assert len(await alice.results(batch["output_file_id"])) == 20
    rest = await alice.results(batch["error_file_id"])
    assert {error["error"]["code"] for error in rest.values()} == {"batch_expired"}
    assert len(rest) == 4


async def test_another_key_neither_sees_nor_cancels_it(house: Kept, alice: Batches) -> None:
    batch = await alice.create(lines(1))
    async with asking(house, "b") as bob:
        for method, tail in (("GET", ""), ("POST", "/cancel")):
            answer = await bob.client.request(method, f"/v1/batches/{batch['id']}{tail}")
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "batch_not_found"
        assert (await bob.client.get("/v1/batches")).json()["data"] == []
        taken = {"input_file_id": batch["input_file_id"], "endpoint": "/v1/emotion"}
        answer = await bob.client.post("/v1/batches", json=taken | {"completion_window": "24h"})
        assert answer.status_code == 400
        assert answer.json()["error"]["param"] == "input_file_id"


async def test_pages_of_the_list_follow_one_another(alice: Batches) -> None:
    ids = [(await alice.create(lines(1)))["id"] for _ in range(3)]
    first = (await alice.client.get("/v1/batches?limit=2")).json()
    assert [batch["id"] for batch in first["data"]] == ids[:0:-1]
    assert first["has_more"]
    rest = (await alice.client.get(f"/v1/batches?limit=2&after={first['last_id']}")).json()
    assert [batch["id"] for batch in rest["data"]] == ids[:1]
    assert not rest["has_more"]
    for batch_id in ids:
        await alice.reaches(batch_id)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "169h"}, "completion_window"),
        ({"completion_window": "0h"}, "completion_window"),
        ({"input_file_id": "file-1"}, "input_file_id"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
        (
            {"output_expires_after": {"anchor": "now", "seconds": 3600}},
            "output_expires_after.anchor",
        ),
        ({"hurry": True}, "hurry"),
    ],
)
async def test_a_wrong_field_is_named(alice: Batches, fields: dict[str, Any], param: str) -> None:
    body = {"input_file_id": "x", "endpoint": "/v1/emotion", "completion_window": "24h"}
    answer = await alice.client.post("/v1/batches", json=body | fields)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param


async def test_a_clip_is_no_file_of_lines(alice: Batches) -> None:
    sent = await alice.client.post(
        "/v1/files", files={"file": ("a", b"x")}, data={"purpose": "vision"}
    )
    body = {"input_file_id": sent.json()["id"], "endpoint": "/v1/emotion"}
    answer = await alice.client.post("/v1/batches", json=body | {"completion_window": "24h"})
    assert answer.status_code == 400
    assert "purpose `vision`" in answer.json()["error"]["message"]


async def test_a_key_may_have_a_number_of_unfinished_batches(
    house: Kept, alice: Batches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_llama_server.batches.store._MOST_UNFINISHED", 1)
    house.model.goes_on.clear()
    batch = await alice.create(lines(1))
    body = {"input_file_id": batch["input_file_id"], "endpoint": "/v1/emotion"}
    answer = await alice.client.post("/v1/batches", json=body | {"completion_window": "24h"})
    assert answer.status_code == 429
    assert answer.headers["retry-after"]
    async with asking(house, "b") as bob:
        other = await bob.create(lines(1))
        house.model.goes_on.set()
        await bob.reaches(other["id"])
    await alice.reaches(batch["id"])
    await alice.reaches((await alice.create(lines(1)))["id"])


async def test_the_input_may_be_deleted_while_it_is_answered_and_leaves_the_disk_then(
    house: Kept, alice: Batches
) -> None:
    house.model.goes_on.clear()
    batch = await alice.create(lines(30))
    await until(lambda: house.model.running == 20)
    await alice.client.delete(f"/v1/files/{batch['input_file_id']}")
    assert len(house.contents()) == 1
    house.model.goes_on.set()
    batch = await alice.reaches(batch["id"])
    assert batch["request_counts"]["completed"] == 30
    await until(lambda: len(house.contents()) == 1)  # the results alone


async def test_the_results_expire_when_the_batch_says(house: Kept, alice: Batches) -> None:
    expiry = {"anchor": "created_at", "seconds": 7200}
    batch = await alice.reaches((await alice.create(lines(1), output_expires_after=expiry))["id"])
    file = (await alice.client.get(f"/v1/files/{batch['output_file_id']}")).json()
    assert (file["purpose"], file["expires_at"]) == ("batch_output", house.clock.time + 7200)
    assert file["filename"] == f"{batch['id']}_output.jsonl"


async def test_keys_share_the_places_in_turn(house: Kept, alice: Batches) -> None:
    house.model.goes_on.clear()
    batch = await alice.create(lines(60))
    await until(lambda: house.model.running == 20)
    async with asking(house, "b") as bob:
        other = await bob.create(lines(10))
        await bob.reaches(other["id"], "in_progress")
        house.model.goes_on.set()
        await bob.reaches(other["id"])
    await alice.reaches(batch["id"])
    last_of_bob = max(n for n, (key, _) in enumerate(house.model.asked) if key == "bob")
    assert last_of_bob < 60


async def test_the_lines_of_a_key_that_is_gone_are_refused(tmp_path: Path) -> None:
    with kept(tmp_path, keys="alice:a") as house:
        house.model.goes_on.clear()
        async with running(house), asking(house, "a") as alice:
            batch = await alice.create(lines(2))
            await until(lambda: house.model.running == 2)
    with kept(tmp_path, keys="bob:b") as house:
        async with running(house):
            found = await over(house, "alice", batch["id"])
    assert (found.status, found.request_counts.failed) == ("completed", 2)
    assert not house.model.asked


async def test_no_client_can_claim_to_be_a_line_of_a_batch(house: Kept) -> None:
    call = Call(house, "/v1/emotion", headers={"emotion_llama.line": "alice"})
    assert (await call.answer()).status == 401


async def test_lines_are_not_counted_by_the_rate_limit(tmp_path: Path) -> None:
    with kept(tmp_path, rate_limit="3/hour") as house:
        async with running(house), asking(house) as anybody:
            batch = await anybody.reaches((await anybody.create(lines(10)))["id"])
    assert batch["request_counts"]["completed"] == 10


async def test_a_batch_is_forgotten_with_the_files_of_its_time(house: Kept, alice: Batches) -> None:
    house.model.goes_on.clear()
    running_one = await alice.create(lines(1))
    old = await alice.create(b"{")
    await alice.reaches(old["id"])
    house.clock.time += 30 * 86_400
    new = await alice.create(b"{")
    await alice.reaches(new["id"])
    await tidy(house.store, house.storage.batches.store)
    page = (await alice.client.get("/v1/batches")).json()
    assert [batch["id"] for batch in page["data"]] == [new["id"], running_one["id"]]
    house.model.goes_on.set()
    await alice.reaches(running_one["id"])


async def test_the_log_names_each_line_by_its_result(
    house: Kept, alice: Batches, caplog: pytest.LogCaptureFixture
) -> None:
    batch = await alice.reaches((await alice.create(lines(1)))["id"])
    result = (await alice.results(batch["output_file_id"]))["line-0"]
    assert result["id"].startswith("batch_req_")
    assert result["response"]["request_id"] == result["id"]


def test_a_result_is_one_line_whatever_the_model_says() -> None:
    told = {"status_code": 200, "request_id": "r", "body": {"said": "a\nb\u2028c"}}
    result = {"id": "batch_req_" + "0" * 32, "custom_id": "x\n", "response": told, "error": None}
    text = BatchResult.model_validate(result).model_dump_json()
    assert "\n" not in text
    assert json.loads(text) == result
