import pytest


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
