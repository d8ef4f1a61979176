"""Make bearer tokens."""

from typing import Annotated, Literal

from msgspec import Meta
from sqlalchemy import Connection

from settlekit_mock.http.routes import Request
from settlekit_mock.http.tables import add_token, find_token
from settlekit_mock.http.wire import Answer, ShortText, StrictBody, instant
from settlekit_mock.kernel.problems import Conflict, Invalid
from settlekit_mock.kernel.times import optional_text
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.payments.merchants import known_merchant
from settlekit_mock.payments.tables import merchants_of
from settlekit_mock.settlement.buyers import buyer_with_id


class NewToken(StrictBody, frozen=True, kw_only=True):
    """Whom a token stands for: a buyer id, a merchant's key or user id, or an operator's name."""

    role: Literal["merchant", "provider", "buyer", "admin"]
    subject: ShortText
    expires_at: Annotated[str, Meta(max_length=64)] | None = None


class TokenAnswer(Answer, frozen=True, kw_only=True):
    """A token, to be sent as ``Authorization: Bearer``."""

    token: str


def create(request: Request) -> TokenAnswer:
    """Make a token for a subject in a role."""
    body = request.body
    with request.world.transaction() as tx:
        expires_at = None if body.expires_at is None else instant(body.expires_at, "expires_at")
        if expires_at is not None and expires_at <= tx.now:
            raise Invalid("expires_at: lies in the past of the server's clock")
        subject = _subject(tx.connection, body.role, body.subject)
        token = new_token(tx, role=body.role, subject=subject, expires_at=expires_at)
        tx.record("token.created", subject, role=body.role, expires_at=optional_text(expires_at))
    return TokenAnswer(token=token)


def _subject(connection: Connection, role: str, named: str) -> str:
    """Return whom a token is to stand for; raises ``NotFound`` where there is no such person."""
    if role == "buyer":
        return buyer_with_id(connection, named).buyer_id
    if role == "admin" or merchants_of(connection, named):
        return named
    return known_merchant(connection, named).merchant_user_id


def new_token(
    tx: Transaction,
    *,
    role: str,
    subject: str,
    token: str | None = None,
    expires_at: int | None = None,
) -> str:
    """Write a token, drawing one unless it is given; raises ``Conflict`` for a taken one."""
    token = token or tx.ids.secret(f"tok_{role}")
    if token.startswith("cli_"):
        raise Invalid("token: one that begins with cli_ is refused everywhere")
    if find_token(tx.connection, token) is not None or token == tx.world.settings.admin_token:
        raise Conflict("token: stands for somebody already", code="TOKEN_EXISTS")
    add_token(
        tx.connection,
        token=token,
        role=role,
        subject=subject,
        created_at=tx.now,
        expires_at=expires_at,
    )
    return token
