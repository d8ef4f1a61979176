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
CALLS = 5
PATH = "/v1/sdrp/direct-payments/checkout-sessions/chk_1"


def measure(scale: Scale) -> Iterator[Figure]:
    with (
        fixed_server(BODY) as url,
        httpx.Client() as http,
        Client(token="token", base_url=f"{url}/v1") as client,
    ):
        official_client = official.DirectRequestPaymentMerchantClient(
            auth_token="token", base_url=f"{url}/v1"
        )
        ours = timed(lambda: client.checkout_sessions.get("chk_1"), CALLS)
        bare = timed(lambda: http.get(f"{url}{PATH}").json(), CALLS)
        theirs = timed(lambda: official_client.get_checkout_session("chk_1"))
        # Apart, for a call that takes a hundred times as long lets the others' server sleep.
        yield _figure("bare pooled httpx", medians(scale.pick(200, 1_000), ours, bare), 1.2)
        yield _figure("official, a client a call", medians(scale.pick(20, 100), ours, theirs), 0.04)


def _figure(against: str, found: list[float], limit: float) -> Figure:
    return Figure(
        work="a GET on loopback",
        ours=found[0],
        theirs=found[1],
        against=against,
        unit=Unit.SECONDS,
        target=ratio_at_most(limit),
    )
