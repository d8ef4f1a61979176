"""``settlekit statements …`` and ``settlekit usage-csv``: a provider's revenue."""

import argparse
from itertools import islice
from typing import Any

from settlekit._sync.client import Client
from settlekit._sync.pages import Page
from settlekit.cli.output import print_json, print_table
from settlekit.models import SettlementBatch, UsageEvent

Commands = Any  # argparse keeps the type of its subparsers to itself

MONEY = ("gross", "fee", "receivable")


def add_commands(commands: Commands) -> None:
    """Add these commands to the parser."""
    group = commands.add_parser("statements", help="a provider's statements")
    kinds = group.add_subparsers(required=True, metavar="STATEMENT")
    _add(kinds, "summary", _summary, "revenue by bucket and open periods")
    for name, run, told in (
        ("events", _events, "accepted payments, newest first"),
        ("batches", _batches, "closed periods, newest first"),
    ):
        listed = _add(kinds, name, run, told)
        listed.add_argument("--status", help="only rows in this state")
        listed.add_argument("--limit", type=int, default=50, help="at most so many rows (50)")
    one = _add(kinds, "batch", _batch, "one closed period", filters=False)
    one.add_argument("settlement_batch_id", metavar="BATCH")
    csv = _add(commands, "usage-csv", _usage_csv, "save a batch's rows as CSV", filters=False)
    csv.add_argument("settlement_batch_id", metavar="BATCH")
    csv.add_argument("-o", "--output", required=True, metavar="FILE", help="where to save them")


def _add(
    commands: Commands, name: str, run: object, told: str, *, filters: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=told, description=told)
    parser.add_argument("--base-url", help="the API (else SIGLUME_API_BASE)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    if filters:
        parser.add_argument("--plan-type", choices=["micro", "nano"])
        parser.add_argument("--token-symbol", choices=["JPYC", "USDC"])
    parser.set_defaults(run=run)
    return parser


def _summary(asked: argparse.Namespace) -> int:
    with Client(base_url=asked.base_url) as client:
        summary = client.provider_statements.summary(**_filters(asked))
    if asked.json:
        print_json(summary.to_dict())
        return 0
    totals = summary.totals
    buckets = {
        "settled": totals.settled_provider_receivable_minor,
        "unsettled": totals.unsettled_provider_receivable_minor,
        "past due": totals.past_due_provider_receivable_minor,
        "uncollectible": totals.uncollectible_provider_receivable_minor,
        "written off": totals.written_off_provider_receivable_minor,
    }
    print_table(["bucket", "receivable (minor units)"], list(buckets.items()))
    periods = [
        (period.plan_type, period.currency, period.close_at, period.provider_gross_amount_minor)
        for period in summary.open_periods
    ]
    if periods:
        print()
        print_table(["open", "currency", "closes", "gross"], periods)
    return 0


def _events(asked: argparse.Namespace) -> int:
    with Client(base_url=asked.base_url) as client:
        page = client.provider_statements.usage_events(
            status=asked.status, limit=_page_size(asked.limit, 500), **_filters(asked)
        )
        events = _first(page, asked.limit)
    if asked.json:
        print_json([event.to_dict() for event in events])
        return 0
    columns = ["id", "accepted", "band", *MONEY, "currency", "status"]
    print_table(columns, [_event_row(event) for event in events])
    return 0


def _batches(asked: argparse.Namespace) -> int:
    with Client(base_url=asked.base_url) as client:
        page = client.provider_statements.settlement_batches(
            status=asked.status, limit=_page_size(asked.limit, 200), **_filters(asked)
        )
        batches = _first(page, asked.limit)
    if asked.json:
        print_json([batch.to_dict() for batch in batches])
        return 0
    columns = ["id", "closed", "band", *MONEY, "currency", "status", "settled"]
    print_table(columns, [_batch_row(batch) for batch in batches])
    return 0


def _batch(asked: argparse.Namespace) -> int:
    with Client(base_url=asked.base_url) as client:
        batch = client.provider_statements.settlement_batch(asked.settlement_batch_id)
    if asked.json:
        print_json(batch.to_dict())
    else:
        told = [(name, value) for name, value in batch.to_dict().items() if value is not None]
        print_table(["field", "value"], told)
    return 0


def _usage_csv(asked: argparse.Namespace) -> int:
    with Client(base_url=asked.base_url) as client:
        rows = client.provider_statements.usage_csv(asked.settlement_batch_id)
        rows.save(asked.output)
        digest = rows.digest()
    told = {"file": asked.output, "rows": rows.row_count, "usage_event_digest": digest}
    if asked.json:
        print_json(told)
    else:
        print(f"{told['rows']} rows in {told['file']}, {digest}")
    return 0


def _filters(asked: argparse.Namespace) -> dict[str, Any]:
    return {"plan_type": asked.plan_type, "token_symbol": asked.token_symbol}


def _page_size(limit: int, most: int) -> int:
    return min(limit, most) if limit > 0 else limit


def _first(page: Page[Any], limit: int) -> list[Any]:
    return list(islice(page, limit))


def _event_row(event: UsageEvent) -> tuple[object, ...]:
    return (
        event.metered_usage_id,
        event.created_at,
        event.plan_type,
        event.provider_gross_amount_minor,
        event.protocol_fee_minor,
        event.provider_receivable_minor,
        event.currency,
        event.status,
    )


def _batch_row(batch: SettlementBatch) -> tuple[object, ...]:
    return (
        batch.settlement_batch_id,
        batch.close_at,
        batch.plan_type,
        batch.provider_gross_amount_minor,
        batch.protocol_fee_minor,
        batch.provider_receivable_minor,
        batch.currency,
        batch.status,
        batch.settled_at,
    )
