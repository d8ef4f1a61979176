"""Checks of who is believed: only bytes that were just signed with the secret."""

import json
from collections.abc import Callable

from settlekit.testing.exam import events
from settlekit.testing.exam.checks import check
from settlekit.testing.exam.sitting import (
    Finding,
    Sitting,
    must_accept,
    must_not_fail,
    must_refuse,
)

OTHER_SECRET = "whsec_exam_of_somebody_else"  # noqa: S105 - nobody's
TOO_OLD_SECONDS = 600
HUGE_BYTES = 2 << 20
VERIFY = "Verify the raw body with settlekit.webhooks.verify before anything else is read."


@check(
    "valid",
    why="This is how you learn that you were paid.",
    fix="Answer 2xx once the order is marked as paid.",
)
def valid(sitting: Sitting) -> None:
    """A valid delivery is accepted and takes effect."""
    order = sitting.order()
    before = sitting.state(order) if sitting.knows_orders else None
    must_accept(sitting.tell(events.event(events.standard_settled(order))), "a settled payment")
    if sitting.sees_effects() and sitting.state(order) == before:
        raise Finding(f"the payment settled, and the order is still {before!r}")


@check(
    "missing_header",
    why="Anyone can post to your endpoint.",
    fix=VERIFY,
)
def missing_header(sitting: Sitting) -> None:
    """A delivery without a signature is refused."""
    _refused(sitting, lambda _: None, "a delivery with no signature")


@check(
    "wrong_secret",
    why="Anyone can sign with a secret of their own.",
    fix=VERIFY,
)
def wrong_secret(sitting: Sitting) -> None:
    """A signature of another secret is refused."""
    _refused(
        sitting,
        lambda body: sitting.header(body, secret=OTHER_SECRET),
        "a delivery signed with another secret",
    )


@check(
    "malformed_header",
    why="A parser that breaks answers 500, and the error may show more than it should.",
    fix="Catch settlekit.webhooks.SignatureError, and answer 400 with nothing in the body.",
)
def malformed_header(sitting: Sitting) -> None:
    """A signature header that makes no sense is refused."""
    body = events.body_of(events.event(events.standard_settled(sitting.order())))
    good = sitting.header(body)
    for header in ("t=,v1=", "v1=" + "0" * 64, good.split(",")[0], "t=1e9,v1=xyz", "x" * 3000):
        must_refuse(sitting.send(body, header), f"a header {header[:40]!r}")


@check(
    "tampered",
    why="Who can change an amount can buy anything for a yen.",
    fix=VERIFY,
)
def tampered(sitting: Sitting) -> None:
    """A body that was changed on its way is refused."""
    order = sitting.order()
    body = events.body_of(events.event(events.standard_settled(order)))
    changed = body.replace(b'"chain_exam', b'"chain_else')
    must_refuse(sitting.send(changed, sitting.header(body)), "a body changed after signing")
    sitting.must_be_unpaid(order, "a changed body was delivered")


@check(
    "reserialised",
    why="The signature is over bytes. Who verifies a copy verifies something nobody signed.",
    fix="Read the raw body (Flask: request.get_data(); Django: request.body; Starlette: await "
    "request.body()) and verify that.",
)
def reserialised(sitting: Sitting) -> None:
    """JSON that was parsed and written again doesn't pass for what was signed."""
    order = sitting.order()
    told = events.event(events.standard_settled(order))
    header = sitting.header(events.body_of(told))
    for copy in (json.dumps(told), json.dumps(told, indent=2), json.dumps(told, sort_keys=True)):
        must_refuse(sitting.send(copy.encode(), header), "the same JSON in other bytes")
    sitting.must_be_unpaid(order, "JSON in other bytes than the signed ones was delivered")


@check(
    "raw_bytes",
    why="White space and the order of keys are the sender's to choose, and may change any day.",
    fix="Verify the raw body, not one that was parsed and written again.",
)
def raw_bytes(sitting: Sitting) -> None:
    """Whatever way the JSON is written, the bytes that were signed are accepted."""
    order = sitting.order()
    told = events.event({"note": "naïve ☕", **events.standard_settled(order)})
    body = json.dumps(dict(reversed(told.items())), indent=3).encode() + b"\n"
    must_accept(sitting.send(body, sitting.header(body)), "a valid delivery, spaced differently")
    sitting.must_be_paid_once(order, "a delivery that is spaced differently")


@check(
    "stale",
    why="A delivery that somebody recorded could be played again for ever.",
    fix="Keep the tolerance of 300 s, and the machine's clock right.",
)
def stale(sitting: Sitting) -> None:
    """An old signature is refused."""
    _refused(
        sitting,
        lambda body: sitting.header(body, seconds=-TOO_OLD_SECONDS),
        f"a signature {TOO_OLD_SECONDS} s old",
    )


