"""The table of attempts."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

from django.db import models


class CheckoutAttempt(models.Model):  # type: ignore[misc]  # Django ships no types
    """One try to have an order paid; the claim is the call's that opens its session."""

    order_id = models.CharField(max_length=255)
    number = models.IntegerField()
    nonce = models.CharField(max_length=32)
    merchant = models.CharField(max_length=255)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = models.CharField(max_length=16)
    session_id = models.CharField(max_length=255, null=True)
    checkout_url = models.TextField(null=True)
    challenge_hash = models.CharField(max_length=255, null=True, db_index=True)
    claim = models.CharField(max_length=32, null=True)
    claimed_until = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "settlekit_checkout_attempts"
        constraints = (
            models.UniqueConstraint(fields=["order_id", "number"], name="settlekit_one_attempt"),
        )

    def __str__(self) -> str:
        return f"{self.order_id} #{self.number} ({self.state})"
