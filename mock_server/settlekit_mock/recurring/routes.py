"""The routes of recurring payments."""

from settlekit_mock.http.routes import Route
from settlekit_mock.recurring import authorization_routes, subscription_routes

ROUTES: tuple[Route, ...] = (*subscription_routes.ROUTES, *authorization_routes.ROUTES)
