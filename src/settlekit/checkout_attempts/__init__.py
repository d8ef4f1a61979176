"""Checkout attempts: one open checkout for an order, however often its button is pressed.

An attempt and its nonce are written before the platform is called, so a double click, a second
tab or a restart finds them and gets the same session. When that session is over unpaid, the next
start begins a new attempt. Stores: ``sqlalchemy`` (sync and async) and ``django``.
"""

from settlekit.checkout_attempts.flow import Attempt

__all__ = ["Attempt"]
