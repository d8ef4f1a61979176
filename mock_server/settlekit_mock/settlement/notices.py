"""Notices to buyers and providers, as a reader would get them."""

from dataclasses import dataclass

from sqlalchemy import insert

from settlekit_mock.kernel.database import AnyRow
from settlekit_mock.kernel.transaction import Transaction
from settlekit_mock.settlement.tables import NOTICES


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice about a period, to a ``buyer`` or ``provider``.

    Kinds: estimate, final_debit (to the buyer alone), period_summary, debit_succeeded (to the
    provider alone), debit_failed, past_due.
    """

    audience: str
    kind: str
    period: AnyRow
    subject: str
    text: str


def send_notice(tx: Transaction, notice: Notice) -> str:
    """Record a notice as sent and return its id."""
    notice_id = tx.new_id("ntc")
    period = notice.period
    tx.connection.execute(
        _INSERT,
        {
            "notice_id": notice_id,
            "audience": notice.audience,
            "kind": notice.kind,
            "buyer_number": period.buyer_number,
            "provider_number": period.provider_number,
            "period_number": period.period_number,
            "sent_at": tx.now,
            "subject": notice.subject,
            "text": notice.text,
        },
    )
    tx.record("notice.sent", notice_id, audience=notice.audience, notice=notice.kind)
    return notice_id


_INSERT = insert(NOTICES)
