"""A customer in a browser: reads a page's forms, fills one in, and sends it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx


@dataclass(slots=True)
class Form:
    """A form as a person sees it: where it goes, its fields, and its buttons' texts."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[str] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._form: Form | None = None
        self._in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._form)
        elif self._form is None:
            return
        elif tag in {"input", "select", "button"} and given.get("name"):
            self._form.fields.setdefault(given["name"], given.get("value", ""))
        if tag == "button" and self._form is not None:
            self._in_button = True
            self._form.buttons.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "button":
            self._in_button = False

    def handle_data(self, data: str) -> None:
        if self._in_button and self._form is not None:
            self._form.buttons[-1] += data


def forms_of(page: httpx.Response) -> list[Form]:
    """Read the forms of a page."""
    parser = _Forms()
    parser.feed(page.text)
    return parser.forms


def submit(http: httpx.Client, page: httpx.Response, form: Form, **typed: str) -> httpx.Response:
    """Send a form of a page, with what was typed in."""
    address = urljoin(str(page.url), form.action)
    return http.request(form.method, address, data={**form.fields, **typed})


def form_with_button(page: httpx.Response, text: str) -> Form | None:
    """Return the form with a button whose text starts so."""
    return next(
        (form for form in forms_of(page) if form.buttons[:1] and form.buttons[0].startswith(text)),
        None,
    )


def form_with_field(page: httpx.Response, name: str) -> Form | None:
    """Return the form that asks for something."""
    return next((form for form in forms_of(page) if name in form.fields), None)
