"""Paid capabilities: run one, and pay once for it."""

from collections.abc import Mapping
from typing import Any

import attrs

from settlekit import _codec
from settlekit._calls import arguments, terms
from settlekit._calls.call import Call, post
from settlekit.challenge import normalize_currency
from settlekit.models import CapabilityExecution
from settlekit.money import check_amount_minor


def execute(
    capability_key: str,
    *,
    listing_id: str,
    operation_key: str,
    amount_minor: int,
    currency: str,
    idempotency_key: str | None = None,
    input: Mapping[str, Any] | None = None,  # noqa: A002  (named as on the wire)
) -> Call[CapabilityExecution]:
    """Run a capability; its key charges once, which makes the call safe to repeat."""
    segment = arguments.path_segment(capability_key, "capability_key")
    call = post(
        f"/market/capabilities/{segment}/execute",
        _codec.one(CapabilityExecution),
        listing_id=arguments.required(listing_id, "listing_id"),
        operation_key=arguments.required(operation_key, "operation_key"),
        amount_minor=check_amount_minor(amount_minor),
        currency=normalize_currency(currency),
        idempotency_key=terms.idempotency_key(idempotency_key),
        input=arguments.metadata(input, "input") or {},
    )
    return attrs.evolve(call, repeatable=True)
