"""The double-entry ledger: accounts, transactions, entries, and how balances are rebuilt."""
