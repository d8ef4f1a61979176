"""What nobody should read in a log, a repr or an error's text, taken out of it.

Two ways to know a secret: by what it looks like in a text, and by the name of the field
that holds it. What a request itself carries is known exactly and is taken out as it is.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

HIDDEN: Final = "[hidden]"
LEAST_LENGTH: Final = 8
"""A known secret that is shorter isn't looked for: "t" is in every message, and guards nothing."""

_LOOKS = re.compile(
    r"(?P<kept>\bBearer\s+|\bv1=|\bsiglume-external-402(?:-recurring)?-v1:)[^\s\"',;&)}\]]+"
    r"|\b(?:whsec|whs|cli|bpr)_[^\s\"',;&)}\]]+",
    re.IGNORECASE,
)
_NAMES = re.compile(
    r"(?:^|(?<!_by)_)(?:secret|token|signature|challenge|password|credential)$"
    r"|^buyer_(?:period_ref|user_id|id|ref|email|wallet)|_email$"
)


def redact(text: str, *known: str) -> str:
    """Return a text without what looks like a secret, and without the secrets known.

    Those known are taken out where they have ``LEAST_LENGTH`` characters or more.
    """
    for secret in known:
        if len(secret) >= LEAST_LENGTH:
            text = text.replace(secret, HIDDEN)
    return _LOOKS.sub(lambda found: (found["kept"] or "") + HIDDEN, text)


def is_secret(name: str) -> bool:
    """Say whether a field of this name holds a secret, or tells who a buyer is."""
    named = _NAMES.search(name.lower())
    return named is not None and not name.startswith("requires_")


def masked(value: object) -> object:
    """Return decoded JSON with its secrets hidden, for people to look at."""
    if isinstance(value, Mapping):
        named = cast("Mapping[Any, object]", value)
        return {
            name: HIDDEN if is_secret(str(name)) and each is not None else masked(each)
            for name, each in named.items()
        }
    if isinstance(value, list | tuple):
        return [masked(each) for each in cast("list[object]", value)]
    return redact(value) if isinstance(value, str) else value


def masked_repr(value: object) -> str:
    """Return the repr of decoded JSON with its secrets hidden."""
    return repr(masked(value))
