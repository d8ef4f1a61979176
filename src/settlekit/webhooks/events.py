"""Events as the platform sends them."""

from typing import Annotated

import attrs
import msgspec

from settlekit._redaction import masked_repr
from settlekit.errors import PayloadError
from settlekit.models.base import Instant, JsonObject, Model, remember

Text = Annotated[str, msgspec.Meta(min_length=1)]


@attrs.frozen(kw_only=True, getstate_setstate=False)
class Event(Model):
    """One event; ``data`` is as it came, for its kinds are told apart by what is in it.

    The same event can come twice, late and out of order: its ``id`` stays the same.
    """

    id: Text
    type: Text
    api_version: Text
    occurred_at: Instant
    data: JsonObject = attrs.field(repr=masked_repr)

    @property
    def sandbox(self) -> bool:
        """Whether a sandbox sent it, where no money moves."""
        return self.data.get("environment") == "sandbox"

    @property
    def readiness_probe(self) -> bool:
        """Whether it only tests the endpoint: handlers skip it."""
        probe = self.data.get("readiness_probe")
        return probe is True or self.data.get("mode") == "readiness_probe"


def read_event(body: bytes | str) -> Event:
    """Read an event from its raw body, or raise PayloadError."""
    try:
        event = _decoder.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise PayloadError(f"the body isn't an event: {error}") from error
    remember(event, body)
    return event


_decoder = msgspec.json.Decoder(Event)
