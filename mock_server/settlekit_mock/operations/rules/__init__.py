"""The rules of the operator's side: the life of a payout, rating, what a processor's event means."""
