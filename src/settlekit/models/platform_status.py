"""The platform's own state."""

import attrs

from settlekit.models.base import Model


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PlatformStatus(Model):
    """Whether the platform works: ``operational`` when it does."""

    status: str
