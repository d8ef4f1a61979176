"""What the doctor found: one line a check, each failure with its fix."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from enum import StrEnum

import attrs

from settlekit.errors import (
    AuthenticationError,
    DecodeError,
    PermissionDenied,
    RequestTimeout,
    SettlekitError,
    TransportError,
)


class State(StrEnum):
    """How a check ended; only a failed one makes a shop unready."""

    PASSED = "passed"
    FAILED = "failed"
    WARNING = "warning"
    SKIPPED = "skipped"


@attrs.frozen
class Check:
    """One check: what was found, and how to fix it where that isn't right."""

    name: str
    state: State
    found: str
    fix: str | None = None


class Report:
    """The checks of one run, in their order."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    @property
    def ready(self) -> bool:
        """Whether nothing failed."""
        return all(check.state is not State.FAILED for check in self.checks)

    def check(self, name: str, good: bool, found: str, fix: str) -> bool:
        """Note whether something is as it should be, and return it."""
        state = State.PASSED if good else State.FAILED
        self.checks.append(Check(name, state, found, None if good else fix))
        return good

    def warn(self, name: str, found: str, fix: str) -> None:
        """Note what is allowed, and worth knowing."""
        self.checks.append(Check(name, State.WARNING, found, fix))

    def skip(self, name: str, why: str) -> None:
        """Note what couldn't be looked at."""
        self.checks.append(Check(name, State.SKIPPED, why))

    def passed(self, *names: str) -> bool:
        """Say whether each of these checks was made and passed."""
        good = {check.name for check in self.checks if check.state is State.PASSED}
        return good.issuperset(names)

    def value(self, name: str, read: Callable[[], str], fix: str) -> None:
        """Note a setting that can be read, or the error that says what is wrong with it."""
        try:
            self.check(name, True, read(), fix)
        except SettlekitError as error:
            self.check(name, False, str(error), fix)

    @contextmanager
    def asking(self, name: str) -> Generator[None]:
        """Note what the platform's refusal of the questions inside means, as this check."""
        try:
            yield
        except SettlekitError as error:
            self.check(name, False, f"{type(error).__name__}: {error}", _fix_of(error))


def _fix_of(error: SettlekitError) -> str:
    if isinstance(error, AuthenticationError):
        return "Set SIGLUME_MERCHANT_AUTH_TOKEN to the merchant's current token."
    if isinstance(error, PermissionDenied):
        return "Use the token of the person who owns this merchant."
    if isinstance(error, RequestTimeout | TransportError):
        return "See that SIGLUME_API_BASE is right and that the platform (or the mock) is running."
    if isinstance(error, DecodeError):
        return "See that SIGLUME_API_BASE is the API's address, its version included."
    return "Quote the request's id to the platform's support if the message doesn't help."
