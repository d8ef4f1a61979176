"""The control routes that the console reads, and the one by which it delivers again."""

from settlekit_mock.console import accounts, batches, deliveries, flow, periods, revenue
from settlekit_mock.control.declaring import control_route as _route

_NO_BATCH = (404, "SETTLEMENT_BATCH_NOT_FOUND")
_NO_PARTY = ((404, "BUYER_NOT_FOUND"), (404, "EXTERNAL_402_MERCHANT_NOT_FOUND"))

ROUTES = (
    _route(
        "GET",
        "batches",
        batches.list_batches,
        batches.ControlBatches,
        "Every batch",
        query=batches.ControlBatchesQuery,
        errors=_NO_PARTY,
    ),
    _route(
        "GET",
        "batches/<settlement_batch_id>",
        batches.get_batch,
        batches.ControlBatch,
        "One batch and each attempt at its debit",
        errors=(_NO_BATCH,),
    ),
    _route(
        "GET",
        "periods",
        periods.list_periods,
        periods.ControlPeriods,
        "The open periods",
        query=periods.ControlPeriodsQuery,
        errors=_NO_PARTY,
    ),
    _route(
        "GET",
        "revenue",
        revenue.get_revenue,
        revenue.RevenueOverTime,
        "Revenue by bucket over time",
        query=revenue.RevenueOverTimeQuery,
    ),
    _route(
        "GET",
        "flow",
        flow.get_flow,
        flow.Flow,
        "What customers promised, and where it is now",
        query=flow.FlowQuery,
    ),
    _route(
        "GET",
        "deliveries",
        deliveries.list_deliveries,
        deliveries.ControlDeliveries,
        "Every webhook delivery and its text",
        query=deliveries.ControlDeliveriesQuery,
    ),
    _route(
        "POST",
        "deliveries/<delivery_id>/redeliver",
        deliveries.redeliver,
        deliveries.ControlDelivery,
        "Deliver an event again",
        errors=((409, "WEBHOOK_SUBSCRIPTION_PAUSED"),),
    ),
    _route(
        "GET",
        "accounts",
        accounts.list_accounts,
        accounts.LedgerAccounts,
        "The ledger's accounts",
        query=accounts.AccountsQuery,
    ),
    _route(
        "GET",
        "accounts/<account_id>/entries",
        accounts.list_entries,
        accounts.LedgerEntries,
        "An account's entries",
        query=accounts.EntriesQuery,
        errors=((404, "ACCOUNT_NOT_FOUND"),),
    ),
)
