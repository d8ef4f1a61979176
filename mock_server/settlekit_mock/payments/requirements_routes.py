"""The routes by which a buyer's agent pays: requirements, and their prepared transactions."""

from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Request, Route
from settlekit_mock.payments import requirements
from settlekit_mock.payments.requirements_answers import (
    ExecuteBody,
    PreparedExecuted,
    RequirementAnswer,
    RequirementBody,
    VerifyBody,
    executed_answer,
    given_execution,
    requirement_answer,
)
from settlekit_mock.payments.requirements_execution import execute


def _ask(request: Request) -> RequirementAnswer:
    body: RequirementBody = request.body
    asked = requirements.Asked(
        merchant=body.merchant,
        amount_minor=body.amount_minor,
        currency=body.currency,
        challenge=body.challenge or "",
        token_symbol=body.token_symbol,
        allowance_amount_minor=body.allowance_amount_minor,
        metadata=body.metadata,
    )
    with request.world.transaction() as tx:
        found = requirements.ask(tx, request.caller.subject, asked)
        return requirement_answer(tx.connection, found)


def _get(request: Request) -> RequirementAnswer:
    with request.world.snapshot() as connection:
        found = requirements.own_requirement(
            connection, request.caller.subject, request.path["requirement_id"]
        )
        return requirement_answer(connection, found)


def _verify(request: Request) -> RequirementAnswer:
    body: VerifyBody = request.body
    with request.world.transaction() as tx:
        found = requirements.verify_payment(
            tx,
            request.caller.subject,
            request.path["requirement_id"],
            receipt_id=body.receipt_id,
            chain_receipt_id=body.chain_receipt_id,
        )
        return requirement_answer(tx.connection, found)


def _execute(request: Request) -> PreparedExecuted:
    body: ExecuteBody = request.body
    with request.world.transaction() as tx:
        receipt = execute(tx, request.caller.subject, given_execution(body))
    return executed_answer(receipt)


_REQUIREMENTS = "/v1/sdrp/direct-payments/requirements"
_ONE = f"{_REQUIREMENTS}/<requirement_id>"
_UNKNOWN = (404, "REQUIREMENT_NOT_FOUND")

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        _REQUIREMENTS,
        Role.BUYER,
        _ask,
        RequirementAnswer,
        "Make a requirement of a challenge; the same challenge answers the same one",
        body=RequirementBody,
        status=201,
        errors=(
            (404, "EXTERNAL_402_MERCHANT_NOT_FOUND"),
            (404, "BUYER_NOT_FOUND"),
            (409, "EXTERNAL_402_CHALLENGE_ALREADY_USED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SETUP_REQUIRED"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_PAST_DUE"),
            (409, "EXTERNAL_402_MERCHANT_BILLING_SUSPENDED"),
            (409, "USD_TERMS_REQUIRED"),
            (422, "EXTERNAL_402_CHALLENGE_REQUIRED"),
            (422, "INVALID_EXTERNAL_402_CHALLENGE"),
        ),
        tag="requirements",
    ),
    Route(
        "GET",
        _ONE,
        Role.BUYER,
        _get,
        RequirementAnswer,
        "Read a requirement",
        errors=(_UNKNOWN,),
        tag="requirements",
    ),
    Route(
        "POST",
        f"{_ONE}/verify",
        Role.BUYER,
        _verify,
        RequirementAnswer,
        "Verify a payment, which consumes it; a metered one is consumed already",
        body=VerifyBody,
        errors=(_UNKNOWN,),
        tag="requirements",
    ),
    Route(
        "POST",
        "/v1/market/web3/transactions/execute-prepared",
        Role.BUYER,
        _execute,
        PreparedExecuted,
        "Execute a requirement's payment or allowance once; repeated, the receipt is the same",
        body=ExecuteBody,
        errors=(
            (402, "BUDGET_EXCEEDED"),
            _UNKNOWN,
            (409, "REQUIREMENT_NOT_OPEN"),
            (409, "METERED_SETTLEMENT_PAST_DUE"),
        ),
        tag="requirements",
    ),
)
