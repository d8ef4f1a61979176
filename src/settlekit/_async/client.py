"""The client: one pool, a resource a noun."""

from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import attrs

from settlekit._async.buyer_statements import AsyncBuyerStatements
from settlekit._async.capabilities import AsyncCapabilities
from settlekit._async.checkout_sessions import AsyncCheckoutSessions
from settlekit._async.core import AsyncCore
from settlekit._async.merchants import AsyncMerchants
from settlekit._async.operations import AsyncOperations
from settlekit._async.payment_requirements import AsyncPaymentRequirements
from settlekit._async.platform import AsyncPlatform
from settlekit._async.provider_statements import AsyncProviderStatements
from settlekit._async.scheduled_payments import AsyncScheduledPayments
from settlekit._async.subscriptions import AsyncSubscriptions
from settlekit._async.top_ups import AsyncTopUps
from settlekit._async.transport import AsyncTransport
from settlekit._async.webhook_endpoints import AsyncWebhookEndpoints
from settlekit._calls import raw
from settlekit._codec import Result
from settlekit._flow import RetryPolicy
from settlekit._observing import Observer, OnRequest, OnResponse, OnRetry
from settlekit._requests import Options
from settlekit._settings import Token, settings

if TYPE_CHECKING:
    import httpx


class AsyncClient:
    """Talks to the platform, or to a mock of it.

    What isn't given comes from the environment (``SIGLUME_AUTH_TOKEN``, else
    ``SIGLUME_MERCHANT_AUTH_TOKEN``; ``SIGLUME_API_BASE``, or ``SIGLUME_ENV=sandbox``). The
    token may be a function, asked anew for each request; ``repr`` says where it came from.
    ``timeout`` is in seconds, for each step on the network (30, or what your ``http`` says);
    ``retries`` bounds a call as a whole. A client has one pool of connections, safe to share between tasks and made anew
    in a forked process, or uses yours (``http``), which it never closes. The
    hooks are told of each request, of what came of it and of each repetition; one that
    raises is logged and harms nobody. Raises ConfigurationError without a token or with a bad
    base URL; ClientUnusable once it is closed, or in another event loop.
    """

    def __init__(
        self,
        *,
        token: Token | None = None,
        base_url: str | None = None,
        timeout: float | None = None,
        retries: RetryPolicy | None = None,
        http: "httpx.AsyncClient | None" = None,
        admin_secret: str | None = None,
        on_request: OnRequest | None = None,
        on_response: OnResponse | None = None,
        on_retry: OnRetry | None = None,
    ) -> None:
        checked = settings(token=token, base_url=base_url, admin_secret=admin_secret)
        policy = RetryPolicy() if retries is None else retries
        options = Options(timeout_seconds=timeout, retries=policy)
        observer = Observer(on_request=on_request, on_response=on_response, on_retry=on_retry)
        core = AsyncCore(
            transport=AsyncTransport(http, encrypted=checked.encrypted),
            settings=checked,
            options=options,
            observer=observer,
        )
        self._attach(core, owner=True)

    def _attach(self, core: AsyncCore, *, owner: bool) -> None:
        self._core = core
        self._owner = owner
        self.merchants = AsyncMerchants(core)
        self.checkout_sessions = AsyncCheckoutSessions(core)
        self.payment_requirements = AsyncPaymentRequirements(core)
        self.capabilities = AsyncCapabilities(core)
        self.subscriptions = AsyncSubscriptions(core)
        self.scheduled_payments = AsyncScheduledPayments(core)
        self.webhook_endpoints = AsyncWebhookEndpoints(core)
        self.buyer_statements = AsyncBuyerStatements(core)
        self.provider_statements = AsyncProviderStatements(core)
        self.platform = AsyncPlatform(core)
        self.operations = AsyncOperations(core)
        self.top_ups = AsyncTopUps(core)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._core.settings}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the pool; a variant, or a client on your pool, leaves it open."""
        if self._owner:
            await self._core.transport.close()

    def with_options(
        self,
        *,
        timeout: float | None = None,
        headers: Mapping[str, str] | None = None,
        retries: RetryPolicy | None = None,
    ) -> Self:
        """Make a variant on the same pool, for one call or many; what isn't given stays."""
        now = self._core.options
        options = Options(
            timeout_seconds=now.timeout_seconds if timeout is None else timeout,
            headers={**now.headers, **(headers or {})},
            retries=now.retries if retries is None else retries,
        )
        variant = type(self).__new__(type(self))
        variant._attach(attrs.evolve(self._core, options=options), owner=False)
        return variant

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        json: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool | None = None,
    ) -> Result:
        """Reach what isn't wrapped: ``path`` starts with a slash, below the base URL.

        Returns ``data`` and ``response``. A GET is repeated as the retry policy says,
        other methods only where ``repeatable`` is true.
        """
        call = raw.request(
            method, path, query=query, json=json, headers=headers, repeatable=repeatable
        )
        return await self._core.run(call)
