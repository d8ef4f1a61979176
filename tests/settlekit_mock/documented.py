"""Whether a refusal is one that the OpenAPI document tells of."""

import re
from functools import cache

from settlekit_mock import app


@cache
def refusals(method: str, path: str) -> frozenset[tuple[int, str]]:
    """Return the statuses and codes by which a call may be refused."""
    (template,) = (found for found in app.openapi()["paths"] if _fits(found, path))
    responses = app.openapi()["paths"][template][method.lower()]["responses"]
    return frozenset(
        (int(status), code)
        for status, response in responses.items()
        for code in response["description"].partition(": ")[2].split(", ")
    )


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template)), path) is not None
