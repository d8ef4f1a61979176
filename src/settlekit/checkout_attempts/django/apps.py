"""The Django app that brings the table of attempts."""
# pyright: basic, reportArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportGeneralTypeIssues=false, reportAssignmentType=false

from django.apps import AppConfig


class CheckoutAttemptsConfig(AppConfig):  # type: ignore[misc]  # Django ships no types
    """Its label is settlekit_checkout."""

    name = "settlekit.checkout_attempts.django"
    label = "settlekit_checkout"
    verbose_name = "Checkout attempts"
    default_auto_field = "django.db.models.BigAutoField"
