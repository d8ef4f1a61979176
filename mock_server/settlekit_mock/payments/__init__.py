"""Payments: merchants, hosted checkout and its page, requirements."""
