"""Scheduled payments: a buyer approves once, and a schedule's token orders the runs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Auth, Call, post
from settlekit._calls.payment_requirements import MODE
from settlekit.challenge import normalize_currency, normalize_merchant
from settlekit.errors import InvalidArgument
from settlekit.models import CadenceLimit, ScheduledAuthorization, ScheduledExecution
from settlekit.models.base import field_names
from settlekit.money import check_amount_minor

PATH = "/account/auto-pay/scheduled-authorizations"
EXECUTE_PATH = "/market/api-store/scheduled-auto-pay/execute"


def authorize(
    *,
    merchant: str,
    amount_minor: int,
    currency: str,
    challenge: str,
    token_symbol: str | None = None,
    max_runs: int | None = None,
    max_amount_minor: int | None = None,
    max_amount_minor_per_run: int | None = None,
    cadence: str | Mapping[str, Any] | None = None,
    cadence_limit: Mapping[str, int] | None = None,
    expires_at: datetime | str | None = None,
    valid_until: datetime | str | None = None,
    listing_id: str | None = None,
    product_listing_id: str | None = None,
    capability_key: str | None = None,
    operation_key: str | None = None,
    allowed_operation_key: str | None = None,
    expected_operation_key: str | None = None,
    expected_amount_minor: int | None = None,
    buyer_token: str | None = None,
    agent_id: str | None = None,
    authorization_id: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    user_signing: bool | None = None,
    user_signing_flow: bool | None = None,
    external_signature: str | None = None,
    external_safe_tx_hash: str | None = None,
) -> Call[ScheduledAuthorization]:
    """Approve runs by a recurring challenge, whose nonce makes one authorization of repeats."""
    text = arguments.optional
    amount = arguments.amount_minor
    call = post(
        PATH,
        _codec.one(ScheduledAuthorization),
        mode=MODE,
        merchant=normalize_merchant(merchant),
        amount_minor=check_amount_minor(amount_minor),
        currency=normalize_currency(currency),
        challenge=terms.recurring_challenge(challenge),
        token_symbol=arguments.token_symbol(token_symbol),
        max_runs=arguments.count(max_runs, "max_runs"),
        max_amount_minor=amount(max_amount_minor, "max_amount_minor"),
        max_amount_minor_per_run=amount(max_amount_minor_per_run, "max_amount_minor_per_run"),
        cadence=_cadence(cadence),
        cadence_limit=_cadence_limit(cadence_limit),
        expires_at=arguments.instant(expires_at, "expires_at"),
        valid_until=arguments.instant(valid_until, "valid_until"),
        listing_id=text(listing_id, "listing_id"),
        product_listing_id=text(product_listing_id, "product_listing_id"),
        capability_key=text(capability_key, "capability_key"),
        operation_key=text(operation_key, "operation_key"),
        allowed_operation_key=text(allowed_operation_key, "allowed_operation_key"),
        expected_operation_key=text(expected_operation_key, "expected_operation_key"),
        expected_amount_minor=amount(expected_amount_minor, "expected_amount_minor"),
        buyer_token=arguments.token_symbol(buyer_token, "buyer_token"),
        agent_id=text(agent_id, "agent_id"),
        authorization_id=text(authorization_id, "authorization_id"),
        metadata=arguments.metadata(metadata),
        user_signing=arguments.flag(user_signing, "user_signing"),
        user_signing_flow=arguments.flag(user_signing_flow, "user_signing_flow"),
        external_signature=text(external_signature, "external_signature"),
        external_safe_tx_hash=text(external_safe_tx_hash, "external_safe_tx_hash"),
    )
    return attrs.evolve(call, repeatable=True, shown_once="schedule_token")


def execute(
    slot_id: str,
    *,
    schedule_token: str,
    input: Mapping[str, Any] | None = None,  # noqa: A002  (named as on the wire)
    arguments_: Mapping[str, Any] | None = None,
    scheduled_for: datetime | str | None = None,
    draft_token: str | None = None,
    await_finality: bool | None = None,
    await_required_status: str | None = None,
    await_timeout_seconds: int | None = None,
    await_poll_seconds: int | None = None,
    metadata: Mapping[str, Any] | None = None,
) -> Call[ScheduledExecution]:
    """Order a run; a slot charges once, which makes the call safe to repeat."""
    call = post(
        EXECUTE_PATH,
        _codec.one(ScheduledExecution),
        slot_id=arguments.required(slot_id, "slot_id"),
        input=arguments.metadata(input, "input"),
        arguments=arguments.metadata(arguments_, "arguments"),
        scheduled_for=arguments.instant(scheduled_for, "scheduled_for"),
        draft_token=arguments.optional(draft_token, "draft_token"),
        await_finality=arguments.flag(await_finality, "await_finality"),
        await_required_status=arguments.status(await_required_status, "await_required_status"),
        await_timeout_seconds=arguments.count(await_timeout_seconds, "await_timeout_seconds"),
        await_poll_seconds=arguments.count(await_poll_seconds, "await_poll_seconds"),
        metadata=arguments.metadata(metadata),
    )
    # The schedule's own token is the bearer: the client's doesn't travel.
    headers = {"authorization": f"Bearer {terms.bearer(schedule_token, 'schedule_token')}"}
    return attrs.evolve(call, headers=headers, auth=Auth.NOBODY, repeatable=True)


def revoke(authorization_id: str) -> Call[ScheduledAuthorization]:
    """Revoke an authorization; not repeated, for it ends once."""
    segment = arguments.path_segment(authorization_id, "authorization_id")
    read = _codec.one(ScheduledAuthorization)
    return Call(method="DELETE", path=f"{PATH}/{segment}", read=read)


def _cadence(value: str | Mapping[str, Any] | None) -> str | dict[str, Any] | None:
    if isinstance(value, Mapping):
        return arguments.metadata(value, "cadence")
    return arguments.optional(value, "cadence")


def _cadence_limit(value: Mapping[str, int] | None) -> dict[str, int] | None:
    given = arguments.metadata(value, "cadence_limit")
    if given is None:
        return None
    unknown = sorted(set(given) - field_names(CadenceLimit))
    if unknown:
        raise InvalidArgument("cadence_limit", f"has no {unknown[0]}")
    checked = {name: arguments.count(most, f"cadence_limit.{name}") for name, most in given.items()}
    return {name: most for name, most in checked.items() if most is not None}
