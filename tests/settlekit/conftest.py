import os
import re
from collections.abc import Generator

import pytest

WITHOUT_EXTRAS = os.environ.get("SETTLEKIT_TESTS_WITHOUT_EXTRAS") == "1"
EXTRAS = {
    "aiosqlite",
    "cheroot",
    "django",
    "fastapi",
    "flask",
    "opentelemetry",
    "rest_framework",
    "rich",
    "siglume_direct_request_payment",
    "sqlalchemy",
    "stripe",
    "trio",
    "uvicorn",
    "werkzeug",
}
MISSING = re.compile(r"No module named '([a-z_]+)")


def missing_extra(told: object) -> str | None:
    """Return the extra that an error is about, where the run is meant to have none."""
    found = MISSING.search(str(told)) if WITHOUT_EXTRAS else None
    return found[1] if found and found[1] in EXTRAS else None


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip the files that need an extra, in a run without any."""
    report = yield
    name = missing_extra(report.longrepr) if report.failed else None
    if name:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 0, f"Skipped: needs {name}")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip the tests that meet a missing extra as they run."""
    report = yield
    told = call.excinfo and isinstance(call.excinfo.value, ImportError) and call.excinfo.value
    name = missing_extra(told) if report.failed else None
    if name:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 0, f"Skipped: needs {name}")
    return report


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own settings never reach a test."""
    for name in (
        "SIGLUME_AUTH_TOKEN",
        "SIGLUME_MERCHANT_AUTH_TOKEN",
        "SIGLUME_API_BASE",
        "SIGLUME_ENV",
        "SIGLUME_SANDBOX_API_BASE",
        "SIGLUME_WEBHOOK_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
