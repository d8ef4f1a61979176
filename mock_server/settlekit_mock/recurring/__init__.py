"""Recurring payments: subscriptions that renew by themselves, and runs a buyer approved ahead."""
