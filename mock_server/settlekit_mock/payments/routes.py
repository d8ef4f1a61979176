"""The routes of payments."""

from settlekit_mock.http.routes import Route
from settlekit_mock.payments import (
    capabilities_routes,
    checkout_routes,
    merchant_routes,
    page_routes,
    requirements_routes,
)

ROUTES: tuple[Route, ...] = (
    *merchant_routes.ROUTES,
    *checkout_routes.ROUTES,
    *page_routes.ROUTES,
    *requirements_routes.ROUTES,
    *capabilities_routes.ROUTES,
)
