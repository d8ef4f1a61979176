"""The commands of settlement: simulate, move batches, read notices and fates, play stories."""

import argparse
from collections.abc import Iterable
from typing import Any, get_args

from settlekit_mock.cli.declaring import declare
from settlekit_mock.cli.showing import Table
from settlekit_mock.cli.tree import lines_of
from settlekit_mock.cli.usage import WrongUsage
from settlekit_mock.control.notices import KindText
from settlekit_mock.control.simulate import FailureText, OutcomeText
from settlekit_mock.driver import Driver

NOTICE_COLUMNS = {
    "sent": "sent_at",
    "kind": "kind",
    "to": "reader",
    "batch": "settlement_batch_id",
    "subject": "subject",
}
_SIMULATIONS = (
    "notice-failure",
    "debit-failure",
    "unknown-outcome",
    "provider-outcome",
    "finality",
    "ledger-mismatch",
)


def add_settlement(commands: Any) -> tuple[argparse.ArgumentParser, ...]:
    """Declare the commands."""
    return (
        _add_simulate(commands),
        _add_batch(commands),
        _add_checkout(commands),
        _add_notices(commands),
        _add_fate(commands),
        _add_explain(commands),
        declare(commands, "check", "check every invariant; exit 1 where one doesn't hold"),
        _add_scenario(commands),
    )


def _add_simulate(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "simulate", "have something go wrong")
    command.add_argument("what", nargs="?", choices=_SIMULATIONS, help="what goes wrong")
    command.add_argument("--buyer", help="for this buyer alone (default: all)")
    command.add_argument("--batch", help="for this batch alone (default: all)")
    command.add_argument("--times", type=int, default=1, help="how often; 0 ends it (default: 1)")
    command.add_argument(
        "--reason",
        choices=get_args(FailureText),
        default="ONCHAIN_FAILURE",
        help="why debits fail (default: ONCHAIN_FAILURE)",
    )
    command.add_argument("--capability-key", help="whose provider (provider-outcome)")
    command.add_argument("--outcome", choices=get_args(OutcomeText), help="how it answers")
    command.add_argument(
        "--seconds", type=int, help="how long a debit takes (finality; default: 30)"
    )
    command.add_argument("--wallet", help="whose balance is misstated (ledger-mismatch)")
    command.add_argument("--amount", help="by how much, in major units (ledger-mismatch)")
    return command


def _add_batch(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "batch", "make an operator's move on a batch")
    command.add_argument(
        "move", choices=("resolve", "requeue", "terminal", "redeliver-notice"), help="which move"
    )
    command.add_argument("settlement_batch_id", metavar="BATCH", help="its id, msb_…")
    command.add_argument("--outcome", choices=("settled", "failed"), help="resolve: which")
    command.add_argument("--reason", choices=get_args(FailureText), help="resolve: why it failed")
    command.add_argument(
        "--status", choices=("uncollectible", "written_off"), help="terminal: which end"
    )
    command.add_argument("--reason-code", help="terminal: why, in words of your own")
    return command


def _add_checkout(commands: Any) -> argparse.ArgumentParser:
    command = declare(
        commands, "checkout", "sign in to a checkout session, cancel it, or let it fail"
    )
    command.add_argument("move", choices=("authenticate", "cancel", "fail"), help="which move")
    command.add_argument("session_id", metavar="SESSION", help="its id")
    command.add_argument("--buyer", help="who; the server's first buyer unless given")
    return command


def _add_notices(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "notices", "print the notices that were sent, newest first")
    command.add_argument("--audience", choices=("buyer", "provider"), help="whose (default: all)")
    command.add_argument(
        "--kind",
        choices=get_args(KindText),
        metavar="KIND",
        help=f"of this kind: {', '.join(get_args(KindText))} (default: all)",
    )
    command.add_argument("--buyer", help="about this buyer (default: all)")
    command.add_argument("--batch", help="about this batch (default: all)")
    return command


def _add_fate(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "fate", "say what became of a payment")
    command.add_argument("usage_id", metavar="USAGE", help="its id, mu_… or that of a refusal")
    return command


