"""The pytest plugin: fixtures for a fresh mock, its client and its webhooks."""
