"""The reports of usage and revenue: streamed, filtered, safe in a spreadsheet, free of secrets."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import DAY
from settlekit_mock.kernel.world import World
from settlekit_mock.ledger.service import Account
from settlekit_mock.operations import reports, revenue_report
from settlekit_mock.operations.reports import Span, usage_csv
from settlekit_mock.payments.merchants import create_merchant
from settlekit_mock.payments.tables import Merchant
from tests.settlekit_mock.operations.conftest import Operator
from tests.settlekit_mock.operations.test_usage import AMOUNTS, PRICED, USE

USAGE = "/v1/admin/reports/usage.csv"
REVENUE = "/v1/admin/reports/revenue.csv"
PARTS = list(AMOUNTS)
DAY_2, DAY_3 = "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"


@pytest.fixture(autouse=True)
def parties(customer: Account, merchant: Merchant) -> None:
    """Somebody who uses, and somebody whose app it is."""


def read(operator: Operator, path: str, **query: str) -> list[dict[str, str]]:
    response = operator.call("GET", path, query_string=query)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def use_daily(operator: Operator, world: World, days: int) -> list[str]:
    """Record a use a day, and return their ids, newest first."""
    made: list[str] = []
    for day in range(days):
        operator.make("/v1/admin/usage", **PRICED | {"request_id": f"req_{day}"})
        made.insert(0, f"req_{day}")
        world.due.advance(world.now() + DAY)
    return made


def total(rows: list[dict[str, str]], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def test_a_use_is_a_row_of_the_documented_columns(operator: Operator) -> None:
    """Each use is a row, its columns in the documented order, its amounts with eight places."""
    operator.make("/v1/admin/usage", **USE)
    response = operator.call("GET", USAGE)
    assert response.text == (
        "created_at,request_id,public_app_id,feature_key,route_mode,provider,model,input_tokens,"
        "output_tokens,upstream_cost_usd,retail_price_usd,channel_revenue_usd,"
        "platform_revenue_usd\r\n"
        "2026-03-01T00:00:00.000Z,req_1,app_1,chat,platform,a_provider,a-model,1000,500,"
        "0.00710000,0.00923000,0.00085200,0.00127800\r\n"
    )
    assert response.headers["Content-Disposition"] == 'attachment; filename="usage.csv"'


def test_revenue_is_told_by_app(operator: Operator, merchant: Merchant) -> None:
    """Each app is a row with its calls and sums; an idle listing is one with nothing."""
    for number in range(3):
        operator.make("/v1/admin/usage", **PRICED | {"request_id": f"req_{number}"})
    operator.make("/v1/admin/usage", **USE | {"request_id": "other", "public_app_id": "app_2"})
    owner = merchant.merchant_user_id
    who = f"{owner},{owner}@developers.example"
    nothing = ",".join(["0.00000000"] * 4)
    assert operator.call("GET", REVENUE).text == (
        "public_app_id,developer_id,developer_email,total_calls,upstream_cost_usd,"
        "retail_price_usd,channel_revenue_usd,platform_revenue_usd\r\n"
        f"app_2,{who},1,0.00710000,0.00923000,0.00085200,0.00127800\r\n"
        f"app_1,{who},3,1.50000000,3.00000000,0.60000000,0.90000000\r\n"
        f"{merchant.listing_id},{who},0,{nothing}\r\n"
    )


def test_a_listing_that_is_used_is_one_app(operator: Operator, merchant: Merchant) -> None:
    """A merchant's listing comes once, whether it was used or not."""
    operator.make("/v1/admin/usage", **PRICED | {"public_app_id": merchant.listing_id})
    (row,) = read(operator, REVENUE)
    assert (row["public_app_id"], row["total_calls"]) == (merchant.listing_id, "1")


@pytest.mark.both_databases
def test_revenue_is_the_sum_of_usage(operator: Operator, world: World) -> None:
    """To the last unit, in any span."""
    use_daily(operator, world, 3)
    for number in range(5):
        app = f"app_{number % 2}"
        use = USE | {"request_id": f"rated_{number}", "public_app_id": app}
        operator.make("/v1/admin/usage", **use | {"input_tokens": 137 * number})
    for span in ({}, {"from": DAY_2}, {"to": DAY_3}, {"from": DAY_2, "to": DAY_3}):
        used, sold = read(operator, USAGE, **span), read(operator, REVENUE, **span)
        assert [total(used, part) for part in PARTS] == [total(sold, part) for part in PARTS]
        assert total(sold, "total_calls") == len(used)


@pytest.mark.both_databases
def test_from_is_in_and_to_is_out(operator: Operator, world: World) -> None:
    """The span is half open in both reports."""
    use_daily(operator, world, 3)
    spans: list[dict[str, str]] = [
        {"to": DAY_2},
        {"from": DAY_2, "to": DAY_3},
        {"from": DAY_3},
        {"from": DAY_2, "to": DAY_2},
    ]
    used = [[row["request_id"] for row in read(operator, USAGE, **span)] for span in spans]
    assert used == [["req_0"], ["req_1"], ["req_2"], []]
    sold = [read(operator, REVENUE, **span)[0]["total_calls"] for span in spans]
    assert sold == ["1", "1", "1", "0"]


