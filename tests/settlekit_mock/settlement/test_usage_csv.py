"""The usage CSV of a batch: columns, order, quoting, and flat memory."""

import csv
import io
import tracemalloc
from hashlib import sha256

import pytest

from settlekit_mock.settlement.statements.usage_csv import CHUNK
from tests.settlekit_mock.settlement.conftest import Buyer, Provider, Shop

HEADER = (
    "metered_usage_id,created_at,plan_type,settlement_cadence,period_start,period_end,"
    "listing_id,capability_key,operation_key,currency,token_symbol,"
    "provider_gross_amount_minor,provider_usage_amount_minor,provider_receivable_minor,"
    "protocol_fee_minor,gross_buyer_debit_minor,rounding_delta_minor,buyer_debit_minor,"
    "status,settlement_batch_id,buyer_period_ref"
)
FULL = 10_000
LABELS = ("listing_id", "capability_key", "operation_key")


def closed(shop: Shop, provider: Provider) -> str:
    """Let the open periods close and return the newest batch's id."""
    shop.mock.clock.advance(until="period.closed")
    found: str = provider.batches()[0]["settlement_batch_id"]
    return found


def digest_of(rows: list[dict[str, str]]) -> str:
    """Work a digest out again from a CSV, by the published rule alone."""
    state = sha256(b"sdrp-usage-v1").digest()
    for row in rows:
        cells = (row["metered_usage_id"], row["created_at"])
        money = (row["provider_gross_amount_minor"], row["protocol_fee_minor"])
        state = sha256(state + ("|".join(cells + money) + "\n").encode()).digest()
    return f"sha256:{state.hex()}"


def test_the_columns_are_these_in_this_order(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """The first line names the columns; lines end with CR LF, and the text is UTF-8."""
    shop.sell(100)
    response = provider.csv(closed(shop, provider))
    assert response.content_type == "text/csv; charset=utf-8"
    assert response.text.split("\r\n")[0] == HEADER
    assert response.text.endswith("\r\n")
    assert "usage-events.csv" in response.headers["Content-Disposition"]


def test_a_row_is_the_usage_event(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Each row says what the provider's list says of the event."""
    shop.sell(100, 2)
    shop.sell(300, currency="JPY", listing_id="l2")
    events = {event["metered_usage_id"]: event for event in provider.usage()}
    batch_id = closed(shop, provider)
    for row in provider.rows(batch_id):
        event = events[row["metered_usage_id"]]
        more = {"status": "pending_settlement", "settlement_batch_id": batch_id}
        assert row == {name: event[name] for name in row} | more


@pytest.mark.both_databases
@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 1, FULL])
def test_rows_come_in_the_order_of_acceptance_and_check_against_the_digest(
    shop: Shop, buyer: Buyer, provider: Provider, count: int
) -> None:
    """Anybody can work the batch's digest out again from its CSV, whatever its length."""
    shop.sell(1, count)
    batch_id = closed(shop, provider) if count < FULL else provider.batch()["settlement_batch_id"]
    rows = provider.rows(batch_id)
    accepted = [row["metered_usage_id"] for row in rows]
    assert (len(accepted), accepted) == (count, sorted(accepted))
    assert digest_of(rows) == provider.batch()["usage_event_digest"]


def test_the_digest_depends_on_every_row(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """A row changed, left out or moved gives another digest."""
    shop.sell(100, 3, over="PT3S")
    rows = provider.rows(closed(shop, provider))
    digest = provider.batch()["usage_event_digest"]
    changed = [{**rows[0], "protocol_fee_minor": "1"}, *rows[1:]]
    assert digest == digest_of(rows)
    assert digest not in (digest_of(changed), digest_of(rows[1:]), digest_of(rows[::-1]))


@pytest.mark.parametrize(
    "label",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "＝1",
        'say "hi"',
        "a,b",
        "a\nb",
        "a\r\nb",
        "日本語",
        "é",
    ],
)
def test_what_callers_name_is_harmless_and_whole(
    shop: Shop, buyer: Buyer, provider: Provider, label: str
) -> None:
    """A caller's label is quoted as CSV needs, and no spreadsheet runs it."""
    shop.sell(100, listing_id=label, capability_key=label, operation_key=label)
    (row,) = provider.rows(closed(shop, provider))
    guard = "'" if label[0] in "=+-@\t＝" else ""
    assert [row[name] for name in LABELS] == [guard + label] * 3


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 6),
        ({"listing_id": "l1"}, 2),
        ({"listing_id": "l2"}, 4),
        ({"capability_key": "c2"}, 2),
        ({"listing_id": "l2", "capability_key": "c2"}, 2),
        ({"listing_id": "l1", "capability_key": "c2"}, 0),
        ({"listing_id": ""}, 6),
    ],
)
def test_rows_are_narrowed_by_what_was_sold(
    shop: Shop, buyer: Buyer, provider: Provider, query: dict[str, str], count: int
) -> None:
    """Filters leave the matching rows, or the header alone."""
    for listing_id, capability_key in (("l1", "c1"), ("l2", "c1"), ("l2", "c2")):
        shop.sell(100, 2, listing_id=listing_id, capability_key=capability_key)
    assert len(provider.rows(closed(shop, provider), **query)) == count


@pytest.mark.parametrize(("query", "status"), [("listing_id", 422), ("surprise", 200)])
def test_filters_of_the_csv_are_read_like_others(
    shop: Shop, buyer: Buyer, provider: Provider, query: str, status: int
) -> None:
    """An endless filter is 422; a parameter that nobody knows is ignored."""
    shop.sell(100)
    assert provider.csv(closed(shop, provider), **{query: "x" * 300}).status_code == status


def test_a_settled_batchs_rows_are_settled(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """The CSV of a settled batch says so in every row."""
    shop.sell(100, 3)
    shop.settle()
    rows = provider.rows(provider.batch()["settlement_batch_id"])
    assert [row["status"] for row in rows] == ["settled"] * 3


def exported(provider: Provider, batch_id: str) -> tuple[int, int]:
    """Export a batch; return its size and the most memory that this took, in bytes."""
    tracemalloc.start()
    with provider.csv(batch_id) as response:
        size = sum(len(chunk) for chunk in response.iter_encoded())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size, peak


def test_exporting_takes_no_more_memory_for_more_rows(
    shop: Shop, buyer: Buyer, provider: Provider
) -> None:
    """A batch is streamed: five chunks of rows take no more memory than two."""
    shop.buyer("b2")
    shop.sell(1, 2 * CHUNK)
    short = closed(shop, provider)
    shop.sell(1, FULL, buyer="b2")
    long = provider.batches()[0]["settlement_batch_id"]
    exported(provider, long)
    (short_size, short_peak), (long_size, long_peak) = (
        exported(provider, short),
        exported(provider, long),
    )
    assert long_size > 2.4 * short_size
    assert long_peak < 1.2 * short_peak


def test_a_row_is_read_by_any_csv_reader(shop: Shop, buyer: Buyer, provider: Provider) -> None:
    """Every row has as many cells as there are columns."""
    shop.sell(100, 3, listing_id='a,"b"\nc')
    text = provider.csv(closed(shop, provider)).text
    assert {len(cells) for cells in csv.reader(io.StringIO(text, newline=""))} == {21}
