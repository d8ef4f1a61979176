import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import respx

from settlekit import (
    AsyncClient,
    Client,
    DecodeError,
    InvalidArgument,
    NotFound,
    TransportError,
)
from settlekit._csv import USAGE_ROWS, RowReader
from settlekit._saving import PartialFile
from settlekit.testing import without_backoff
from tests.settlekit import wire
from tests.settlekit.test_csv import body, cells

BASE = "http://localhost:8787/v1"
BATCH = f"{BASE}/sdrp/metered/provider/settlement-batches/msb_1"
FILE = body([cells(number) for number in range(500)])


class Cut(httpx.SyncByteStream):
    """A body whose connection breaks after some bytes."""

    def __init__(self, sent: bytes, fault: Exception | None) -> None:
        self.sent = sent
        self.fault = fault

    def __iter__(self) -> Iterator[bytes]:
        yield self.sent
        if self.fault is not None:
            raise self.fault


def digest_of(content: bytes) -> str:
    reader = RowReader(USAGE_ROWS)
    reader.records(content)
    return reader.digest


@pytest.fixture
def server() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router, without_backoff():
        yield router


@pytest.fixture
def client() -> Client:
    return Client(token="t", base_url=BASE)


def unframed(server: respx.MockRouter, content: bytes, digest: str | None) -> None:
    """Serve a file whose end the transport can't see, and the batch that it is of."""
    response = httpx.Response(
        200, stream=Cut(content, None), extensions={"http_version": b"HTTP/1.1"}
    )
    server.get(f"{BATCH}/usage-events.csv").mock(return_value=response)
    batch = wire.settlement_batch(usage_event_digest=digest)
    server.get(BATCH).respond(content=wire.enveloped(batch))


def test_rows_stream_typed(client: Client, server: respx.MockRouter) -> None:
    """All rows in order, then a digest that anyone can compare."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    with client.provider_statements.usage_csv("msb_1") as rows:
        numbers = [row.metered_usage_id for row in rows]
        assert rows.digest() == digest_of(FILE)
        assert rows.row_count == 500
        assert rows.response is not None
        assert rows.response.status == 200
    assert numbers == [f"mu_{number:012d}" for number in range(500)]
    assert server.calls.last.request.headers["accept"] == "text/csv"


def test_rows_say_how_far_they_are(client: Client, server: respx.MockRouter) -> None:
    """Their repr names the batch and counts, whatever their state."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    rows = client.provider_statements.usage_csv("msb_1")
    path = "/sdrp/metered/provider/settlement-batches/msb_1/usage-events.csv"
    assert repr(rows) == f"<UsageRows of {path}: 0 read, not open>"
    with rows:
        next(iter(rows))
        assert repr(rows).endswith(" read, open>")
        list(rows)
    assert repr(rows) == f"<UsageRows of {path}: 500 read, finished>"


def test_a_loop_may_stop_and_go_on(client: Client, server: respx.MockRouter) -> None:
    """A second loop starts where the first one left, and no row comes twice."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    with client.provider_statements.usage_csv("msb_1") as rows:
        first = next(iter(rows))
        others = list(rows)
    assert first.metered_usage_id == "mu_000000000000"
    assert [row.metered_usage_id for row in others][:2] == ["mu_000000000001", "mu_000000000002"]
    assert len(others) == 499


def test_a_digest_reads_what_is_left(client: Client, server: respx.MockRouter) -> None:
    """Asked for early, or without a block, it covers the whole file."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    with client.provider_statements.usage_csv("msb_1") as rows:
        next(iter(rows))
        assert rows.digest() == digest_of(FILE)
    assert client.provider_statements.usage_csv("msb_1").digest() == digest_of(FILE)


def test_rows_need_a_block(client: Client) -> None:
    """Outside of one nothing would close the connection."""
    rows = client.provider_statements.usage_csv("msb_1")
    with pytest.raises(RuntimeError, match="with block"):
        next(iter(rows))


