# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.
"""The platform's own state."""

from settlekit._calls import platform as calls
from settlekit._sync.core import Core
from settlekit.models import PlatformStatus


class Platform:
    """Whether the platform works; no token travels."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def status(self) -> PlatformStatus:
        """Ask whether the platform works."""
        return self._core.run(calls.status())
