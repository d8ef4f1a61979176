"""Check what the story told against the shop's own books.

Each check puts what must be beside what was found; a difference is told, not explained.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from examples.demo.books import Sum, read_lines, sums_by_band
from examples.demo.evidence import Check, Evidence
from examples.demo.money import Money, Step, payout_minor, plain, shown
from examples.demo.payouts import reported
from examples.demo.statements import csv_rows
from examples.demo.words import count, verb
from settlekit.digest import UsageDigest
from settlekit.models import SettlementBatch

NOTICE = timedelta(hours=72)
THRESHOLD_MINOR = 10_000


def all_checks(evidence: Evidence) -> Iterator[Check]:
    """Yield every check."""
    yield from check_orders(evidence)
    yield from check_bands(evidence)
    yield from check_batches(evidence)
    yield from check_thresholds(evidence)
    yield from check_webhooks(evidence)
    for currency in evidence.month.currencies:
        yield from check_money(evidence, currency)
    yield Check("the ledger reconciles: no mismatch", 0, evidence.mismatch_count)


# -- orders and bands --------------------------------------------------------------------


def check_orders(evidence: Evidence) -> Iterator[Check]:
    """Every order of the file was answered, and the shop knows which are paid for."""
    outcome = evidence.outcome
    answered = len(outcome.accepted) + len(outcome.refused)
    total = sum(1 for _ in read_lines(evidence.orders_path))
    answers = f"{count(total, 'order')} of the file, {count(answered, 'answer')}"
    yield Check(answers, total, answered)
    web = [line for line in evidence.lines if line.channel == "web"]
    expected = {line.order_id: "paid" if line.band == "standard" else "accepted" for line in web}
    found = {
        order.order_id: order.status for order in evidence.shop_orders if order.may_be_delivered
    }
    yield Check(
        f"{count(len(web), 'web order')} of the shop {verb(len(web), 'is', 'are')} paid or "
        "accepted, by webhook",
        expected,
        found,
    )


def check_bands(evidence: Evidence) -> Iterator[Check]:
    """Counts, prices and fees of each band are those of the file."""
    found = _found_by_band(evidence)
    expected = sums_by_band(evidence.lines)
    for (currency, band), amount in expected.items():
        title = (
            f"{currency} {band}: {count(amount.count, 'order')}, "
            f"{shown(amount.gross_minor, currency)}, "
            f"fee {shown(amount.fee_minor, currency)}"
        )
        yield Check(title, amount, found.pop((currency, band), Sum()))
    yield Check("no band has anything else", {}, found)


def _found_by_band(evidence: Evidence) -> dict[tuple[str, str], Sum]:
    found: dict[tuple[str, str], Sum] = defaultdict(Sum)
    for currency, gross, fee in evidence.standard_payments:
        found[currency, "standard"] += Sum(1, gross, fee)
    for event in evidence.statements.usage_events:
        key = (event.currency, str(event.plan_type))
        found[key] += Sum(1, event.provider_gross_amount_minor, event.protocol_fee_minor)
    return dict(found)


# -- batches and their CSVs --------------------------------------------------------------


def check_batches(evidence: Evidence) -> Iterator[Check]:
    """Each metered order is on one row of one CSV, and each batch is what its rows say."""
    batches = evidence.statements.batches
    rows = {key: csv_rows(path) for key, path in evidence.statements.csv_paths.items()}
    metered = [line for line in evidence.lines if line.band != "standard"]
    where = f"{verb(len(metered), 'is', 'are each')} on one CSV row, at the right price"
    yield Check(
        f"{count(len(metered), 'metered order')} {where}",
        sorted((line.order_id, line.amount.gross_minor) for line in metered),
        sorted(_orders_on_rows(evidence, rows)),
    )
    yield Check(
        f"{count(len(batches), 'digest')}: of the rows, of the batch, in its webhook",
        {batch.settlement_batch_id: (batch.usage_event_digest,) * 3 for batch in batches},
        {
            key: (_digest(found), evidence.statements.digests[key], evidence.shop_digests.get(key))
            for key, found in rows.items()
        },
    )
    yield Check(
        "each batch is the sum of its rows",
        {
            batch.settlement_batch_id: _sum_of_batch(batch, len(rows[batch.settlement_batch_id]))
            for batch in batches
        },
        {key: _sum_of_rows(found) for key, found in rows.items()},
    )
    settled = all(batch.status == "settled" and batch.chain_receipt_id for batch in batches)
    yield Check("every batch is settled, with a receipt", True, settled)
    early = [batch.settlement_batch_id for batch in batches if not _waited(batch)]
    yield Check("no debit came within 72 hours of its close", [], early)


def _orders_on_rows(
    evidence: Evidence, rows: dict[str, list[dict[str, str]]]
) -> Iterator[tuple[str, Decimal]]:
    order_ids = _order_ids(evidence)
    for found in rows.values():
        for row in found:
            order_id = order_ids.get(row["metered_usage_id"], "?")
            yield order_id, Decimal(row["provider_gross_amount_minor"])


def _order_ids(evidence: Evidence) -> dict[str, str]:
    """Return the order of each usage event: an agent's is its operation, others the shop knows."""
    found = {
        event.metered_usage_id: event.operation_key or ""
        for event in evidence.statements.usage_events
    }
    return found | {
        order.metered_usage_id: order.order_id
        for order in evidence.shop_orders
        if order.metered_usage_id is not None
    }


