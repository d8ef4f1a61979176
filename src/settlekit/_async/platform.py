"""The platform's own state."""

from settlekit._async.core import AsyncCore
from settlekit._calls import platform as calls
from settlekit.models import PlatformStatus


class AsyncPlatform:
    """Whether the platform works; no token travels."""

    def __init__(self, core: AsyncCore) -> None:
        self._core = core

    async def status(self) -> PlatformStatus:
        """Ask whether the platform works."""
        return await self._core.run(calls.status())