def test_saving_writes_the_file_as_it_came(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """Byte for byte, over what was there, and nothing else in the folder."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    path = tmp_path / "usage.csv"
    path.write_text("older")
    client.provider_statements.usage_csv("msb_1").save(path)
    assert path.read_bytes() == FILE
    assert list(tmp_path.iterdir()) == [path]


def test_saving_works_inside_a_block(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """The open stream is what is saved, if no row was taken from it."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    with client.provider_statements.usage_csv("msb_1") as rows:
        rows.save(tmp_path / "usage.csv")
        with pytest.raises(RuntimeError, match="from its start"):
            rows.save(tmp_path / "again.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["usage.csv"]
    assert server.calls.call_count == 1


@pytest.mark.parametrize("keep", [0, 1, 1000, len(FILE) - 1])
@pytest.mark.parametrize("fault", [httpx.ReadError("cut"), None], ids=["broken", "ended"])
def test_a_cut_body_leaves_no_file(
    client: Client, server: respx.MockRouter, tmp_path: Path, keep: int, fault: Exception | None
) -> None:
    """Whole or not at all: the older file stays, and no part of the new one."""
    server.get(f"{BATCH}/usage-events.csv").mock(
        return_value=httpx.Response(200, stream=Cut(FILE[:keep], fault))
    )
    path = tmp_path / "usage.csv"
    path.write_text("older")
    with pytest.raises((TransportError, DecodeError)):
        client.provider_statements.usage_csv("msb_1").save(path)
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_body_cut_between_rows_is_found_by_its_digest(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """Where the transport can't see the end, the rows must have the batch's digest."""
    unframed(server, body([cells(number) for number in range(499)]), digest_of(FILE))
    with pytest.raises(DecodeError, match="digest"):
        client.provider_statements.usage_csv("msb_1").save(tmp_path / "usage.csv")
    assert list(tmp_path.iterdir()) == []
    with (
        client.provider_statements.usage_csv("msb_1") as rows,
        pytest.raises(DecodeError, match="digest"),
    ):
        list(rows)


def test_a_whole_body_without_a_frame_is_taken(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """The batch's digest says that nothing is missing."""
    unframed(server, FILE, digest_of(FILE))
    client.provider_statements.usage_csv("msb_1").save(tmp_path / "usage.csv")
    assert (tmp_path / "usage.csv").read_bytes() == FILE


@pytest.mark.parametrize("listing_id", [None, "lst_1"])
def test_a_body_that_nothing_can_prove_whole_is_refused(
    client: Client, server: respx.MockRouter, tmp_path: Path, listing_id: str | None
) -> None:
    """No frame and no digest to compare, or only a part of the rows: no file is left."""
    unframed(server, FILE, None)
    rows = client.provider_statements.usage_csv("msb_1", listing_id=listing_id)
    with pytest.raises(DecodeError, match="digest"):
        rows.save(tmp_path / "usage.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("version", [b"HTTP/2", b""])
def test_other_frames_need_no_digest(
    client: Client, server: respx.MockRouter, version: bytes
) -> None:
    """HTTP/2 ends its streams itself, and a transport in process raises what went wrong."""
    server.get(f"{BATCH}/usage-events.csv").respond(
        stream=Cut(FILE, None), extensions={"http_version": version}
    )
    with client.provider_statements.usage_csv("msb_1") as rows:
        assert len(list(rows)) == 500
    assert server.calls.call_count == 1


def test_a_pool_that_misses_a_cut_is_not_trusted(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """Fewer bytes than promised are a broken connection, whoever's pool it was."""
    short = body([cells(number) for number in range(499)])
    server.get(f"{BATCH}/usage-events.csv").respond(
        stream=Cut(short, None), headers={"content-length": str(len(FILE))}
    )
    with pytest.raises(TransportError, match=f"{len(short)} bytes where {len(FILE)}"):
        client.provider_statements.usage_csv("msb_1").save(tmp_path / "usage.csv")
    assert list(tmp_path.iterdir()) == []


def with_batch(server: respx.MockRouter, digest: str | None) -> None:
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    batch = wire.settlement_batch(usage_event_digest=digest)
    server.get(BATCH).respond(content=wire.enveloped(batch))


def test_rows_are_verified_on_demand(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """The batch's own digest is compared, in a loop and in a file."""
    with_batch(server, digest_of(FILE))
    with client.provider_statements.usage_csv("msb_1", verify=True) as rows:
        assert len(list(rows)) == 500
    client.provider_statements.usage_csv("msb_1", verify=True).save(tmp_path / "usage.csv")
    assert server.calls.call_count == 4


@pytest.mark.parametrize(
    ("digest", "problem"), [("sha256:other", "isn't the batch's"), (None, "has no digest")]
)
def test_rows_that_are_not_the_batchs_are_refused(
    client: Client, server: respx.MockRouter, tmp_path: Path, digest: str | None, problem: str
) -> None:
    """A whole transfer of the wrong rows leaves no file, nor does a batch without a digest."""
    with_batch(server, digest)
    with pytest.raises(DecodeError, match=problem):
        client.provider_statements.usage_csv("msb_1", verify=True).save(tmp_path / "usage.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_the_rows_cannot_be_verified(client: Client) -> None:
    """There is no digest of a part, so asking for one is refused at once."""
    with pytest.raises(InvalidArgument, match="verify"):
        client.provider_statements.usage_csv("msb_1", listing_id="lst_1", verify=True)


def test_progress_is_told(client: Client, server: respx.MockRouter, tmp_path: Path) -> None:
    """Bytes so far and in all, ending at the whole."""
    told: list[tuple[int, int | None]] = []
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    client.provider_statements.usage_csv("msb_1").save(
        tmp_path / "usage.csv", progress=lambda *sizes: told.append(sizes)
    )
    assert told[-1] == (len(FILE), len(FILE))
    assert sorted(told) == told


def test_what_progress_raises_ends_the_download(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """A person who cancels leaves no file and no part of one."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)

    def cancel(received: int, _: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.provider_statements.usage_csv("msb_1").save(tmp_path / "u.csv", progress=cancel)
    assert list(tmp_path.iterdir()) == []


def test_the_bytes_are_on_the_disk_before_the_name_is(
    client: Client,
    server: respx.MockRouter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The file is synced under its passing name, then renamed, then the folder is synced."""
    path = tmp_path / "usage.csv"
    seen: list[bool] = []
    sync = os.fsync
    monkeypatch.setattr("os.fsync", lambda file: (seen.append(path.exists()), sync(file)))
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    client.provider_statements.usage_csv("msb_1").save(path)
    assert seen == [False, True]


def test_an_error_before_the_first_row_is_an_api_error(
    client: Client, server: respx.MockRouter, tmp_path: Path
) -> None:
    """A refusal is read and raised as for every call; retries come before it."""
    server.get(f"{BATCH}/usage-events.csv").side_effect = [
        httpx.Response(503),
        httpx.Response(404, content=wire.refusal("HTTP_404")),
    ]
    with pytest.raises(NotFound, match="req_9"):
        client.provider_statements.usage_csv("msb_1").save(tmp_path / "usage.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_the_callers_error(client: Client, tmp_path: Path) -> None:
    """The file system's own error, and no request for nothing."""
    with respx.mock(assert_all_called=False) as server:
        server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
        with pytest.raises(FileNotFoundError):
            client.provider_statements.usage_csv("msb_1").save(tmp_path / "no" / "usage.csv")
        assert server.calls.call_count == 0


def test_the_payouts_report_streams(client: Client, server: respx.MockRouter) -> None:
    """Its span and currency travel as on the wire."""
    header = (
        "created_at,updated_at,payout_id,developer_id,developer_email,amount_usd,status,provider,"
        "provider_payout_id\n"
    )
    route = server.get(f"{BASE}/admin/reports/payouts.csv").respond(content=header.encode())
    report = client.operations.payouts_report(from_="2026-03-01T00:00:00Z", currency="usd")
    with report as rows:
        assert list(rows) == []
    assert dict(route.calls.last.request.url.params) == {
        "from": "2026-03-01T00:00:00.000Z",
        "currency": "USD",
    }


@pytest.mark.anyio
async def test_rows_stream_in_async_too(server: respx.MockRouter, tmp_path: Path) -> None:
    """The twin streams, hashes and saves the same."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=FILE)
    async with AsyncClient(token="t", base_url=BASE) as client:
        async with client.provider_statements.usage_csv("msb_1") as rows:
            numbers = [row.metered_usage_id async for row in rows]
            assert await rows.digest() == digest_of(FILE)
        await client.provider_statements.usage_csv("msb_1").save(tmp_path / "usage.csv")
    assert len(numbers) == 500
    assert (tmp_path / "usage.csv").read_bytes() == FILE


def test_a_page_of_json_is_not_a_file(client: Client, server: respx.MockRouter) -> None:
    """A server that answers something else is found out."""
    server.get(f"{BATCH}/usage-events.csv").respond(content=json.dumps({"a": 1}).encode())
    with client.provider_statements.usage_csv("msb_1") as rows, pytest.raises(DecodeError):
        list(rows)


def test_a_file_is_saved_under_as_long_a_name_as_the_system_takes(tmp_path: Path) -> None:
    """The passing name of a download is no longer than any name that its file can have."""
    path = tmp_path / ("a" * 251 + ".csv")
    file = PartialFile(path)
    file.write(b"whole")
    file.commit()
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [
        (path.name, b"whole")
    ]
