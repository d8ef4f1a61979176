"""The rules of payments: pure functions over frozen values and literal tables."""
