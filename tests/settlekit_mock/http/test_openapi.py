"""The OpenAPI document says what the routes take and answer, all of it."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from settlekit_mock import app
from settlekit_mock.http.openapi import document
from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Route
from settlekit_mock.http.wire import Answer
from tests.settlekit_mock.http import conftest

DOCUMENT = app.openapi()
SCHEMAS = DOCUMENT["components"]["schemas"]
MAY_BE_OPEN = {"metadata", "metadata_jsonb", "data", "capability_result"}
"""Fields whose content is a caller's or a capability's own, or depends on the kind of an entry."""


def ids(route: Route) -> str:
    return f"{route.method} {route.path}"


def declared(route: Route) -> dict[str, Any]:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
    found: dict[str, Any] = DOCUMENT["paths"][path][route.method.lower()]
    return found


def open_places(schema: dict[str, Any], place: str, seen: frozenset[str]) -> Iterator[str]:
    """Name the places of a schema that say nothing of what stands there."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name:
        if name not in seen:
            yield from open_places(SCHEMAS[name], f"{place}({name})", seen | {name})
        return
    for part in (*schema.get("anyOf", ()), *schema.get("prefixItems", ())):
        yield from open_places(part, place, seen)
    if schema.get("type") == "array":
        yield from open_places(schema.get("items", {}), f"{place}[]", seen)
    elif schema.get("type") == "object":
        yield from open_fields(schema, place, seen)
    elif not {"type", "anyOf", "enum", "const", "oneOf"} & set(schema):
        yield place


def open_fields(schema: dict[str, Any], place: str, seen: frozenset[str]) -> Iterator[str]:
    fields = schema.get("properties", {})
    values = schema.get("additionalProperties")
    if values:
        yield from open_places(values, f"{place}{{}}", seen)
    elif not fields and place.rpartition(".")[2] not in MAY_BE_OPEN:
        yield place
    for field, shape in fields.items():
        yield from open_places(shape, f"{place}.{field}", seen)


def answer_schema(route: Route) -> dict[str, Any]:
    (media,) = declared(route)["responses"][str(route.status)]["content"].values()
    found: dict[str, Any] = media["schema"]
    return found


@pytest.mark.parametrize("route", app.ROUTES, ids=ids)
def test_every_declared_route_is_described(route: Route) -> None:
    """Each route of the application is in the document, by method and path."""
    assert declared(route)["summary"] == route.summary


def test_nothing_else_is_described() -> None:
    """The document has as many operations as the routes have paths."""
    operations = [method for path in DOCUMENT["paths"].values() for method in path]
    assert len(operations) == sum(1 + len(route.also) for route in app.ROUTES)


def test_every_operation_has_its_own_id() -> None:
    """No two operations share an id."""
    found = [
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
    ]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("route", app.ROUTES, ids=ids)
def test_every_answer_names_its_fields_and_types(route: Route) -> None:
    """No answer holds an object without fields, or a field without a type."""
    assert list(open_places(answer_schema(route), "answer", frozenset())) == []


class Empty(Answer, frozen=True, kw_only=True):
    """An answer without fields."""


class Vague(Answer, frozen=True, kw_only=True):
    """An answer with a field that could be anything."""

    anything: Any


class Loose(Answer, frozen=True, kw_only=True):
    """An answer with an open object that isn't a caller's own."""

    details: dict[str, Any]


class Kept(Answer, frozen=True, kw_only=True):
    """An answer with a caller's own object."""

    metadata: dict[str, Any]


class Counted(Answer, frozen=True, kw_only=True):
    """An answer with counts by code."""

    refused: dict[str, int]


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        (Empty, ["(Empty)"]),
        (Vague, ["(Vague).anything"]),
        (Loose, ["(Loose).details"]),
        (Kept, []),
        (Counted, []),
    ],
)
def test_the_check_for_open_answers_can_fail(
    monkeypatch: pytest.MonkeyPatch, answers: type[Answer], found: list[str]
) -> None:
    """An empty, vague or open answer is found, and only that."""
    route = Route("GET", "/x", Role.ANYONE, lambda _: None, answers, "A test")
    described = document([route], version="0")
    monkeypatch.setitem(
        SCHEMAS, answers.__name__, described["components"]["schemas"][answers.__name__]
    )
    reference = {"$ref": f"#/components/schemas/{answers.__name__}"}
    assert list(open_places(reference, "", frozenset())) == found


