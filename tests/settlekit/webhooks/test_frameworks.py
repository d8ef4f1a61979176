"""Each framework's endpoint reads the raw body right and answers the same."""

import json
import re
from typing import Any

import anyio
import httpx
import pytest
import sqlalchemy as sa
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import clear_url_caches, path
from fastapi import FastAPI
from flask import Flask

from settlekit import webhooks
from settlekit.testing.receivers import application_receiver
from settlekit.testing.transports import sync_http
from settlekit.webhooks import django as django_webhooks
from settlekit.webhooks import fastapi as fastapi_webhooks
from settlekit.webhooks import flask as flask_webhooks
from settlekit.webhooks.signature import SIGNATURE_HEADER
from tests.settlekit.webhooks import django_site, django_urls
from tests.settlekit.webhooks.deliveries import SECRET, STANDARD, body_of, signed

PATH = "/webhooks/siglume"
URL = f"https://shop.localhost{PATH}"


class Mounted:
    """An endpoint on a framework, in this process, whose handler counts."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.fault: Exception | None = None
        self.handlers: webhooks.Handlers[Any] = webhooks.Handlers()
        self.options = {"secrets": SECRET, "max_body_bytes": 2000}

    def take(self, told: Any, _: Any) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append(told.event.id)

    def post(self, body: bytes, header: str | None = None, **more: str) -> httpx.Response:
        signature = {SIGNATURE_HEADER: signed(body) if header is None else header}
        headers = {"Content-Type": "application/json", **signature, **more}
        return self.send(body, headers)


class OnFlask(Mounted):
    def __init__(self) -> None:
        super().__init__()
        self.handlers.standard_settled(self.take)
        self.app = Flask(__name__)
        inbox = webhooks.MemoryInbox()
        flask_webhooks.mount(self.app, PATH, self.handlers, inbox=inbox, **self.options)

    def send(self, body: bytes, headers: dict[str, str], method: str = "POST") -> httpx.Response:
        with sync_http(self.app) as http:
            return http.request(method, URL, content=body, headers=headers)

    def close(self) -> None: ...


class OnFastApi(Mounted):
    def __init__(self) -> None:
        super().__init__()
        self.mount()

    def mount(self) -> None:
        self.handlers.standard_settled(self.take)
        self.app = FastAPI()
        inbox = webhooks.MemoryInbox()
        fastapi_webhooks.mount(self.app, PATH, self.handlers, inbox=inbox, **self.options)

    def send(self, body: bytes, headers: Any, method: str = "POST") -> httpx.Response:
        async def post() -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app)) as http:
                return await http.request(method, URL, content=body, headers=headers)

        return anyio.run(post)

    def close(self) -> None: ...


class OnDjango(Mounted):
    def __init__(self, tmp_path: Any) -> None:
        super().__init__()
        self.site = django_site.at(sa.make_url(f"sqlite:///{tmp_path / 'shop.db'}"))
        call_command("migrate", verbosity=0)
        self.handlers.standard_settled(self.take)
        self.view = django_webhooks.webhook_view(self.handlers, **self.options)
        django_urls.urlpatterns[:] = [path(PATH[1:], self.view), path("form", _form)]
        clear_url_caches()

    def send(
        self, body: bytes, headers: dict[str, str], method: str = "POST", url: str = URL
    ) -> httpx.Response:
        with sync_http(get_wsgi_application()) as http:
            return http.request(method, url, content=body, headers=headers)

    def close(self) -> None:
        self.site.close()


def _form(request: Any) -> HttpResponse:
    return HttpResponse("a form")


@pytest.fixture(params=["flask", "fastapi", "django"])
def mounted(request, tmp_path):
    made = {"flask": OnFlask, "fastapi": OnFastApi}.get(request.param, lambda: OnDjango(tmp_path))()
    yield made
    made.close()


def answer(response: httpx.Response) -> tuple[int, bytes]:
    return response.status_code, response.content


@pytest.mark.parametrize(
    "body",
    [
        body_of(),
        body_of({**STANDARD, "note": "日本語 é"}),
        json.dumps(json.loads(body_of()), indent=1).encode(),
        body_of() + b"\r\n",
    ],
    ids=["compact", "beyond ascii", "spaced", "newline"],
)
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain; charset=shift_jis", "application/x-www-form-urlencoded"],
)
def test_the_raw_body_is_what_was_signed(mounted, body, content_type):
    """Whatever its bytes and content type say, it is taken once and answered 204."""
    kind = {"Content-Type": content_type}
    assert answer(mounted.post(body, **kind)) == (204, b"")
    assert answer(mounted.post(body, **kind)) == (204, b"")
    assert mounted.told == ["evt_1"]


@pytest.mark.parametrize(
    "header",
    # Named: a test whose name holds the time is another one in each worker.
    ["", "t=1,v1=00", signed(b"another body")],
    ids=["missing", "malformed", "another-body"],
)
def test_a_bad_signature_is_400_with_nothing_in_it(mounted, header):
    """A stranger learns nothing."""
    assert answer(mounted.post(body_of(), header)) == (400, b"")
    assert mounted.told == []


def test_a_failing_handler_is_503_with_nothing_in_it(mounted, caplog):
    """The sender is told when to come again, and the error stays inside."""
    caplog.set_level("CRITICAL", "settlekit.webhooks")
    mounted.fault = ZeroDivisionError("inner matter")
    response = mounted.post(body_of())
    assert (answer(response), response.headers["retry-after"]) == ((503, b""), "60")


def test_an_event_sent_to_review_is_204_with_nothing_in_it(mounted):
    """The sender is told that it was delivered, once and for all."""
    mounted.fault = webhooks.NeedsReview("inner matter")
    assert answer(mounted.post(body_of())) == (204, b"")
    mounted.fault = None
    assert answer(mounted.post(body_of())) == (204, b"")
    assert mounted.told == []


def test_a_body_too_long_is_413(mounted):
    """It isn't read to its end."""
    assert answer(mounted.post(b"x" * 2001)) == (413, b"")
    assert mounted.told == []


