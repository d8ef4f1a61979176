"""What befalls a body on its way: candidates for what it was before, and where two differ."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

BOM: Final = b"\xef\xbb\xbf"
CONTEXT: Final = 12
LARGEST_JSON: Final = 1 << 20
_STRAY = re.compile(r"[\s\u00a0\u200b\u200c\u200d\ufeff\"']+")

TOLD: Final = {
    "json": ("rewritten_json", "JSON was parsed and written again"),
    "bom": ("bom", "a byte order mark was added or lost"),
    "newline": ("newline", "a line end was added, lost or changed"),
    "charset": ("charset", "it was read in another charset than UTF-8 and written again"),
}

_STYLES: Final[tuple[dict[str, Any], ...]] = tuple(
    {"separators": separators, "ensure_ascii": ascii_only, "sort_keys": in_order, "indent": indent}
    for indent, separators in ((None, (",", ":")), (None, (", ", ": ")), (2, (",", ": ")))
    for ascii_only in (False, True)
    for in_order in (False, True)
)


def bare_secret(secret: str) -> str:
    """Return a secret without white space and quotes."""
    return _STRAY.sub("", secret)


def candidates(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Give what a body may have been, each with the name of what befell it."""
    yield "bom", body.removeprefix(BOM)
    yield "bom", BOM + body
    for stripped in (body.rstrip(b"\r\n"), body.strip()):
        yield "newline", stripped
        yield "newline", stripped + b"\n"
        yield "newline", stripped + b"\r\n"
    yield "newline", body.replace(b"\r\n", b"\n")
    yield "newline", body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    for name, other in _charsets(body):
        yield name, other
    for name, other in _written_again(body):
        yield name, other


def _charsets(body: bytes) -> Iterator[tuple[str, bytes]]:
    for read, written in (("utf-8", "latin-1"), ("utf-8", "cp1252"), ("latin-1", "utf-8")):
        try:
            yield "charset", body.decode(read).encode(written)
        except UnicodeError:
            continue
    for wide in ("utf-16", "utf-16-le", "utf-16-be"):
        try:
            yield "charset", body.decode(wide).encode()
        except UnicodeError:
            continue


def _written_again(body: bytes) -> Iterator[tuple[str, bytes]]:
    if len(body) > LARGEST_JSON:
        return
    try:
        value = json.loads(body)
        for style in _STYLES:
            yield "json", json.dumps(value, **style).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return


def what_befell(sent: bytes, arrived: bytes) -> str | None:
    """Name what made one body of another, if it is any of what is known to befall them."""
    named = (name for name, body in candidates(arrived) if body == sent)
    return next(named, "json" if _same_json(sent, arrived) else None)


def _same_json(one: bytes, other: bytes) -> bool:
    """Say whether two different bodies mean the same."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except (ValueError, RecursionError):
        return False


def first_difference(sent: bytes, arrived: bytes) -> str:
    """Say where two bodies part, with some bytes of each."""
    pairs = zip(sent, arrived, strict=False)
    at = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(sent), len(arrived)))
    begin = max(0, at - CONTEXT)
    shown = [body[begin : at + CONTEXT].decode("utf-8", "replace") for body in (sent, arrived)]
    return f"first differs at byte {at}: {shown[0]!r} was sent, {shown[1]!r} arrived"