def told(route: Route) -> set[tuple[int, str]]:
    """Return the statuses and codes of errors that the document gives a route."""
    return {
        (int(status), code)
        for status, response in declared(route)["responses"].items()
        for code in response["description"].partition(": ")[2].split(", ")
        if int(status) >= 400
    }


def implied(route: Route) -> set[tuple[int, str]]:
    """Return the errors that a route's role, path and own declaration imply."""
    found = set(route.errors) | {(413, "PAYLOAD_TOO_LARGE")}
    found |= {(401, "UNAUTHORIZED")} if route.role is not Role.ANYONE else set()
    return found | ({(404, "NOT_FOUND")} if "<" in route.path else set())


@pytest.mark.parametrize("route", [r for r in app.ROUTES if r.dialect.enveloped], ids=ids)
def test_every_error_code_is_described(route: Route) -> None:
    """A route's own codes, and those that its role and input imply, stand at their statuses."""
    assert implied(route) <= told(route)


@pytest.mark.parametrize("route", [r for r in app.ROUTES if not r.dialect.enveloped], ids=ids)
def test_the_operators_codes_are_described_in_their_own_words(route: Route) -> None:
    """The operator's routes have their codes in lower case, at the statuses they imply."""
    assert [code for _, code in told(route) if code != code.lower()] == []
    assert {status for status, _ in implied(route)} <= {status for status, _ in told(route)}


@pytest.mark.parametrize("route", app.ROUTES, ids=ids)
def test_every_parameter_of_a_path_is_described(route: Route) -> None:
    """What stands in a path is a required parameter."""
    named = {
        parameter["name"]
        for parameter in declared(route)["parameters"]
        if parameter["in"] == "path"
    }
    assert named == set(re.findall(r"<(?:\w+:)?(\w+)>", route.path))


@pytest.mark.parametrize("route", app.ROUTES, ids=ids)
def test_every_protected_route_says_what_it_asks_for(route: Route) -> None:
    """A route for token holders or the admin secret names its security scheme."""
    schemes = [name for scheme in declared(route).get("security", ()) for name in scheme]
    assert bool(schemes) == (route.role not in (Role.ANYONE, Role.CONTROL))
    assert set(schemes) <= set(DOCUMENT["components"]["securitySchemes"])


def test_another_path_to_a_route_is_described_too() -> None:
    """A route's other paths are operations of their own."""
    route = Route(
        "GET", "/a/<item>", Role.ANYONE, lambda _: None, conftest.Seen, "A", also=("/b/<item>",)
    )
    assert list(document([route], version="0")["paths"]) == ["/a/{item}", "/b/{item}"]


def test_other_statuses_come_with_the_same_class() -> None:
    """A status that isn't a route's own but carries its answer is described by that answer."""
    path = "/v1/sandbox/checkout-sessions/{session_id}/redeliver"
    responses = DOCUMENT["paths"][path]["post"]["responses"]
    assert responses["502"]["content"] == responses["200"]["content"]
    assert responses["502"]["description"] == "Not delivered"
    assert responses["409"]["content"] != responses["200"]["content"]


def test_every_shape_has_a_name_of_its_own() -> None:
    """No two classes share a name: one that did would be called by its module, dots and all."""
    assert [name for name in SCHEMAS if not name.isidentifier() or "_" in name] == []


def test_bounds_of_fields_are_described() -> None:
    """Ranges of parameters and formats of times reach the document; a parameter may be empty."""
    described = document(conftest.ROUTES, version="0")
    (limit, _) = described["paths"]["/v1/search"]["get"]["parameters"]
    number, empty = limit["schema"]["anyOf"]
    assert (number["minimum"], number["maximum"]) == (1, 500)
    assert empty == {"type": "string", "maxLength": 0}
    settled = SCHEMAS["OpenPeriod"]["properties"]["period_start"]
    assert (settled["type"], settled["format"]) == ("string", "date-time")
