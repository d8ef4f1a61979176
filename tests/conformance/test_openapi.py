"""What is served is what ``/openapi.json`` says, whatever a stranger sends: all of schemathesis' checks."""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.config import SchemathesisConfig

from settlekit_mock import MockServer, app
from tests.conformance.lived import Lived

LEFT_OUT: Final = {"GET /_mock/events/stream"}
"""A stream ends when its listener goes."""
SOAK_TRIES: Final = int(os.environ.get("SOAK_TRIES", "300"))
"""Calls of either kind for each route in a soak; fewer for a trial."""
REFUSALS: Final = (400, 401, 402, 403, 404, 405, 409, 410, 413, 422, 429)
"""A value of the right shape may still be refused, by a status that its route describes."""


class Doors:
    """A WSGI application that stands for one mock after another."""

    mock: MockServer

    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.mock.app(environ, start_response)


DOORS: Final = Doors()


def _configured() -> SchemathesisConfig:
    config = SchemathesisConfig()
    config.projects.default.generation.with_security_parameters = False
    accepted = ["2xx", "3xx", *(str(status) for status in REFUSALS)]
    config.projects.default.checks.positive_data_acceptance.expected_statuses = accepted
    return config


SCHEMA: Final = schemathesis.openapi.from_dict(app.openapi(), config=_configured())
SCHEMA.app = DOORS
OPERATIONS: Final = [
    found for result in SCHEMA.get_all_operations() if (found := result.ok()).label not in LEFT_OUT
]
TAKES_NOTHING: Final = {
    found.label for found in OPERATIONS if not (found.body or found.query or found.path_parameters)
}


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    made = Lived()
    yield made
    made.mock.close()


def aimed(case: Case, known: dict[str, str]) -> None:
    """Let a call name what is there, where it would name what isn't."""
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            part.update({name: known[name] for name in part if name in known})


def try_out(operation: Any, mode: GenerationMode, lived: Lived, *, tries: int) -> None:
    """Send what an operation's description allows, or what it doesn't, to a fork of its own."""
    headers = lived.headers_for(operation.definition.raw)

    @settings(
        max_examples=tries,
        database=None,
        deadline=None,
        derandomize=True,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), aim=st.booleans())
    def sent(case: Case, aim: bool) -> None:
        if aim and mode is GenerationMode.POSITIVE:
            aimed(case, lived.known)
        case.call_and_validate(headers=headers)

    with lived.mock.fork() as mock:
        DOORS.mock = mock
        sent()
        checked = mock.check()
        assert checked.ok, checked.violations


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda found: found.label)
def test_what_is_described_is_answered_as_described(operation: Any, lived: Lived) -> None:
    """Calls of the described shape get described answers, and no server error."""
    try_out(operation, GenerationMode.POSITIVE, lived, tries=8)


@pytest.mark.parametrize(
    "operation",
    [found for found in OPERATIONS if found.label not in TAKES_NOTHING],
    ids=lambda found: found.label,
)
def test_what_is_not_described_is_refused(operation: Any, lived: Lived) -> None:
    """Calls of another shape are refused as described."""
    try_out(operation, GenerationMode.NEGATIVE, lived, tries=8)


BOTH_WAYS: Final = [
    (found, mode)
    for found in OPERATIONS
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or found.label not in TAKES_NOTHING
]


@pytest.mark.soak
@pytest.mark.parametrize(
    ("operation", "mode"), BOTH_WAYS, ids=lambda found: getattr(found, "label", str(found))
)
def test_what_is_served_is_what_is_described_at_length(
    operation: Any, mode: GenerationMode, lived: Lived
) -> None:
    """Hundreds of calls of either kind for each route."""
    try_out(operation, mode, lived, tries=SOAK_TRIES)
