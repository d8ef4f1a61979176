"""Webhooks: prove who sent one, read it, and say which kind it is."""
