"""A webhook: verify, parse and classify."""

import hmac
import time
from collections.abc import Iterator
from hashlib import sha256

import siglume_direct_request_payment as official
from figures import Figure, Unit, ratio_at_most
from measuring import Scale, medians, timed
from samples import webhook_body

from settlekit import webhooks

SECRET = "whsec_benchmark"


def measure(scale: Scale) -> Iterator[Figure]:
    body = webhook_body()
    header = webhooks.sign(body, SECRET, timestamp=int(time.time()))

    def ours() -> object:
        return webhooks.classify(webhooks.verify(body, header, SECRET))

    def theirs() -> object:
        verified = official.verify_direct_request_payment_webhook(SECRET, body, header)
        return official.classify_direct_payment_confirmation(verified["event"])

    def floor() -> object:
        return hmac.digest(SECRET.encode(), body, sha256)

    samples = (timed(work, 50) for work in (ours, theirs, floor))
    found = medians(scale.pick(201, 1001), *samples)
    yield Figure(
        work=f"webhook: verify, parse, classify ({len(body)} bytes)",
        ours=found[0],
        theirs=found[1],
        against="official, untyped",
        unit=Unit.SECONDS,
        target=ratio_at_most(0.7),
        note=f"webhook: the HMAC alone takes {found[2] * 1e6:.3g} µs",
    )