def _digest(rows: list[dict[str, str]]) -> str:
    digest = UsageDigest()
    for row in rows:
        digest.add(
            metered_usage_id=row["metered_usage_id"],
            created_at=row["created_at"],
            provider_gross_amount_minor=row["provider_gross_amount_minor"],
            protocol_fee_minor=row["protocol_fee_minor"],
        )
    return digest.value


def _sum_of_batch(batch: SettlementBatch, count: int) -> Sum:
    return Sum(count, batch.provider_gross_amount_minor, batch.protocol_fee_minor)


def _sum_of_rows(rows: list[dict[str, str]]) -> Sum:
    return Sum(
        len(rows),
        sum((Decimal(row["provider_gross_amount_minor"]) for row in rows), Decimal(0)),
        sum((Decimal(row["protocol_fee_minor"]) for row in rows), Decimal(0)),
    )


def _waited(batch: SettlementBatch) -> bool:
    closed_at, settled_at = batch.close_at, batch.settled_at
    return closed_at is not None and settled_at is not None and settled_at >= closed_at + NOTICE


# -- thresholds --------------------------------------------------------------------------


def check_thresholds(evidence: Evidence) -> Iterator[Check]:
    """Metered orders were refused where the scope was at its threshold, and nowhere else."""
    found = sorted(evidence.outcome.refused)
    expected = sorted(_must_be_refused(evidence))
    title = (
        f"{count(len(expected), 'order')} came while the customer's band was at its threshold, "
        f"and {verb(len(expected), 'was', 'were')} refused"
    )
    yield Check(title if expected else "no order was refused", expected, found)


def _must_be_refused(evidence: Evidence) -> Iterator[str]:
    settled_at = _settled_at_by_order(evidence)
    waiting: dict[tuple[str, str, str], list[tuple[datetime, int]]] = defaultdict(list)
    for order in evidence.month.orders:
        if order.band == "standard":
            continue
        scope = (order.customer, order.currency, str(order.band))
        waiting[scope] = [each for each in waiting[scope] if each[0] > order.placed_at]
        if sum(amount for _, amount in waiting[scope]) >= THRESHOLD_MINOR:
            yield order.order_id
        elif order.order_id in settled_at:
            waiting[scope].append((settled_at[order.order_id], order.amount_minor))


def _settled_at_by_order(evidence: Evidence) -> dict[str, datetime]:
    order_ids = _order_ids(evidence)
    times = {batch.settlement_batch_id: batch.settled_at for batch in evidence.statements.batches}
    found: dict[str, datetime] = {}
    for event in evidence.statements.usage_events:
        at = times.get(event.settlement_batch_id or "")
        if at is not None:
            found[order_ids[event.metered_usage_id]] = at
    return found


# -- webhooks ----------------------------------------------------------------------------


def check_webhooks(evidence: Evidence) -> Iterator[Check]:
    """The shop took each event once, and each of them did something."""
    web = Counter(
        "standard_settled" if line.band == "standard" else "metered_usage_accepted"
        for line in evidence.lines
        if line.channel == "web"
    )
    expected = Counter(metered_batch_settled=len(evidence.statements.batches)) + web
    events = evidence.shop_events
    found = Counter(event.kind for event in events if event.took_effect)
    for kind in ("standard_settled", "metered_usage_accepted", "metered_batch_settled"):
        number = expected[kind]
        title = f"{count(number, 'webhook')} {kind} took effect, each once"
        yield Check(title if number else f"no webhook {kind} came", number, found[kind])
    yield Check("no webhook said anything else", sum(expected.values()), len(events))
    repeats = evidence.shop_deliveries - len(events)
    again = evidence.redelivered
    title = f"{count(again, 'webhook')} came again, on request, and changed nothing"
    title = title if again else "no webhook came twice"
    yield Check(title, again, repeats)


# -- money -------------------------------------------------------------------------------


def check_money(evidence: Evidence, currency: str) -> Iterator[Check]:
    """The money of a currency ended where the file says."""
    total = sum((line.amount for line in evidence.lines if line.currency == currency), Sum())
    before = _money(evidence.before_payout, currency)
    after = _money(evidence.after_payout, currency)

    def check(title: str, expected: Sequence[Decimal], *found: Decimal) -> Check:
        amounts = [shown(amount, currency) for amount in expected]
        return Check(
            f"{currency}: {title.format(*amounts)}",
            [plain(amount) for amount in expected],
            [plain(amount) for amount in found],
        )

    earned, nothing = total.receivable_minor, Decimal(0)
    yield check("the customers' wallets paid {}", [total.gross_minor], after.customers_paid)
    yield check("the platform's wallet has the fees, {}", [total.fee_minor], after.platform_fee)
    yield check("settled {}, unsettled {}", [earned, nothing], after.settled, after.unsettled)
    yield check(
        "in the shop's wallet {}, paid out {}, left {}",
        [earned, earned, nothing],
        before.wallet,
        after.paid_out,
        after.wallet,
    )
    yield Check(
        f"{currency}: the payouts CSV says the same",
        [
            (payout.id, "paid", payout.amount_usd or payout.amount)
            for payout in reversed(evidence.payouts)
            if payout_minor(payout)[0] == currency
        ],
        reported(evidence.report_paths[currency], currency),
    )


def _money(step: Step, currency: str) -> Money:
    return next(money for money in step.money if money.currency == currency)
