"""The routes of payouts: run, review, pay."""

from collections.abc import Callable
from typing import Final

from settlekit_mock.http.cursors import read_cursor
from settlekit_mock.http.dialects import OPERATIONS
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.kernel.money import MAJOR
from settlekit_mock.kernel.times import optional_text, to_text
from settlekit_mock.operations.amounts import amounts, asked_amount
from settlekit_mock.operations.paging import page_of
from settlekit_mock.operations.payouts import (
    Payout,
    payout_named,
    payouts,
    run_payouts,
    take_step,
)
from settlekit_mock.operations.rules.payouts import Step
from settlekit_mock.operations.wire import (
    Approve,
    GiveUp,
    NoFields,
    PayoutAnswer,
    PayoutFields,
    PayoutListing,
    PayoutQuery,
    PayoutRun,
    RunPayouts,
)

DEFAULT_THRESHOLD: Final = 1 * MAJOR


def _run(request: Request) -> PayoutRun:
    body: RunPayouts = request.body
    currency, threshold = asked_amount(
        "threshold", body.threshold_usd, body.threshold, body.currency
    )
    with request.world.transaction() as tx:
        opened = run_payouts(
            tx,
            actor=request.caller.subject,
            currency=currency,
            threshold=DEFAULT_THRESHOLD if threshold is None else threshold,
        )
    return PayoutRun(items=[_payout(payout) for payout in opened])


def _step(step: Step, *said: str) -> Callable[[Request], PayoutAnswer]:
    def run(request: Request) -> PayoutAnswer:
        words = {name: getattr(request.body, name) for name in said}
        with request.world.transaction() as tx:
            payout = take_step(
                tx, step, request.path["payout_id"], actor=request.caller.subject, **words
            )
        return _payout(payout)

    return run


def _list(request: Request) -> PayoutListing:
    query: PayoutQuery = request.query
    listing = f"payouts:{query.status}"
    before = read_cursor(listing, query.cursor)
    with request.world.snapshot() as connection:
        rows = payouts(connection, status=query.status, before=before, limit=query.limit + 1)
    page, next_cursor = page_of(rows, query.limit, listing)
    return PayoutListing(items=[_payout(payout) for payout in page], next_cursor=next_cursor)


def _get(request: Request) -> PayoutAnswer:
    with request.world.snapshot() as connection:
        return _payout(payout_named(connection, request.path["payout_id"]))


def _payout(payout: Payout) -> PayoutAnswer:
    return PayoutFields(
        id=payout.payout_id,
        developer_id=payout.developer_id,
        **amounts(payout.currency, amount=payout.amount),
        status=payout.status,
        provider="mock",
        provider_payout_id=payout.provider_payout_id,
        operator_note=payout.operator_note,
        reason=payout.reason,
        created_at=to_text(payout.created_at),
        updated_at=to_text(payout.updated_at),
        approved_at=optional_text(payout.approved_at),
        paid_at=optional_text(payout.paid_at),
    )


def _step_route(
    step: Step,
    body: type,
    said: tuple[str, ...],
    summary: str,
    errors: tuple[tuple[int, str], ...] = (),
) -> Route:
    return Route(
        "POST",
        f"/v1/admin/payouts/<payout_id>/{step}",
        Role.ADMIN,
        _step(step, *said),
        PayoutAnswer,
        summary,
        body=body,
        dialect=OPERATIONS,
        errors=errors,
    )


_HELD = (409, "reconciliation_hold")

PAYOUT_ROUTES: Final = (
    Route(
        "POST",
        "/v1/admin/payouts/run-mock",
        Role.ADMIN,
        _run,
        PayoutRun,
        "Open a pending payout for each developer's wallet at or above the threshold",
        body=RunPayouts,
        dialect=OPERATIONS,
    ),
    _step_route(
        Step.APPROVE,
        Approve,
        ("operator_note",),
        "Approve a pending payout",
        errors=(_HELD,),
    ),
    _step_route(
        Step.MARK_PAID,
        NoFields,
        (),
        "Mark an approved payout paid and debit the wallet",
        errors=((402, "insufficient_balance"), _HELD),
    ),
    _step_route(Step.CANCEL, GiveUp, ("reason",), "Cancel a pending payout"),
    _step_route(Step.FAIL, GiveUp, ("reason",), "Say that an approved payout failed"),
    Route(
        "GET",
        "/v1/admin/payouts",
        Role.ADMIN,
        _list,
        PayoutListing,
        "List payouts, newest first",
        query=PayoutQuery,
        dialect=OPERATIONS,
    ),
    Route(
        "GET",
        "/v1/admin/payouts/<payout_id>",
        Role.ADMIN,
        _get,
        PayoutAnswer,
        "Read one payout",
        query=NoFields,
        dialect=OPERATIONS,
    ),
)
