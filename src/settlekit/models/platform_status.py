"""The platform's own state."""

import attrs

from settlekit.models.base import Model
from settlekit.models.states import PlatformState


@attrs.frozen(kw_only=True, getstate_setstate=False)
class PlatformStatus(Model):
    """Whether the platform works: ``operational`` when it does."""

    status: PlatformState
