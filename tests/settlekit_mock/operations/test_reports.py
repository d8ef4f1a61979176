"""The payouts report: streamed, newest first, safe in a spreadsheet."""

import csv
import io

import pytest

from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import DAY, from_text
from settlekit_mock.kernel.world import World
from settlekit_mock.operations import reports
from settlekit_mock.operations.reports import Span, payouts_csv
from tests.settlekit_mock.operations.conftest import Operator, credit

REPORT = "/v1/admin/reports/payouts.csv"
RUN = "/v1/admin/payouts/run-mock"
MARCH_1 = "2026-03-01T00:00:00Z"


def read(operator: Operator, **query: str) -> list[dict[str, str]]:
    response = operator.call("GET", REPORT, query_string=query)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.text, newline="")))


def advance(world: World, days: int) -> None:
    world.due.advance(world.now() + days * DAY)


def make_daily(operator: Operator, world: World, days: int) -> list[str]:
    """Open and pay one payout a day, and return their ids, newest first."""
    made: list[str] = []
    for _ in range(days):
        credit(world, "usr_1", 2 * MAJOR)
        (payout,) = operator.post(RUN)["items"]
        operator.post(f"/v1/admin/payouts/{payout['id']}/approve")
        operator.post(f"/v1/admin/payouts/{payout['id']}/mark-paid")
        made.insert(0, payout["id"])
        advance(world, 1)
    return made


def test_the_report_has_its_columns_in_order(operator: Operator, world: World) -> None:
    """Each payout is a row of the documented columns, with its instants, status and provider."""
    credit(world, "usr_1", 25 * MAJOR // 10)
    (payout,) = operator.post(RUN)["items"]
    advance(world, 1)
    operator.post(f"/v1/admin/payouts/{payout['id']}/approve")
    paid = operator.post(f"/v1/admin/payouts/{payout['id']}/mark-paid")
    response = operator.call("GET", REPORT)
    assert response.text == (
        "created_at,updated_at,payout_id,developer_id,developer_email,amount_usd,status,provider,"
        "provider_payout_id\r\n"
        f"2026-03-01T00:00:00.000Z,2026-03-02T00:00:00.000Z,{payout['id']},usr_1,"
        f"usr_1@developers.example,2.50000000,paid,mock,{paid['provider_payout_id']}\r\n"
    )
    assert response.headers["Content-Disposition"] == 'attachment; filename="payouts.csv"'


def test_another_currency_has_a_report_of_its_own(operator: Operator, world: World) -> None:
    """The report is of USD unless asked; another currency's says currency and amount."""
    credit(world, "usr_1", 2 * MAJOR)
    credit(world, "usr_1", 300 * MAJOR, "JPY")
    operator.post(RUN)
    operator.post(RUN, currency="JPY")
    assert [row["amount_usd"] for row in read(operator)] == ["2.00000000"]
    (row,) = read(operator, currency="JPY")
    assert list(row) == [
        "created_at",
        "updated_at",
        "payout_id",
        "developer_id",
        "developer_email",
        "currency",
        "amount",
        "status",
        "provider",
        "provider_payout_id",
    ]
    assert (row["currency"], row["amount"]) == ("JPY", "300.00000000")
    assert (row["status"], row["provider_payout_id"]) == ("pending", "")


@pytest.mark.parametrize("chunk", [1, 2, 3, 7])
def test_chunks_join_without_a_seam(
    operator: Operator, world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """Newest first, every payout once, wherever the chunks end and however many share an instant."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", chunk)
    made = make_daily(operator, world, 2)
    for number in range(4):
        credit(world, f"usr_at_once_{number}", 2 * MAJOR)
    made = [item["id"] for item in operator.post(RUN)["items"]][::-1] + made
    assert [row["payout_id"] for row in read(operator)] == made


def test_a_payout_made_while_the_report_streams_changes_nothing(
    operator: Operator, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows added behind the reader's back come neither twice nor in between."""
    monkeypatch.setattr(reports, "ROWS_AT_ONCE", 1)
    made = make_daily(operator, world, 3)
    stream = payouts_csv(world, Span("USD"))
    seen = [next(stream), next(stream)]
    make_daily(operator, world, 1)
    seen.extend(stream)
    assert [chunk.decode().split(",")[2] for chunk in seen[1:]] == made


def test_from_is_in_and_to_is_out(operator: Operator, world: World) -> None:
    """The span is half open: neighbouring spans share no row and miss none."""
    made = make_daily(operator, world, 3)
    day_2, day_3 = "2026-03-02T00:00:00Z", "2026-03-03T00:00:00.000Z"
    found = {
        span: [row["payout_id"] for row in read(operator, **dict(span))]
        for span in (
            (("to", day_2),),
            (("from", day_2), ("to", day_3)),
            (("from", day_3),),
            (("from", "2026-03-02T09:00:00+09:00"), ("to", day_3)),
            (("from", day_2), ("to", day_2)),
        )
    }
    assert list(found.values()) == [made[2:], made[1:2], made[:1], made[1:2], []]


def test_cells_that_a_spreadsheet_would_run_are_harmless(operator: Operator, world: World) -> None:
    """A developer's id that begins a formula is shown as text, quotes and commas kept."""
    credit(world, '=HYPERLINK("http://evil.example","x")', 2 * MAJOR)
    operator.post(RUN)
    (row,) = read(operator)
    assert row["developer_id"] == '\'=HYPERLINK("http://evil.example","x")'
    assert row["developer_email"].startswith("'=HYPERLINK")


def test_an_empty_report_has_its_header(operator: Operator) -> None:
    """Where there is nothing to report, the columns are still told."""
    assert operator.call("GET", REPORT).text.count("\r\n") == 1


def test_the_span_is_read_before_anything_is_sent(operator: Operator) -> None:
    """A span that ends before it begins is refused, not answered with half a file."""
    query = {"from": "2026-03-02T00:00:00Z", "to": MARCH_1}
    assert operator.refused("GET", REPORT, query_string=query)[:2] == (400, "invalid_request")
    assert from_text(query["to"]) < from_text(query["from"])
