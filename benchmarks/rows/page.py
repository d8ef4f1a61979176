"""A page of 500 usage events, from an answer's bytes to objects."""

from collections.abc import Iterator

import httpx
import siglume_direct_request_payment as official
from figures import Figure, Unit, ratio_at_most
from measuring import Scale, medians, timed
from samples import answering, usage_page

from settlekit import Client

BASE_URL = "http://127.0.0.1:8787/v1"


def measure(scale: Scale) -> Iterator[Figure]:
    body = usage_page()
    http = answering(lambda _: httpx.Response(200, content=body))
    client = Client(token="token", base_url=BASE_URL, http=http)
    their_client = official.DirectRequestPaymentClient(
        auth_token="token", base_url=BASE_URL, client=http
    )

    def ours() -> object:
        return client.provider_statements.usage_events(limit=500).items

    def theirs() -> object:
        return their_client.list_provider_usage_events(limit=500)["items"]

    found = medians(scale.pick(101, 301), timed(ours), timed(theirs))
    yield Figure(
        work="a page of 500 usage events to objects",
        ours=found[0],
        theirs=found[1],
        against="official, dicts",
        unit=Unit.SECONDS,
        target=ratio_at_most(1.0),
    )
