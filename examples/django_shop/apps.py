"""The shop as a Django app."""

from django.apps import AppConfig


class ShopConfig(AppConfig):
    """Its label, and so its tables' prefix, is shop."""

    name = "examples.django_shop"
    label = "shop"
