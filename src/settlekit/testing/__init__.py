"""Helpers for the tests of code that uses settlekit."""

from settlekit._flow import without_backoff
from settlekit.testing.inbox import Delivery, WebhookInbox

__all__ = ["Delivery", "WebhookInbox", "without_backoff"]