def test_other_methods_are_405(mounted):
    """There is nothing to get."""
    assert mounted.send(b"", {}, method="GET").status_code == 405


def test_django_needs_no_csrf_token_here_alone(tmp_path):
    """The webhook passes the site's CSRF check, and a form of the site doesn't."""
    mounted = OnDjango(tmp_path)
    assert mounted.post(body_of()).status_code == 204
    refused = mounted.send(b"a=1", {}, url="https://shop.localhost/form")
    assert refused.status_code == 403
    mounted.close()


def test_django_stands_outside_atomic_requests(tmp_path):
    """With ATOMIC_REQUESTS on, the answer still follows the event's own commit."""
    mounted = OnDjango(tmp_path)
    connections.settings["default"]["ATOMIC_REQUESTS"] = True
    assert mounted.post(body_of()).status_code == 204
    connections.settings["default"]["ATOMIC_REQUESTS"] = False
    assert mounted.told == ["evt_1"]
    mounted.close()


def test_django_says_when_the_body_was_read_before(tmp_path):
    """A view behind a parser gets an error that says what to do."""
    mounted = OnDjango(tmp_path)
    request = RequestFactory().post(PATH, data=b"{}", content_type="application/json")
    request.read()
    with pytest.raises(RuntimeError, match=re.escape("mount this view by itself")):
        mounted.view(request)
    mounted.close()


def test_django_takes_deliveries_under_asgi(tmp_path):
    """The same view behind an ASGI server: once each, 400 for what isn't proven, 413 for too much."""
    mounted = OnDjango(tmp_path)
    deliver = application_receiver(get_asgi_application())
    body, long = body_of(), b"x" * 2001
    headers = {SIGNATURE_HEADER: signed(body), "Content-Type": "application/json"}
    assert [deliver(URL, headers, body) for _ in range(2)] == [204, 204]
    assert deliver(URL, headers, body + b" ") == 400
    assert deliver(URL, {SIGNATURE_HEADER: signed(long)}, long) == 413
    assert mounted.told == ["evt_1"]
    mounted.close()


def test_django_rest_framework_leaves_the_view_alone(tmp_path, caplog):
    """Beside a router's URLs it needs nothing of the framework; wrapped by it, it says what to do."""
    mounted = OnDjango(tmp_path)
    with override_settings(REST_FRAMEWORK={"UNAUTHENTICATED_USER": None, **NOBODY_MAY}):
        add_rest_framework(mounted.view)
        closed = mounted.send(b"{}", {}, url="https://shop.localhost/api/closed")
        assert (closed.status_code, mounted.post(body_of()).status_code) == (403, 204)
        body = body_of(event_id="evt_2")
        headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signed(body)}
        wrapped = mounted.send(body, headers, url="https://shop.localhost/api/wrapped")
    assert (wrapped.status_code, mounted.told) == (500, ["evt_1"])
    assert "mount this view by itself, not behind request.data" in caplog.text
    mounted.close()


NOBODY_MAY = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["tests.settlekit.webhooks.django_urls.Nobody"],
}


def add_rest_framework(view: Any) -> None:
    """Add two of the framework's views: a closed one, and one that parses and then hands on."""
    from rest_framework.decorators import api_view, parser_classes, permission_classes
    from rest_framework.parsers import BaseParser

    class Parser(BaseParser):
        media_type = "application/json"

        def parse(self, stream: Any, *_: Any) -> Any:
            return json.load(stream)

    def hand_on(request: Any) -> HttpResponse:
        assert request.data
        return view(request._request)

    closed = api_view(["POST"])(lambda request: HttpResponse("never"))
    wrapped = api_view(["POST"])(permission_classes([])(parser_classes([Parser])(hand_on)))
    django_urls.urlpatterns += [path("api/closed", closed), path("api/wrapped", wrapped)]
    clear_url_caches()


def test_django_migrations_make_what_the_models_say(tmp_path):
    """A change of a model without its migration is found."""
    mounted = OnDjango(tmp_path)
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
    mounted.close()


def test_two_headers_are_refused_by_fastapi():
    """Neither of two is picked."""
    mounted = OnFastApi()
    body = body_of()
    headers = [(SIGNATURE_HEADER, signed(body)), (SIGNATURE_HEADER, signed(body))]
    assert mounted.send(body, headers).status_code == 400
