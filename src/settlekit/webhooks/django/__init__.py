"""Webhooks in Django: ``path("webhooks/siglume", webhook_view(handlers, secrets=…))``.

Put ``settlekit.webhooks.django`` into INSTALLED_APPS and run ``manage.py migrate``: the inbox's
table is one of its migrations.
"""
# pyright: basic

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

try:
    import django  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "settlekit.webhooks.django needs Django: pip install 'settlekit[django]'", name=error.name
    ) from error
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpResponse
from django.http.request import RawPostDataException
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from settlekit.webhooks.endpoint import TOO_LARGE, Answer, Endpoint, Secrets
from settlekit.webhooks.handlers import Handlers

if TYPE_CHECKING:
    from django.http import HttpRequest

    from settlekit.webhooks.django.inbox import DjangoInbox

_HEADER = "HTTP_SIGLUME_SIGNATURE"


def webhook_view(
    handlers: Handlers[str],
    *,
    secrets: Secrets,
    inbox: "DjangoInbox | None" = None,
    **options: Any,
) -> Callable[..., HttpResponse]:
    """Make the view that receives webhooks, to be put into ``urlpatterns``.

    Handlers get the alias of the database whose transaction they are in (``using``).
    ``secrets`` is the signing secret, or a list while it is rotated; ``options`` are those of
    Endpoint. The view needs no CSRF token, for the signature proves the sender, and stands
    outside ATOMIC_REQUESTS, for it answers after its own commit. Its ``endpoint`` has ``recover``.
    """
    from settlekit.webhooks.django.inbox import DjangoInbox

    taken = DjangoInbox() if inbox is None else inbox
    endpoint = Endpoint(handlers, secrets=secrets, inbox=taken, **options)

    def receive(request: "HttpRequest") -> HttpResponse:
        answer = _receive(endpoint, request)
        return HttpResponse(status=answer.status, headers=dict(answer.headers))

    view: Any = csrf_exempt(require_POST(receive))
    for alias in _aliases():
        view = transaction.non_atomic_requests(alias)(view)
    view.endpoint = endpoint
    exempt: Callable[..., HttpResponse] = view
    return exempt


def _receive(endpoint: Endpoint[str], request: "HttpRequest") -> Answer:
    declared = str(request.META.get("CONTENT_LENGTH") or "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > endpoint.max_body_bytes:
        return TOO_LARGE
    try:
        body = request.body
    except RequestDataTooBig:
        return TOO_LARGE
    except RawPostDataException as error:
        raise RuntimeError(
            "the raw body was read before: mount this view by itself, not behind request.data "
            "or request.POST"
        ) from error
    return endpoint.receive(body, request.META.get(_HEADER))


def _aliases() -> list[str]:
    from django.db import connections

    return list(connections)
