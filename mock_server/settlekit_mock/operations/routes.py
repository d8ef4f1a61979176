"""All routes of the operator's side."""

from typing import Final

from settlekit_mock.http.routes import Route
from settlekit_mock.operations.adjustment_routes import ADJUSTMENT_ROUTES
from settlekit_mock.operations.audit_routes import AUDIT_ROUTES
from settlekit_mock.operations.billing_routes import BILLING_ROUTES
from settlekit_mock.operations.payout_routes import PAYOUT_ROUTES
from settlekit_mock.operations.reconciliation_routes import RECONCILIATION_ROUTES
from settlekit_mock.operations.report_routes import REPORT_ROUTES
from settlekit_mock.operations.top_up_routes import TOP_UP_ROUTES
from settlekit_mock.operations.usage_routes import USAGE_ROUTES
from settlekit_mock.operations.wallet_routes import WALLET_ROUTES

ROUTES: Final[tuple[Route, ...]] = (
    *RECONCILIATION_ROUTES,
    *PAYOUT_ROUTES,
    *REPORT_ROUTES,
    *WALLET_ROUTES,
    *ADJUSTMENT_ROUTES,
    *BILLING_ROUTES,
    *USAGE_ROUTES,
    *TOP_UP_ROUTES,
    *AUDIT_ROUTES,
)
