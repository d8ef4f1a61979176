"""The story, chapter by chapter: what is done is in other modules, what is said is here."""

from collections import Counter
from datetime import datetime
from pathlib import Path

from examples.demo import payouts, settling
from examples.demo.books import read_lines, sums_by_band
from examples.demo.checks import all_checks
from examples.demo.evidence import Check, Evidence
from examples.demo.money import COLUMNS, LEGEND, Step, look, payout_minor, shown, standard_payments
from examples.demo.narrative import Narrator
from examples.demo.orders import Month
from examples.demo.report import Output, write_summary
from examples.demo.shopping import Outcome, move_in, redeliver, shop_the_month
from examples.demo.stage import Stage, set_up
from examples.demo.statements import Statements, read_statements
from examples.demo.words import count, verb
from examples.shop_parts.account import WEBHOOK_PATH
from settlekit.models import Payout, SettlementBatch

EARLY = "amount_threshold"
MOST_TOLD = 3
THRESHOLD_MINOR = 10_000
SETTLES = {"standard": "at once", "micro": "weekly", "nano": "monthly"}


def tell(narrator: Narrator, month: Month, orders_path: Path, output: Output) -> bool:
    """Play the month and tell it; say whether every check held."""
    with set_up(month) as stage:
        story = Story(narrator, month, orders_path, output, stage)
        evidence = story.play()
    checks = story.check(evidence)
    write_summary(output, evidence, story.steps, checks)
    return all(check.difference is None for check in checks)


