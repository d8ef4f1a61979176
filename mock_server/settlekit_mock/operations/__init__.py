"""The operator's side: reconciliation, payouts, reports, the audit log.

It isn't part of the payment protocol, which has no refunds and no payouts: routes, modules
and docs keep the two apart.
"""
