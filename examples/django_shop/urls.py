"""The shop's addresses."""

from django.urls import path

from examples.django_shop import payments, views, webhooks
from settlekit.webhooks.django import webhook_view
from settlekit.webhooks.django.inbox import DjangoInbox

handler404 = views.not_found

receive_webhook = webhook_view(
    webhooks.on,
    secrets=lambda: payments.account().webhook_secret,
    inbox=DjangoInbox(lease_seconds=payments.account().lease_seconds),
    merchant=payments.account().merchant,
)

urlpatterns = [
    path("", views.catalogue),
    path("products/<product_id>", views.product),
    path("checkout", views.checkout),
    path("success", views.success),
    path("cancel", views.cancel),
    path("revenue", views.revenue),
    path("api/products/<product_id>", views.use),
    path("webhooks/siglume", receive_webhook),
]
