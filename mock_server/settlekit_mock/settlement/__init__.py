"""Metered settlement: usage accrues, periods close, batches are debited, statements tell."""
