"""Why a signature doesn't hold: the doctor for endpoints that refuse what they should take.

It tries what usually goes wrong on the way from the socket to ``verify`` and says which of it
explains this signature. What it says holds no secret: one is named by its label and, where it is
long enough, by its last four characters, as the platform hints at it.
"""

import contextlib
import hmac
import math
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Final

import attrs

from settlekit.errors import InvalidArgument, PayloadError, SignatureError
from settlekit.webhooks import rewritings
from settlekit.webhooks.signature import TOLERANCE_SECONDS, verify_signature

HINTED_FROM: Final = 12
"""A shorter secret would lose too much with four characters told."""
WELL_KNOWN: Final = {"the local mock's own": "whsec_sandbox_local"}

_T = re.compile(r"(?:^|[,\s])t=([0-9]+)", re.ASCII)
_V1 = re.compile(r"v1=([0-9A-Fa-f]*)", re.ASCII)


@attrs.frozen
class Finding:
    """One thing that is wrong, or odd: a code to branch by, and a sentence."""

    code: str
    message: str


@attrs.frozen(kw_only=True)
class Explanation:
    """Whether a signature holds, and what was found; ``str()`` is for people."""

    verified: bool
    findings: tuple[Finding, ...]

    @property
    def codes(self) -> list[str]:
        """The findings' codes."""
        return [finding.code for finding in self.findings]

    def __str__(self) -> str:
        head = "the signature holds" if self.verified else "the signature doesn't hold"
        return "; ".join([head, *(finding.message for finding in self.findings)])


@attrs.frozen
class _Case:
    body: bytes
    header: str
    secrets: Mapping[str, str]
    known: Mapping[str, str]
    original: bytes | None
    tolerance_seconds: float
    now: float

    @property
    def timestamps(self) -> list[str]:
        return _T.findall(self.header)

    @property
    def signatures(self) -> list[str]:
        return [value.lower() for value in _V1.findall(self.header)]

    def signed_by(self, body: bytes, secret: str) -> bool:
        return any(_matches(self, stamp, body, secret) for stamp in self.timestamps)


def explain(
    body: object,
    header: str | None,
    secret: str | None = None,
    *,
    secrets: Sequence[str] | None = None,
    known: Mapping[str, str] | None = None,
    original: bytes | str | None = None,
    tolerance_seconds: float = TOLERANCE_SECONDS,
    now: Callable[[], float] = time.time,
) -> Explanation:
    """Say why a delivery's signature doesn't hold; the result holds no secret.

    ``known`` are further secrets that might have signed it, by label. ``original`` is the body
    as it was sent, where it is known: then the first difference is told. Whatever is given
    for a body or a header is explained, not raised at.
    """
    keys = [*([] if secret is None else [secret]), *(secrets or ())]
    if not isinstance(body, bytes | bytearray | memoryview | str):
        return _only("parsed_body", "the body was parsed: pass the raw bytes, as they came")
    if not keys:
        return _only("no_secret", "there is no secret to verify with")
    case = _Case(
        _bytes(body),
        header or "",
        _labelled(keys),
        {**(known or {}), **WELL_KNOWN},
        None if original is None else _bytes(original),
        tolerance_seconds,
        now(),
    )
    verified = _holds(case, header, keys)
    looks = (_secrets_findings, _header_findings, _time_findings, _signer_findings)
    findings = [finding for look in looks for finding in look(case)]
    if not findings and not verified:
        findings = [Finding("no_explanation", "no secret given made this signature of this body")]
    return Explanation(verified=verified, findings=tuple(findings))


Later = Callable[[bytes | None], Explanation]
_collector: ContextVar[list[Later] | None] = ContextVar("settlekit_explanations", default=None)


@contextlib.contextmanager
def collecting(original: bytes | None = None) -> Generator[list[Explanation], None, None]:
    """Collect why endpoints refuse what is delivered in this block, for a test's sender."""
    offered: list[Later] = []
    explained: list[Explanation] = []
    token = _collector.set(offered)
    try:
        yield explained
    finally:
        _collector.reset(token)
        explained += [explanation(original) for explanation in offered]


def offer(
    body: bytes,
    header: str | None,
    secrets: Sequence[str],
    tolerance_seconds: float,
    now: Callable[[], float],
) -> None:
    """Explain a refusal to whoever collects, and do nothing where nobody does."""
    offered = _collector.get()
    if offered is None:
        return

    def later(original: bytes | None) -> Explanation:
        return explain(
            body,
            header,
            secrets=secrets,
            original=original,
            tolerance_seconds=tolerance_seconds,
            now=now,
        )

    offered.append(later)


def _holds(case: _Case, header: str | None, keys: Sequence[str]) -> bool:
    try:
        verify_signature(
            case.body,
            header,
            keys,
            tolerance_seconds=case.tolerance_seconds,
            now=lambda: case.now,
        )
    except (SignatureError, PayloadError, InvalidArgument):
        return False
    return True


