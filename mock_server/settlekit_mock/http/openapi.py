"""The OpenAPI 3.1 document, made from the declared routes."""

import re
from collections.abc import Iterable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import msgspec

from settlekit_mock.http.roles import Role
from settlekit_mock.http.routes import Route
from settlekit_mock.kernel.problems import (
    Forbidden,
    Invalid,
    Malformed,
    NotFound,
    Unauthenticated,
)

_PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
_REFERENCE = "#/components/schemas/{name}"
_ERRORS_OF_EVERY_ROUTE = ((400, "MALFORMED_REQUEST"), (413, "PAYLOAD_TOO_LARGE"))
_PLAIN_CODES = {
    kind.code: kind.operations_code
    for kind in (Malformed, Unauthenticated, Forbidden, NotFound, Invalid)
}
_SECURITY = {
    Role.MERCHANT: "merchantToken",
    Role.PROVIDER: "providerToken",
    Role.BUYER: "buyerToken",
    Role.ADMIN: "adminToken",
    Role.ADMIN_SECRET: "adminSecret",
    Role.SCHEDULE: "scheduleToken",
}


class ErrorDetail(msgspec.Struct):
    """What went wrong: the code callers branch on, and a sentence for people."""

    code: str
    message: str
    request_id: str | None = None


class Meta(msgspec.Struct):
    """The ids by which a call is found again."""

    request_id: str
    trace_id: str


class Error(msgspec.Struct):
    """An error answer of an SDRP or control route."""

    error: ErrorDetail
    meta: Meta


class OperationsError(msgspec.Struct):
    """An error answer of an operator's route."""

    error: ErrorDetail


def document(routes: Iterable[Route], *, version: str) -> dict[str, Any]:
    """Describe every route: parameters, bodies, answers, errors, and who may call."""
    routes = tuple(routes)
    schemas, components = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for declared in (route.path, *route.also):
            operation = _operation(replace(route, path=declared), schemas)
            path = _PARAMETER.sub(r"{\1}", declared)
            paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "settlekit mock server", "version": version},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _security_schemes()},
    }


def _schemas(routes: tuple[Route, ...]) -> tuple[dict[Any, Any], dict[str, Any]]:
    types: dict[Any, None] = {Error: None, OperationsError: None, Meta: None}
    for route in routes:
        for kind in (route.query, route.body, route.answers):
            if kind is not None and not isinstance(kind, str):
                types[kind] = None
    found, components = msgspec.json.schema_components(list(types), ref_template=_REFERENCE)
    return dict(zip(types, found, strict=True)), components


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "tags": [route.tag or route.dialect.name],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        media = "application/x-www-form-urlencoded" if route.form else "application/json"
        operation["requestBody"] = {
            "required": _has_required_fields(route.body),
            "content": {media: {"schema": schemas[route.body]}},
        }
    if route.role in _SECURITY:
        operation["security"] = [{_SECURITY[route.role]: []}]
    return operation


def _operation_id(route: Route) -> str:
    words = re.sub(r"[^a-zA-Z0-9]+", "_", _PARAMETER.sub(r"\1", route.path)).strip("_")
    return f"{route.method.lower()}_{words}"


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        }
        for name in _PARAMETER.findall(route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    (described,), components = msgspec.json.schema_components(
        [route.query], ref_template=_REFERENCE
    )
    name = described["$ref"].rpartition("/")[2]
    schema = components[name]
    required = set(schema.get("required", ()))
    return [
        {"name": field, "in": "query", "required": True, "schema": shape}
        if field in required
        else {"name": field, "in": "query", "required": False, "schema": _or_empty(shape)}
        for field, shape in schema["properties"].items()
    ]


def _or_empty(shape: dict[str, Any]) -> dict[str, Any]:
    """Describe a parameter that counts as absent where it is empty."""
    kept: dict[str, Any] = {
        name: shape[name] for name in ("default", "description") if name in shape
    }
    others = {name: value for name, value in shape.items() if name not in kept}
    choices = others["anyOf"] if others.keys() == {"anyOf"} else [others]
    return {"anyOf": [*choices, {"type": "string", "maxLength": 0}], **kept}


def _has_required_fields(body: Any) -> bool:
    return any(field.required for field in msgspec.structs.fields(body))


def _responses(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    success = _success(route, schemas)
    responses: dict[str, Any] = {str(route.status): success}
    for status, when in route.also_statuses:
        responses[str(status)] = {**success, "description": when}
    codes: dict[int, list[str]] = {}
    for status, code in (*_ERRORS_OF_EVERY_ROUTE, *_implied_errors(route), *route.errors):
        codes.setdefault(status, []).append(_said(route, code))
    content = _refusal(route, schemas)
    for status in sorted(codes):
        responses.setdefault(
            str(status),
            {
                "description": f"{HTTPStatus(status).phrase}: {', '.join(dict.fromkeys(codes[status]))}",
                "content": content,
            },
        )
    return responses


def _refusal(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    error = schemas[Error if route.dialect.enveloped else OperationsError]
    described = {"application/json": {"schema": error}}
    if route.answers == "text/html":  # what a page refuses is a page
        described["text/html"] = {"schema": {"type": "string"}}
    return described


def _said(route: Route, code: str) -> str:
    """Return a code in the words of the route's dialect."""
    return code if route.dialect.enveloped else _PLAIN_CODES.get(code, code.lower())


def _implied_errors(route: Route) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    if route.role is not Role.ANYONE:
        found.append((401, "UNAUTHORIZED"))
    if route.role not in (Role.ANYONE, Role.ADMIN_SECRET, Role.SCHEDULE):
        found.append((403, "FORBIDDEN"))
    if _PARAMETER.search(route.path):
        found.append((404, "NOT_FOUND"))
    if route.body is not None or route.query is not None:
        status = 422 if route.dialect.enveloped else 400
        found.append((status, route.invalid_code or "INVALID_REQUEST"))
    return found


def _success(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    if isinstance(route.answers, str):
        return {
            "description": "OK",
            "content": {route.answers: {"schema": {"type": "string"}}},
        }
    schema = schemas[route.answers]
    if route.dialect.enveloped:
        schema = {
            "type": "object",
            "properties": {"data": schema, "meta": schemas[Meta]},
            "required": ["data", "meta"],
        }
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


def _security_schemes() -> dict[str, Any]:
    bearer = {"type": "http", "scheme": "bearer"}
    schemes: dict[str, Any] = dict.fromkeys(_SECURITY.values(), bearer)
    schemes["adminSecret"] = {"type": "apiKey", "in": "header", "name": "X-Admin-Secret"}
    return schemes
