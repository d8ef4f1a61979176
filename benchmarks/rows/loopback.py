"""GETs on loopback, one after another."""

from collections.abc import Iterator

import httpx
import siglume_direct_request_payment as official
from figures import Figure, Unit, ratio_at_most
from measuring import Scale, medians, timed
from serving import fixed_server

from settlekit import Client

BODY = (
    b'{"data":{"session_id":"chk_1","merchant":"sandbox_merchant","currency":"JPY",'
    b'"token_symbol":"JPYC","amount_minor":1200,"status":"open","challenge_hash":"sha256:00",'
    b'"requirement_id":null,"pricing_band":"standard","settlement_cadence":"per_payment",'
    b'"finality":"per_payment_onchain","protocol_fee_minor":null,'
    b'"settlement_status":"pending_payment","chain_receipt_id":null,'
    b'"success_url":"https://shop.example/ok","cancel_url":"https://shop.example/no",'
    b'"checkout_url":"https://siglume.com/pay/chk_1","expires_at":"2026-03-01T00:30:00.000Z",'
    b'"authenticated_at":null,"paid_at":null,"cancelled_at":null,'
    b'"created_at":"2026-03-01T00:00:00.000Z","metadata_jsonb":{}},'
    b'"meta":{"request_id":"req_1","trace_id":"trace_1"}}'
)
PATH = "/v1/sdrp/direct-payments/checkout-sessions/chk_1"


def measure(scale: Scale) -> Iterator[Figure]:
    rounds, calls = scale.pick(5, 25), scale.pick(100, 500)
    with (
        fixed_server(BODY) as url,
        httpx.Client() as bare,
        Client(token="token", base_url=f"{url}/v1") as client,
    ):
        their_client = official.DirectRequestPaymentMerchantClient(
            auth_token="token", base_url=f"{url}/v1"
        )
        ours, theirs, floor = medians(
            rounds,
            timed(lambda: client.checkout_sessions.get("chk_1"), calls),
            timed(lambda: their_client.get_checkout_session("chk_1"), 2),
            timed(lambda: bare.get(f"{url}{PATH}").json(), calls),
        )
    for against, value, target in (
        ("official, a client a call", theirs, 1 / 25),
        ("bare pooled httpx", floor, 1.2),
    ):
        yield Figure(
            work="a GET on loopback",
            ours=ours,
            theirs=value,
            against=against,
            unit=Unit.SECONDS,
            target=ratio_at_most(target),
        )