@check(
    "future",
    why="One made ahead of time stays good until its time has come, and 300 s more.",
    fix="Check the timestamp on both sides of now.",
)
def future(sitting: Sitting) -> None:
    """A signature from the future is refused."""
    _refused(
        sitting,
        lambda body: sitting.header(body, seconds=TOO_OLD_SECONDS),
        f"a signature {TOO_OLD_SECONDS} s ahead",
    )


@check(
    "rotated_secret",
    why="For 24 h each delivery is signed by the new secret and by the old one.",
    fix="Accept any v1 of the header that matches.",
)
def rotated_secret(sitting: Sitting) -> None:
    """While the secret is rotated, either signature is enough."""
    order = sitting.order()
    body = events.body_of(events.event(events.standard_settled(order)))
    header = sitting.header_of(body, [OTHER_SECRET, None])
    must_accept(sitting.send(body, header), "a new secret's signature before yours")
    sitting.must_be_paid_once(order, "a delivery signed by two secrets")


@check(
    "several_signatures",
    why="Once you have the new secret, the old one's signature still follows.",
    fix="Accept any v1 of the header that matches, not just the last.",
)
def several_signatures(sitting: Sitting) -> None:
    """A signature that comes before others is found."""
    order = sitting.order()
    body = events.body_of(events.event(events.standard_settled(order)))
    header = sitting.header_of(body, [None, OTHER_SECRET, OTHER_SECRET + "2"])
    must_accept(sitting.send(body, header), "your signature before two others")
    sitting.must_be_paid_once(order, "a delivery signed by three secrets")


@check(
    "not_json",
    why="A handler that parses first breaks on whatever a stranger posts.",
    fix=VERIFY,
)
def not_json(sitting: Sitting) -> None:
    """A body that isn't JSON is refused before it is parsed."""
    for body in (b"", b"{", b"hello", b"[" * 5000):
        must_refuse(sitting.send(body, sitting.header(body, secret=OTHER_SECRET)), f"{body[:8]!r}")
        must_not_fail(sitting.send(body, sitting.header(body)), f"{body[:8]!r}, well signed")


@check(
    "not_an_event",
    why="An error that nobody expected is delivered again and again, and fills your log.",
    fix="Catch settlekit.webhooks.PayloadError, and answer 400.",
)
def not_an_event(sitting: Sitting) -> None:
    """JSON that isn't an event doesn't break the endpoint."""
    for body in (b"[]", b"null", b'{"id":7}', b'{"id":"evt_1","type":"x","data":[]}'):
        must_not_fail(sitting.send(body, sitting.header(body)), body.decode())


@check(
    "non_utf8",
    why="Bytes are verified; text is only what they may turn out to be.",
    fix="Verify bytes, and answer 400 to what can't be read.",
)
def non_utf8(sitting: Sitting) -> None:
    """A body that isn't UTF-8 doesn't break the endpoint."""
    body = events.body_of(events.event({"note": "?"})).replace(b'"?"', b'"\xff\xfe"')
    must_refuse(sitting.send(body, sitting.header(body, secret=OTHER_SECRET)), "bytes, not UTF-8")
    must_not_fail(sitting.send(body, sitting.header(body)), "bytes that aren't UTF-8, well signed")


@check(
    "huge_body",
    why="An endpoint that reads whatever comes can be filled up by anyone.",
    fix="Bound the body (1 MiB is plenty), and answer 413.",
)
def huge_body(sitting: Sitting) -> None:
    """A body of 2 MiB is refused."""
    order = sitting.order()
    told = events.event({**events.standard_settled(order), "note": "x" * HUGE_BYTES})
    body = events.body_of(told)
    answer = sitting.send(body, sitting.header(body))
    if answer.accepted or (answer.status or 0) >= 500:
        raise Finding(f"2 MiB: {answer}, and should be refused with 413")
    sitting.must_be_unpaid(order, "2 MiB were delivered")


@check(
    "refusal_says_nothing",
    why="An expected signature, a stack trace or a setting in the answer helps who guesses.",
    fix="Answer 400 with an empty body; put the reason into your own log.",
)
def refusal_says_nothing(sitting: Sitting) -> None:
    """A refusal tells a stranger nothing."""
    body = events.body_of(events.event(events.standard_settled(sitting.order())))
    answer = sitting.send(body, sitting.header(body, secret=OTHER_SECRET))
    expected = sitting.header(body).split("v1=")[1]
    said = answer.body.decode(errors="replace")
    if sitting.secret in said or expected in said or "Traceback" in said:
        raise Finding("the answer to a bad signature has a secret, a signature or a trace in it")


def _refused(sitting: Sitting, header: Callable[[bytes], str | None], what: str) -> None:
    order = sitting.order()
    body = events.body_of(events.event(events.standard_settled(order)))
    must_refuse(sitting.send(body, header(body)), what)
    sitting.must_be_unpaid(order, f"{what} came")
