"""Helpers for the tests of code that uses settlekit."""

from settlekit._flow import without_backoff

__all__ = ["without_backoff"]
