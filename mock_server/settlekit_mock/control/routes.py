"""The control routes."""

from typing import Any

from settlekit_mock.control import (
    batches,
    buyers,
    check,
    checkout,
    clock,
    explain,
    fate,
    journal,
    merchants,
    mismatch,
    notices,
    payment_events,
    reset,
    scenario,
    simulate,
    stream,
    tokens,
    usage,
)
from settlekit_mock.control.declaring import control_route as _route
from settlekit_mock.control.fault_routes import FAULTS, SNAPSHOTS
from settlekit_mock.http.routes import Route
from settlekit_mock.payments.checkout_routes import SessionAnswer
from settlekit_mock.settlement.statements.shapes import SettlementBatch


def _simulation(name: str, run: Any, body: Any, summary: str, *unknown: tuple[int, str]) -> Route:
    path = f"simulate/{name}"
    return _route("POST", path, run, simulate.Simulation, summary, body=body, errors=unknown)


_NO_BUYER = (404, "BUYER_NOT_FOUND")
_NO_BATCH = (404, "SETTLEMENT_BATCH_NOT_FOUND")


_SIMULATIONS = (
    _simulation(
        "notice-failure",
        simulate.notice_failure,
        simulate.NoticeFailure,
        "Let final debit notices fail",
        _NO_BUYER,
    ),
    _simulation(
        "debit-failure",
        simulate.debit_failure,
        simulate.DebitFailure,
        "Let debits fail",
        _NO_BUYER,
        _NO_BATCH,
    ),
    _simulation(
        "unknown-outcome",
        simulate.unknown_outcome,
        simulate.UnknownOutcome,
        "Let debits end with an unknown outcome",
        _NO_BUYER,
        _NO_BATCH,
    ),
    _simulation(
        "provider-outcome",
        simulate.provider_outcome,
        simulate.ProviderOutcome,
        "Choose how the provider behind a capability answers",
    ),
    _simulation(
        "finality",
        simulate.finality,
        simulate.Finality,
        "Choose how long a debit takes to be final",
    ),
    _route(
        "POST",
        "simulate/ledger-mismatch",
        mismatch.ledger_mismatch,
        mismatch.Mismatch,
        "Misstate a wallet's balance, to test alarms",
        body=mismatch.LedgerMismatch,
        errors=((404, "WALLET_NOT_FOUND"),),
    ),
)


def _batch_move(name: str, run: Any, summary: str, body: Any = None) -> Route:
    return _route(
        "POST",
        f"batches/<settlement_batch_id>/{name}",
        run,
        SettlementBatch,
        summary,
        body=body,
        errors=(_NO_BATCH, (409, "ILLEGAL_BATCH_MOVE")),
    )


_BATCH_MOVES = (
    _batch_move("resolve", batches.resolve, "Resolve an unknown outcome", batches.Resolution),
    _batch_move("requeue", batches.requeue, "Start a new run of attempts"),
    _batch_move("terminal", batches.give_up, "Give a past-due batch up", batches.GivingUp),
    _batch_move("redeliver-notice", batches.redeliver_notice, "Get a notice through"),
)


def _session_move(name: str, run: Any, summary: str) -> Route:
    return _route(
        "POST",
        f"checkout-sessions/<session_id>/{name}",
        run,
        SessionAnswer,
        summary,
        body=checkout.Move,
        errors=(
            (404, "BUYER_NOT_FOUND"),
            (404, "CHECKOUT_SESSION_NOT_FOUND"),
            (409, "CHECKOUT_SESSION_NOT_OPEN"),
        ),
    )


_SESSION_MOVES = (
    _session_move("authenticate", checkout.authenticate, "Sign a buyer in to a checkout session"),
    _session_move("cancel", checkout.cancel, "Cancel a checkout session"),
    _session_move("fail", checkout.fail, "Let a checkout session fail"),
)

