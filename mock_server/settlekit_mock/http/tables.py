"""Bearer tokens: who they stand for, and what they open."""

from sqlalchemy import BigInteger, Column, Connection, Index, Table, Text, bindparam, insert, select

from settlekit_mock.kernel.tables import METADATA

TOKENS = Table(
    "tokens",
    METADATA,
    Column("token", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("expires_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Index("tokens_by_subject", "subject", "role"),
)

_FIND = select(TOKENS.c.role, TOKENS.c.subject, TOKENS.c.expires_at).where(
    TOKENS.c.token == bindparam("given")
)


def find_token(connection: Connection, token: str) -> tuple[str, str, int | None] | None:
    """Return role, subject and expiry of a token, if it is known."""
    row = connection.execute(_FIND, {"given": token}).first()
    return None if row is None else (row.role, row.subject, row.expires_at)


def token_of(connection: Connection, role: str, subject: str) -> str | None:
    """Return the first token made for a subject in a role."""
    query = (
        select(TOKENS.c.token)
        .where(TOKENS.c.subject == subject, TOKENS.c.role == role)
        .order_by(TOKENS.c.created_at, TOKENS.c.token)
    )
    found: str | None = connection.execute(query).scalar()
    return found


def add_token(
    connection: Connection,
    *,
    token: str,
    role: str,
    subject: str,
    created_at: int,
    expires_at: int | None = None,
) -> None:
    """Write a token; the caller has made sure that it is new."""
    connection.execute(
        insert(TOKENS).values(
            token=token, role=role, subject=subject, created_at=created_at, expires_at=expires_at
        )
    )