def _add_explain(commands: Any) -> argparse.ArgumentParser:
    command = declare(
        commands, "explain", "say why the amount of a batch, payout or wallet is what it is"
    )
    command.add_argument("id", metavar="ID", help="of a batch, a payout or a wallet")
    return command


def _add_scenario(commands: Any) -> argparse.ArgumentParser:
    command = declare(commands, "scenario", "list the stories, or play one")
    command.add_argument(
        "action", choices=("list", "run"), nargs="?", default="list", help="(default: list)"
    )
    command.add_argument("name", nargs="?", help="the story to run")
    command.add_argument("--seed", type=int, help="play in a fresh world with this seed")
    command.add_argument(
        "--scale", type=float, help="payments of year_at_scale, times this (default: 1)"
    )
    return command


def simulate(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Begin or end a simulation."""
    begin = driver.simulate
    if chosen.what is None:
        raise WrongUsage(
            f"simulate: say what goes wrong ({', '.join(_SIMULATIONS)}), for example: "
            "settlekit-mock simulate debit-failure --reason INSUFFICIENT_BALANCE --times 3"
        )
    if chosen.what == "notice-failure":
        return [begin.notice_failure(buyer=chosen.buyer, times=chosen.times)]
    if chosen.what == "provider-outcome":
        if not (chosen.capability_key and chosen.outcome):
            raise WrongUsage("simulate provider-outcome needs --capability-key and --outcome")
        return [
            begin.provider_outcome(
                capability_key=chosen.capability_key, outcome=chosen.outcome, times=chosen.times
            )
        ]
    if chosen.what == "finality":
        return [begin.finality(seconds=chosen.seconds)]
    if chosen.what == "ledger-mismatch":
        if not (chosen.wallet and chosen.amount):
            raise WrongUsage("simulate ledger-mismatch needs --wallet and --amount")
        return [begin.ledger_mismatch(wallet_id=chosen.wallet, amount=chosen.amount)]
    target = {"buyer": chosen.buyer, "settlement_batch_id": chosen.batch}
    if chosen.what == "unknown-outcome":
        return [begin.unknown_outcome(**target, times=chosen.times)]
    return [begin.debit_failure(**target, reason=chosen.reason, times=chosen.times)]


def batch(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Make an operator's move."""
    batch_id, moves = chosen.settlement_batch_id, driver.batches
    if chosen.move == "resolve":
        if chosen.outcome is None:
            raise WrongUsage("batch resolve needs --outcome")
        return [moves.resolve(batch_id, outcome=chosen.outcome, reason=chosen.reason)]
    if chosen.move == "terminal":
        if not (chosen.status and chosen.reason_code):
            raise WrongUsage("batch terminal needs --status and --reason-code")
        return [moves.give_up(batch_id, status=chosen.status, reason_code=chosen.reason_code)]
    return [
        moves.requeue(batch_id) if chosen.move == "requeue" else moves.redeliver_notice(batch_id)
    ]


def checkout(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Move a checkout session."""
    moves = driver.checkout
    move = {"authenticate": moves.authenticate, "cancel": moves.cancel, "fail": moves.fail}
    return [move[chosen.move](chosen.session_id, buyer=chosen.buyer)]


def notices(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Read the notices."""
    found = driver.notices.all(
        audience=chosen.audience,
        kind=chosen.kind,
        buyer=chosen.buyer,
        settlement_batch_id=chosen.batch,
    )
    return [Table(NOTICE_COLUMNS, found)]


def fate(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Read what became of a payment."""
    return [driver.fate(chosen.usage_id)]


def explain(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Read why an amount is what it is: a line for each part, indented below its whole."""
    root = driver.explain(chosen.id)
    return [root] if chosen.json else lines_of(root)


def check(_chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """Check every invariant."""
    return [driver.check()]


def scenario(chosen: argparse.Namespace, driver: Driver) -> Iterable[Any]:
    """List the stories, or play one."""
    if chosen.action == "list":
        return [Table({"story": "name", "tells": "tells"}, driver.scenarios.all())]
    if chosen.name is None:
        raise WrongUsage("scenario run needs a name; scenario list shows them")
    return [driver.scenarios.play(chosen.name, seed=chosen.seed, scale=chosen.scale)]