class Story:
    """Tells the chapters, and keeps the steps at which the money was looked at."""

    def __init__(
        self, narrator: Narrator, month: Month, orders_path: Path, output: Output, stage: Stage
    ) -> None:
        self._say = narrator
        self._month = month
        self._orders_path = orders_path
        self._output = output
        self._stage = stage
        self.steps: list[Step] = []

    def play(self) -> Evidence:
        """Play every chapter but the last, and return what was found."""
        self._open()
        outcome = self._shop()
        redelivered = self._look_at_one(outcome)
        self._end_of_month()
        self._close_periods()
        self._settle()
        statements = self._read()
        before = self.steps[-1]
        paid, mismatch_count = self._pay_out()
        books = self._stage.books
        return Evidence(
            orders_path=self._orders_path,
            month=self._month,
            outcome=outcome,
            standard_payments=standard_payments(self._stage),
            statements=statements,
            shop_orders=books.orders(),
            shop_events=books.events(),
            shop_deliveries=books.accepted_count,
            redelivered=redelivered,
            shop_digests=books.digests(),
            before_payout=before,
            after_payout=self.steps[-1],
            payouts=paid,
            report_paths={
                code: self._output.folder / f"payouts-{code}.csv" for code in self._month.currencies
            },
            mismatch_count=mismatch_count,
        )

    # -- the chapters --------------------------------------------------------------------

    def _open(self) -> None:
        month, stage, say = self._month, self._stage, self._say
        say.chapter("A shop and its month")
        say.fact(
            f"{count(len(month.orders), 'order')} of {count(len(month.customers), 'customer')}, "
            f"{_span(month)}, in {' and '.join(month.currencies)}:"
        )
        if month.sorted_count:
            say.fact(f"{count(month.sorted_count, 'line')} came before an older one; now sorted.")
        sums = sums_by_band(list(read_lines(self._orders_path)))
        say.table(
            ("currency", "band", "settles", "orders", "gross"),
            [
                (code, band, SETTLES[band], str(each.count), shown(each.gross_minor, code))
                for (code, band), each in sums.items()
            ],
            words=3,
        )
        status = stage.provider.platform.status().status
        say.fact(
            f"The platform's mock is on {stage.mock_url} ({status}), its clock frozen at "
            f"{_at(stage.control.clock.now)}."
        )
        say.fact(f"The shop is on {stage.shop_url} and takes webhooks at {WEBHOOK_PATH}.")
        move_in(stage, month)
        zones = len(set(month.timezones.values()))
        say.fact(
            f"The wallets of {count(len(stage.buyer_ids), 'buyer')}, in "
            f"{count(zones, 'time zone')}, hold what their month will cost."
        )

    def _shop(self) -> Outcome:
        say = self._say
        say.chapter("The month passes")
        with say.progress("orders", len(self._month.orders)) as tick:
            outcome = shop_the_month(self._stage, self._month, tick)
        web = outcome.approved_on_page + outcome.confirmed_in_sandbox
        if web:
            say.fact(
                f"{count(web, 'web order')} went through hosted checkout: "
                f"{outcome.approved_on_page} approved on the page /pay/…, "
                f"{outcome.confirmed_in_sandbox} confirmed by the sandbox."
            )
        if outcome.used_by_agents:
            say.fact(f"{count(outcome.used_by_agents, 'agent order')} accrued as metered usage.")
        for code, number in Counter(outcome.refused.values()).items():
            say.fact(f"Refused with {code}: {count(number, 'order')}.")
        return outcome

    def _look_at_one(self, outcome: Outcome) -> int:
        """Follow the first order that was approved on the page; return how often it was sent again."""
        order = outcome.first_on_page
        books = self._stage.books
        session_id = None if order is None else books.session_of(order.order_id)
        if order is None or session_id is None:
            return 0
        session = self._stage.merchant.checkout_sessions.get(session_id)
        price = shown(order.amount_minor, order.currency)
        self._say.fact(
            f"One of them: {order.customer} approved “{order.item}” for {price}; the session is "
            f"{session.status} and {session.settlement_status}."
        )
        booked = books.order(order.order_id)
        status = "missing" if booked is None else booked.status
        self._say.fact(
            f"Its webhook told the shop: order {order.order_id} is {status}. "
            "The success page books nothing."
        )
        answer = redeliver(self._stage, session_id)
        self._say.fact(f"The same event, sent again on request, was {answer} and changed nothing.")
        return 1

    def _end_of_month(self) -> None:
        stage, say = self._stage, self._say
        say.chapter("What the statements say on the last day")
        batches = settling.all_batches(stage)
        summary = stage.provider.provider_statements.summary()
        say.fact(
            f"{count(len(batches), 'period')} closed on the way"
            + (f": {settling.statuses(batches)}." if batches else ".")
        )
        early = [each for each in reversed(batches) if each.settlement_trigger == EARLY]
        for batch in early[:MOST_TOLD]:
            self._tell_early(batch)
        if len(early) > MOST_TOLD:
            say.fact(f"So did {len(early) - MOST_TOLD} more.")
        closes = [period.close_at for period in summary.open_periods if period.close_at]
        if closes:
            say.fact(
                f"{count(len(closes), 'period')} {verb(len(closes), 'is', 'are')} still open; the "
                f"first closes on {_at(min(closes))}, the last on {_at(max(closes))}."
            )
        self._ask_customer()
        say.fact(" ".join(("How to read the table.", *LEGEND)))
        self._look("month over")

    def _tell_early(self, batch: SettlementBatch) -> None:
        """Say whose period closed before its slot: its notice went to them."""
        gross = shown(batch.provider_gross_amount_minor, batch.currency)
        limit = shown(THRESHOLD_MINOR, batch.currency)
        notice = self._stage.control.notices.all(
            audience="buyer", settlement_batch_id=batch.settlement_batch_id
        )[0]
        whose = next(name for name, key in self._stage.buyer_ids.items() if key == notice.reader)
        self._say.fact(
            f"The {batch.plan_type} period of {whose} closed early, on {_at(batch.close_at)}: its "
            f"orders had come to {gross}, and at {limit} a period doesn't wait for its slot."
        )

    def _ask_customer(self) -> None:
        """Show one customer's own statement, with the customer's own token."""
        uses = Counter(order.customer for order in self._month.orders if order.channel == "agent")
        if not uses:
            return
        name = uses.most_common(1)[0][0]
        with self._stage.customer(name) as client:
            summary = client.buyer_statements.summary()
        funds = summary.balance_sufficiency
        if funds is None or funds.currency is None or funds.required_minor is None:
            return
        self._say.fact(
            f"{name} sees {count(len(summary.open_periods), 'open period')}, "
            f"{shown(funds.required_minor, funds.currency)} to come, and a wallet that "
            f"{'covers' if funds.sufficient else 'does not cover'} it."
        )

    def _close_periods(self) -> None:
        stage, say = self._stage, self._say
        say.chapter("The clock goes on: periods close")
        closed_at = settling.close_periods(stage)
        if closed_at is None:
            say.fact("No period is open.")
            return
        batches = settling.all_batches(stage)
        noticed = sum(batch.notice_status == "delivered" for batch in batches)
        say.fact(f"The last period closed on {_at(closed_at)}.")
        say.fact(
            f"{count(len(batches), 'period')} {verb(len(batches), 'is a batch', 'are batches')} "
            f"now, {noticed} with the notice delivered: {settling.statuses(batches)}."
        )
        self._look("periods closed")

    def _settle(self) -> None:
        stage, say = self._stage, self._say
        say.chapter("Notice, 72 hours, debit")
        debit = settling.settle_last(stage, settling.all_batches(stage))
        if debit is None:
            say.fact("Nothing metered was bought: there is nothing to debit.")
        else:
            self._tell_debit(debit)
        self._look("all settled")

    def _tell_debit(self, debit: settling.Debit) -> None:
        last, say = debit.after, self._say
        gross = shown(last.provider_gross_amount_minor, last.currency)
        say.fact(f"The last batch, {last.settlement_batch_id}, {last.plan_type}, {gross}:")
        say.fact(
            f"it closed on {_at(last.close_at)}, and its notice was {last.notice_status}; "
            f"no debit before {_at(last.not_before_attempt_at)}."
        )
        say.fact(
            f"A second before that it is {debit.before.status}, at its time "
            f"{debit.at_its_time.status}, and 30 seconds later {last.status}."
        )
        say.fact(f"Receipt {last.chain_receipt_id}; the shop was told by webhook.")
        say.fact(f"All batches: {settling.statuses(settling.all_batches(self._stage))}.")

    def _read(self) -> Statements:
        say = self._say
        say.chapter("The statements, read and kept")
        batch_count = len(settling.all_batches(self._stage))
        with say.progress("usage CSVs", batch_count) as tick:
            found = read_statements(self._stage, self._output.usage_folder, tick)
        say.fact(
            f"The sync client read {count(len(found.usage_events), 'usage event')} from "
            f"{count(found.page_count, 'page')}."
        )
        say.fact(
            f"The async client saved {count(len(found.batches), 'batch', 'batches')} as CSV, eight "
            "at a time; the digest of each file's rows is the one its batch names."
        )
        say.fact("They are in the folder usage, and summary.md says what each holds.")
        return found

    def _pay_out(self) -> tuple[list[Payout], int]:
        stage, say = self._stage, self._say
        say.chapter("Payout")
        paid: list[Payout] = []
        for currency in self._month.currencies:
            for pending in payouts.run(stage, currency):
                approved, done = payouts.review_and_pay(stage, pending)
                paid.append(done)
                _, amount_minor = payout_minor(done)
                say.fact(
                    f"{shown(amount_minor, currency)}: {pending.status} after the run, "
                    f"{approved.status} once approved, then {done.status} as "
                    f"{done.provider_payout_id}."
                )
            if not payouts.run(stage, currency):
                say.fact(f"A second run finds no {currency} to pay.")
            payouts.save_report(stage, currency, self._output.folder)
        summary = stage.operator.operations.reconcile_ledger().summary
        say.fact(
            f"The ledger, rebuilt from its entries: {count(summary.wallet_count, 'wallet')}, "
            f"{count(summary.mismatch_count, 'mismatch', 'mismatches')}."
        )
        self._look("paid out")
        return paid, summary.mismatch_count

    def check(self, evidence: Evidence) -> list[Check]:
        """Tell how each check went."""
        self._say.chapter("Is all of that so? Counted again from the orders file")
        checks = list(all_checks(evidence))
        for check in checks:
            self._say.check(check.title, check.difference)
        return checks

    def _look(self, title: str) -> None:
        funds: Counter[str] = Counter()
        for order in self._month.orders:
            funds[order.currency] += order.amount_minor
        step = look(self._stage, title, self._month.currencies, funds)
        self.steps.append(step)
        self._say.table(
            ("", *COLUMNS),
            [
                (money.currency, *(shown(amount, money.currency) for amount in money.amounts))
                for money in step.money
            ],
        )


def _span(month: Month) -> str:
    first, last = (f"{order.placed_at:%-d %B %Y}" for order in (month.orders[0], month.orders[-1]))
    return first if first == last else f"{first} to {last}"


def _at(moment: datetime | None) -> str:
    if moment is None:
        return "a day unknown"
    return f"{moment:%-d %b %Y, %H:%M} UTC"