def test_another_currency_has_reports_of_its_own(operator: Operator) -> None:
    """Usage is of dollars; the reports of yen say currency and amounts, and have nothing."""
    operator.make("/v1/admin/usage", **PRICED)
    header = operator.call("GET", USAGE, query_string={"currency": "JPY"}).text
    amounts = "currency,upstream_cost,retail_price,channel_revenue,platform_revenue\r\n"
    assert header.endswith(f"output_tokens,{amounts}")
    assert header.count("\r\n") == 1
    row, _ = read(operator, REVENUE, currency="JPY")
    assert (row["currency"], row["total_calls"], row["retail_price"]) == ("JPY", "0", "0.00000000")


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_chunks_join_without_a_seam(
    operator: Operator, world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Newest first, every row once, wherever the chunks end and however many share an instant."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", chunk)
    monkeypatch.setattr(revenue_report, "APPS_AT_ONCE", chunk)
    made = use_daily(operator, world, 2)
    for number in range(4):
        use = PRICED | {"request_id": f"at_once_{number}", "public_app_id": f"app_at_{number}"}
        operator.make("/v1/admin/usage", **use)
        made.insert(0, f"at_once_{number}")
    assert [row["request_id"] for row in read(operator, USAGE)] == made
    apps = [row["public_app_id"] for row in read(operator, REVENUE)]
    assert apps[:-1] == ["app_at_3", "app_at_2", "app_at_1", "app_at_0", "app_1"]


def test_a_use_made_while_the_report_streams_changes_nothing(
    operator: Operator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows added behind the reader's back come neither twice nor in between."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", 1)
    made = use_daily(operator, world, 3)
    stream = usage_csv(world, Span("USD"))
    seen = [next(stream), next(stream)]
    operator.make("/v1/admin/usage", **PRICED | {"request_id": "late"})
    seen.extend(stream)
    assert [chunk.decode().split(",")[1] for chunk in seen[1:]] == made


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝"])
def test_cells_that_a_spreadsheet_would_run_are_harmless(operator: Operator, start: str) -> None:
    """Whatever a caller named begins as text, quotes, commas and lines kept."""
    evil = f'{start}HYPERLINK("mailto:evil.example","x")\n'
    named = ("request_id", "public_app_id", "feature_key", "provider", "model")
    operator.make("/v1/admin/usage", **PRICED | dict.fromkeys(named, evil))
    (row,) = read(operator, USAGE)
    assert [row[name] for name in named] == [f"'{evil}"] * 5
    assert read(operator, REVENUE)[0]["public_app_id"] == f"'{evil}"


@pytest.mark.both_databases
def test_the_largest_sums_are_exact(operator: Operator, world: World, merchant: Merchant) -> None:
    """Sums that exceed 63 bits are told to the last unit."""
    most = 9_000_000_000 * MAJOR + 7
    with world.transaction() as tx:
        tx.connection.exec_driver_sql(
            f"INSERT INTO apps VALUES (1, 'app_1', '{merchant.merchant_user_id}', 0)"
        )
        for number in range(20):
            tx.connection.exec_driver_sql(
                f"INSERT INTO usage_records VALUES ({number}, 'req_{number}', 'app_1', 'd', 'b',"
                f" 'f', 'byok', 'p', 'm', 0, 0, 0, 'USD', 0, {most}, {most}, 0, 0)"
            )
    row, _ = read(operator, REVENUE)
    assert row["retail_price_usd"] == row["channel_revenue_usd"] == "180000000000.00000140"


CANARY = "canary_7f3a91"


def test_no_report_tells_a_secret(world: World, operator: Operator, merchant: Merchant) -> None:
    """No secret that the server keeps comes out in a report, the audit log or the journal."""
    with world.transaction() as tx:
        other = create_merchant(
            tx, "other_shop", webhook_url="https://a.localhost/", webhook_secret=f"whsec_{CANARY}"
        )
        tx.connection.exec_driver_sql(
            f"UPDATE merchants SET challenge_secret = 'chs_{CANARY}_' || merchant_number"
        )
    listed = PRICED | {"public_app_id": other.listing_id}
    operator.make("/v1/admin/usage", **listed)
    operator.make("/v1/admin/usage", **USE | {"request_id": "req_2"})
    operator.post("/v1/admin/payouts/run-mock", threshold_usd="0.00000001")
    paths = (USAGE, REVENUE, "/v1/admin/reports/payouts.csv", "/v1/admin/audit")
    texts = [operator.call("GET", path).text for path in paths]
    with world.snapshot() as connection:
        journal: list[Any] = connection.exec_driver_sql("SELECT data FROM events").scalars().all()
    texts.extend(journal)
    settings = world.settings
    secrets = (
        CANARY,
        settings.admin_token,
        settings.admin_secret,
        settings.webhook_secret,
    )
    assert [secret for secret in secrets for text in texts if secret in text] == []
