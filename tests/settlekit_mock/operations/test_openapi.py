"""What the OpenAPI document says of the operator's routes is what they answer."""

from typing import Any

from settlekit_mock.http.openapi import document
from settlekit_mock.operations.routes import ROUTES


def schema_of(method: str, path: str) -> tuple[dict[str, Any], dict[str, Any]]:
    described = document(ROUTES, version="0")
    answer = described["paths"][path][method]["responses"]["200"]
    return answer["content"]["application/json"]["schema"], described["components"]["schemas"]


def test_both_shapes_of_an_amount_are_described() -> None:
    """A payout has either ``amount_usd``, or ``currency`` and ``amount``: the schema says so."""
    schema, components = schema_of("get", "/v1/admin/payouts/{payout_id}")
    assert schema["oneOf"] == [
        {"required": ["amount_usd"]},
        {"required": ["currency", "amount"]},
    ]
    fields = components[schema["$ref"].rpartition("/")[2]]
    assert {"amount_usd", "amount", "currency"} <= set(fields["properties"])
    assert not {"amount_usd", "amount", "currency"} & set(fields["required"])


def test_the_shapes_are_described_within_lists() -> None:
    """The items of a reconciliation carry both shapes too."""
    schema, components = schema_of("get", "/v1/admin/reconciliation/ledger")
    items = components[schema["$ref"].rpartition("/")[2]]["properties"]["items"]["items"]
    assert [form["required"] for form in items["oneOf"]] == [
        ["wallet_balance_usd", "ledger_balance_usd", "delta_usd"],
        ["currency", "wallet_balance", "ledger_balance", "delta"],
    ]


def test_every_answer_names_its_fields() -> None:
    """No answer of these routes is an open object."""
    described = document(ROUTES, version="0")
    for schema in described["components"]["schemas"].values():
        assert schema.get("properties") or schema.get("enum") or schema["title"] == "NoFields"