ROUTES = (
    _route("GET", "clock", clock.get_clock, clock.Clock, "What the clock shows"),
    _route(
        "POST",
        "clock/advance",
        clock.advance,
        clock.Advanced,
        "Advance the clock",
        body=clock.Advance,
        errors=((409, "CLOCK_NEVER_GOES_BACK"), (409, "CLOCK_BUSY")),
    ),
    _route(
        "POST",
        "clock/freeze",
        clock.freeze,
        clock.Clock,
        "Stop the clock",
        body=clock.Freeze,
        errors=((409, "CLOCK_NEVER_GOES_BACK"), (409, "CLOCK_BUSY")),
    ),
    _route("POST", "clock/resume", clock.resume, clock.Clock, "Let the clock run"),
    _route(
        "POST",
        "buyers",
        buyers.create,
        buyers.BuyerAnswer,
        "Make a buyer",
        body=buyers.BuyerBody,
        status=201,
        errors=((409, "BUYER_EXISTS"), (409, "TOKEN_EXISTS")),
    ),
    _route("GET", "buyers", buyers.list_all, buyers.Buyers, "Every buyer"),
    _route(
        "GET",
        "buyers/<buyer_id>",
        buyers.get,
        buyers.BuyerAnswer,
        "One buyer",
        errors=((404, "BUYER_NOT_FOUND"),),
    ),
    _route(
        "PATCH",
        "buyers/<buyer_id>",
        buyers.change,
        buyers.BuyerAnswer,
        "Change a buyer",
        body=buyers.BuyerChanges,
        errors=((404, "BUYER_NOT_FOUND"),),
    ),
    _route(
        "POST",
        "merchants",
        merchants.create,
        merchants.ControlMerchant,
        "Make a merchant",
        body=merchants.ControlMerchantBody,
        status=201,
        errors=((409, "MERCHANT_EXISTS"), (409, "TOKEN_EXISTS")),
    ),
    _route("GET", "merchants", merchants.list_all, merchants.Merchants, "Every merchant"),
    _route(
        "GET",
        "merchants/<merchant>",
        merchants.get,
        merchants.ControlMerchant,
        "One merchant",
        errors=((404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),),
    ),
    _route(
        "PATCH",
        "merchants/<merchant>",
        merchants.change,
        merchants.ControlMerchant,
        "Change a merchant",
        body=merchants.MerchantChanges,
        errors=((404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),),
    ),
    _route(
        "POST",
        "tokens",
        tokens.create,
        tokens.TokenAnswer,
        "Make a token",
        body=tokens.NewToken,
        status=201,
        errors=((404, "BUYER_NOT_FOUND"), (404, "EXTERNAL_402_MERCHANT_NOT_FOUND")),
    ),
    _route(
        "POST",
        "payment-events",
        payment_events.create,
        payment_events.PaymentEvent,
        "Record that a buyer paid for credits",
        body=payment_events.NewPaymentEvent,
        status=201,
        errors=((404, "BUYER_NOT_FOUND"), (409, "PAYMENT_EVENT_EXISTS")),
    ),
    _route(
        "POST",
        "usage",
        usage.make_usage,
        usage.BulkUsage,
        "Make usage",
        body=usage.BulkUsageBody,
        errors=(
            (404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
            (404, "BUYER_NOT_FOUND"),
            (409, "CLOCK_BUSY"),
        ),
    ),
    _route(
        "GET",
        "events",
        journal.list_events,
        journal.Journal,
        "The journal",
        query=journal.JournalQuery,
    ),
    _route(
        "GET",
        "events/stream",
        stream.stream_events,
        stream.MEDIA_TYPE,
        "The journal, live, as server-sent events",
        query=stream.StreamQuery,
        errors=((503, "TOO_MANY_STREAMS"),),
    ),
    _route(
        "GET",
        "notices",
        notices.list_notices,
        notices.Notices,
        "The notices that were sent",
        query=notices.NoticeQuery,
    ),
    *_SIMULATIONS,
    *_BATCH_MOVES,
    *_SESSION_MOVES,
    *FAULTS,
    *SNAPSHOTS,
    _route("GET", "usage/<usage_id>/fate", fate.get_fate, fate.Fate, "What became of a payment"),
    _route(
        "GET",
        "explain/<id>",
        explain.get_explanation,
        explain.Explanation,
        "Why an amount is what it is",
    ),
    _route("GET", "scenarios", scenario.list_stories, scenario.Stories, "The stories"),
    _route(
        "POST",
        "scenarios/<name>",
        scenario.play,
        scenario.Played,
        "Play a story",
        body=scenario.PlayBody,
    ),
    _route("GET", "check", check.check, check.Checked, "Check every invariant"),
    _route(
        "POST",
        "reset",
        reset.reset,
        clock.Clock,
        "Begin again with a fresh world",
        errors=((409, "CLOCK_BUSY"),),
    ),
)
