"""The demo: a month of a shop's orders, from checkout to payout."""
