"""Checkout attempts on Django's ORM: ``settlekit.checkout_attempts.django`` in INSTALLED_APPS."""
