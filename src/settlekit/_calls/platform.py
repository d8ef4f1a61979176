"""The platform's own state."""

import attrs

from settlekit import _codec
from settlekit._calls.call import Auth, Call, get
from settlekit.models import PlatformStatus


def status() -> Call[PlatformStatus]:
    """Ask whether the platform works; open to all, so no token travels."""
    call = get("/sdrp/direct-payments/status", _codec.one(PlatformStatus))
    return attrs.evolve(call, auth=Auth.NOBODY)
