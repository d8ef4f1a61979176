"""The audit log: who did what to which resource, and when."""

from typing import Any

import attrs

from settlekit._redaction import masked_repr
from settlekit.models.base import Instant, JsonObject, Model


@attrs.frozen(kw_only=True, getstate_setstate=False)
class AuditEntry(Model):
    """One step that somebody took; entries never change."""

    id: str
    actor: str
    action: str
    resource: str
    created_at: Instant
    details: JsonObject = attrs.field(factory=dict[str, Any], repr=masked_repr)
