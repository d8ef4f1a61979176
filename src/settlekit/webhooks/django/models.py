"""The inbox's table."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

from django.db import models


class WebhookEvent(models.Model):  # type: ignore[misc]  # Django ships no types
    """An event as the inbox keeps it; the claim is a delivery's that is at work on it."""

    event_id = models.CharField(max_length=255, primary_key=True)
    event_type = models.CharField(max_length=255)
    kind = models.CharField(max_length=64)
    state = models.CharField(max_length=16)
    reason = models.CharField(max_length=255, null=True)
    body = models.TextField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    claim = models.CharField(max_length=32)
    claimed_until = models.DateTimeField()
    attempts = models.IntegerField(default=1)
    error = models.CharField(max_length=255, null=True)

    class Meta:
        db_table = "settlekit_webhook_events"
        indexes = (models.Index(fields=["state", "received_at"], name="settlekit_wh_state"),)

    def __str__(self) -> str:
        return f"{self.event_id} ({self.state})"
