"""One Django site for the process: its settings can be made once, its database changes."""

import django
from django.conf import settings
from django.db import connections

APPS = ("settlekit.webhooks.django", "settlekit.checkout_attempts.django")


class Site:
    """The site, on the database of a test."""

    def __init__(self, url):
        if not settings.configured:
            settings.configure(
                INSTALLED_APPS=APPS,
                ALLOWED_HOSTS=["*"],
                DATABASES={"default": _settings_of(url)},
                SECRET_KEY="a test's own",
                ROOT_URLCONF="tests.settlekit.webhooks.django_urls",
                MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"],
                USE_TZ=True,
            )
            django.setup()
        # Threads make their own connections from these settings.
        connections.settings["default"].update(_settings_of(url))
        self.close()
        del connections["default"]

    def close(self):
        connections["default"].close()


def at(url):
    return Site(url)


def _settings_of(url):
    if url.get_backend_name() == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": url.database,
            "USER": "",
            "HOST": "",
        }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username,
        "HOST": url.query["host"],
    }
