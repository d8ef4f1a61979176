"""Orders, and what the platform told of them."""

from django.db import models


class Order(models.Model):
    """One order: ``open``, ``paid`` (settled) or ``accepted`` (metered, settles later)."""

    order_id = models.CharField(max_length=100, primary_key=True)
    product_id = models.CharField(max_length=100)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10, default="open")
    # The shop's own challenge, of an agent's order; checkouts have theirs in the attempts.
    challenge_hash = models.CharField(max_length=255, null=True, unique=True)
    chain_receipt_id = models.CharField(max_length=255, null=True)
    metered_usage_id = models.CharField(max_length=255, null=True)

    def __str__(self) -> str:
        return f"{self.order_id} ({self.status})"

    @property
    def may_be_delivered(self) -> bool:
        """Whether the platform has said that it is paid for, or that it will be."""
        return self.status in {"paid", "accepted"}


class SettledBatch(models.Model):
    """A batch that settled; its money is read in the statements."""

    settlement_batch_id = models.CharField(max_length=255, primary_key=True)
    chain_receipt_id = models.CharField(max_length=255)
    usage_event_digest = models.CharField(max_length=255)

    def __str__(self) -> str:
        return self.settlement_batch_id
