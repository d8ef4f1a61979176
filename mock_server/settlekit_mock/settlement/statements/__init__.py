"""Statements: what settlement looks like to a buyer and to a provider. They only read."""