def _secrets_findings(case: _Case) -> Iterator[Finding]:
    for label, secret in case.secrets.items():
        if not secret.strip():
            yield Finding("empty_secret", f"{label} is empty")
        elif rewritings.bare_secret(secret) != secret:
            yield Finding(
                "secret_white_space", f"{label} has stray white space or quotes in or around it"
            )


def _header_findings(case: _Case) -> Iterator[Finding]:
    if not case.header.strip():
        yield Finding("missing_header", "there is no signature header: did a proxy drop it?")
        return
    if len(case.timestamps) > 1:
        yield Finding("doubled_header", "the header is there twice: a proxy or client joined two")
    if not case.timestamps:
        yield Finding("no_timestamp", "the header has no t=<unix seconds>: it was cut or rewritten")
    lengths = {len(value) for value in case.signatures}
    if not lengths:
        yield Finding("no_signature", "the header has no v1=<hex>: it was cut or rewritten")
    elif min(lengths) < 64:
        yield Finding(
            "truncated_header", f"a v1 has {min(lengths)} of 64 digits: the header is cut"
        )
    if any(value != value.lower() for value in _V1.findall(case.header)):
        yield Finding("upper_case", "a v1 is in upper case: the header was rewritten")


def _time_findings(case: _Case) -> Iterator[Finding]:
    if len(case.timestamps) != 1:
        return
    stamp = case.timestamps[0]
    if len(stamp) > 11 and len(stamp) <= 15:
        yield Finding("milliseconds", "t is in milliseconds: it must be in seconds")
        return
    if len(stamp) > 15:
        yield Finding("no_timestamp", "t is no instant")
        return
    skew = case.now - int(stamp)
    if abs(skew) > case.tolerance_seconds:
        side = "ago" if skew > 0 else "ahead"
        yield Finding(
            "clock_skew",
            f"it was signed {math.floor(abs(skew))} seconds {side}, and the tolerance is "
            f"{case.tolerance_seconds:g}: a clock is wrong, or the delivery is old",
        )


def _signer_findings(case: _Case) -> Iterator[Finding]:
    usable = {label: key for label, key in case.secrets.items() if key.strip()}
    if any(case.signed_by(case.body, key.strip()) for key in usable.values()):
        return
    yield from _difference(case)
    for name, body in _bodies(case):
        for label, secret in usable.items():
            if case.signed_by(body, rewritings.bare_secret(secret)):
                yield _rewritten(case, name, body, f"{label} ({_hint(secret)})")
                return
    candidates = [(f"{label}, as it should be", key) for label, key in _cleaned(usable)]
    for label, secret in [*candidates, *case.known.items()]:
        if any(case.signed_by(body, secret) for _, body in _bodies(case)):
            yield Finding("other_secret", f"it was signed with {label} ({_hint(secret)})")
            return


def _difference(case: _Case) -> Iterator[Finding]:
    if case.original is None or case.original == case.body:
        return
    where = rewritings.first_difference(case.original, case.body)
    befell = rewritings.what_befell(case.original, case.body)
    if befell is not None:
        code, told = rewritings.TOLD[befell]
        yield Finding(code, f"{told}: it {where}")
    elif case.original.startswith(case.body):
        cut = f"{len(case.body)} of {len(case.original)} bytes arrived: the body was cut off"
        yield Finding("truncated_body", cut)
    else:
        yield Finding("other_body", f"the body {where}")


def _bodies(case: _Case) -> Iterator[tuple[str, bytes]]:
    yield "", case.body
    if case.original is not None:
        yield "original", case.original
    yield from rewritings.candidates(case.body)


def _rewritten(case: _Case, name: str, body: bytes, signer: str) -> Finding:
    if name in {"", "original"}:
        return Finding("known_secret", f"as it was sent, it was signed with {signer}")
    code, told = rewritings.TOLD[name]
    where = rewritings.first_difference(body, case.body)
    return Finding(code, f"{told}: it {where}; it was signed with {signer}")


def _cleaned(secrets: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(label, rewritings.bare_secret(key)) for label, key in secrets.items()]


def _matches(case: _Case, stamp: str, body: bytes, secret: str) -> bool:
    made = hmac.new(_bytes(secret), stamp.encode() + b"." + body, "sha256").hexdigest()
    # A signature that was cut still tells who made it, if enough of it is left.
    return any(len(v1) >= 16 and made.startswith(v1) for v1 in case.signatures)


def _labelled(keys: Sequence[str]) -> dict[str, str]:
    if len(keys) == 1:
        return {"the secret": keys[0]}
    return {f"secret {number} of {len(keys)}": key for number, key in enumerate(keys, 1)}


def _hint(secret: str) -> str:
    bare = secret.strip()
    return f"…{bare[-4:]}" if len(bare) >= HINTED_FROM else "too short for a hint"


def _bytes(text: Any) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else bytes(text)


def _only(code: str, message: str) -> Explanation:
    return Explanation(verified=False, findings=(Finding(code, message),))
