"""The Django app that brings the inbox's table."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

from django.apps import AppConfig


class WebhooksConfig(AppConfig):  # type: ignore[misc]  # Django ships no types
    """Its label, and so its table's prefix, is settlekit_webhooks."""

    name = "settlekit.webhooks.django"
    label = "settlekit_webhooks"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
