"""Webhooks: subscriptions, the outbox of events, their signed delivery."""
