"""All routes of the operator's side."""

from typing import Final

from settlekit_mock.http.routes import Route
from settlekit_mock.operations.audit_routes import AUDIT_ROUTES
from settlekit_mock.operations.payout_routes import PAYOUT_ROUTES
from settlekit_mock.operations.reconciliation_routes import RECONCILIATION_ROUTES
from settlekit_mock.operations.wallet_routes import WALLET_ROUTES

ROUTES: Final[tuple[Route, ...]] = (
    *RECONCILIATION_ROUTES,
    *PAYOUT_ROUTES,
    *WALLET_ROUTES,
    *AUDIT_ROUTES,
)
