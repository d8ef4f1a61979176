"""Amounts: units, wire strings, fees and plans."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit.money import Band, format_minor
from settlekit_mock.settlement.rules.amounts import (
    CURRENCIES_BY_TOKEN,
    LARGEST_AMOUNT_MINOR,
    METERED_FEE,
    PLANS,
    UNITS_PER_MINOR,
    plan_named,
    split_metered,
    standard_fee_minor,
    units_from_wire,
    units_of,
    wire_minor,
)

CURRENCIES = st.sampled_from(["JPY", "USD"])
AMOUNTS = st.integers(-(2**63) + 1, 2**63 - 1)


def test_a_yen_is_a_hundred_million_units_and_a_cent_a_million() -> None:
    """Units are 10⁻⁸ of a major unit: a yen is one, a cent a hundredth of one."""
    assert (units_of(1, "JPY"), units_of(1, "USD")) == (100_000_000, 1_000_000)


def test_the_largest_amount_fits_63_bits_and_the_next_major_unit_does_not() -> None:
    """The largest amount is the last whole major unit that a 63-bit int holds."""
    jpy, usd = LARGEST_AMOUNT_MINOR["JPY"], LARGEST_AMOUNT_MINOR["USD"]
    assert units_of(jpy, "JPY") < 2**63 <= units_of(jpy + 1, "JPY")
    assert units_of(usd, "USD") < 2**63 <= units_of(usd + 100, "USD")


def test_a_token_stands_for_its_currency() -> None:
    """JPYC is for JPY, USDC for USD."""
    assert dict(CURRENCIES_BY_TOKEN) == {"JPYC": "JPY", "USDC": "USD"}


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (9_800_000_000, "JPY", "98"),
        (20_000_000, "JPY", "0.2"),
        (100_000, "USD", "0.1"),
        (1, "JPY", "0.00000001"),
        (1, "USD", "0.000001"),
        (0, "JPY", "0"),
        (-20_000_000, "JPY", "-0.2"),
        (1_000_000_000_000, "JPY", "10000"),
    ],
)
def test_the_wire_string_has_no_exponent_and_no_trailing_zeros(
    amount: int, currency: str, text: str
) -> None:
    """Units go out as plain decimal strings of minor units."""
    assert wire_minor(amount, currency) == text


@given(AMOUNTS, CURRENCIES)
def test_the_wire_string_is_exact(amount: int, currency: str) -> None:
    """A wire string is the very amount, written as the library writes the Decimal."""
    exact = Decimal(amount).scaleb(-8 if currency == "JPY" else -6)
    assert wire_minor(amount, currency) == format_minor(exact)


@given(AMOUNTS, CURRENCIES)
def test_the_wire_string_reads_back_as_the_same_units(amount: int, currency: str) -> None:
    """Writing and reading an amount loses nothing."""
    assert units_from_wire(wire_minor(amount, currency), currency) == amount


@pytest.mark.parametrize(("text", "currency"), [("0.000000001", "JPY"), ("0.0000001", "USD")])
def test_an_amount_finer_than_a_unit_is_refused(text: str, currency: str) -> None:
    """What units can't tell apart is refused, never rounded."""
    with pytest.raises(ValueError, match="places of a minor unit"):
        units_from_wire(text, currency)


@pytest.mark.parametrize("text", ["", "1e3", "１", "NaN", "+1", " 1", "1_0"])
def test_what_is_no_decimal_string_is_refused(text: str) -> None:
    """Only plain ASCII decimals are amounts."""
    with pytest.raises(ValueError, match="decimal string"):
        units_from_wire(text, "JPY")


def test_metered_fees_are_fixed_by_band_and_currency() -> None:
    """Nano costs 0.2 yen or 0.1 cents, micro 2 yen or 1 cent."""
    assert dict(METERED_FEE) == {
        ("JPY", Band.NANO): 20_000_000,
        ("JPY", Band.MICRO): 200_000_000,
        ("USD", Band.NANO): 100_000,
        ("USD", Band.MICRO): 1_000_000,
    }


def test_a_hundred_yen_leave_ninety_eight() -> None:
    """A micro payment of 100 yen debits 100, costs 2 and leaves 98."""
    split = split_metered(100, "JPY")
    assert split.band is Band.MICRO
    texts = [wire_minor(part, "JPY") for part in (split.gross, split.fee, split.receivable)]
    assert texts == ["100", "2", "98"]


@given(st.data(), CURRENCIES)
def test_a_split_adds_up(data: st.DataObject, currency: str) -> None:
    """Fee and receivable are the gross, to the unit."""
    amount_minor = data.draw(st.integers(1, 500 if currency == "JPY" else 300))
    split = split_metered(amount_minor, currency)
    assert split.gross == split.fee + split.receivable == units_of(amount_minor, currency)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "receivable"),
    [(1, "JPY", "0.8"), (50, "JPY", "48"), (1, "USD", "0.9"), (31, "USD", "30")],
)
def test_the_smallest_price_of_each_band_leaves_something(
    amount_minor: int, currency: str, receivable: str
) -> None:
    """No fee eats its price: the smallest of every band leaves a positive receivable."""
    assert wire_minor(split_metered(amount_minor, currency).receivable, currency) == receivable


@pytest.mark.parametrize(("amount_minor", "currency"), [(501, "JPY"), (301, "USD")])
def test_a_standard_amount_is_not_split_as_metered(amount_minor: int, currency: str) -> None:
    """The standard band has no metered fee."""
    with pytest.raises(ValueError, match="isn't metered"):
        split_metered(amount_minor, currency)


@pytest.mark.parametrize(
    ("name", "bps", "jpy", "usd"),
    [
        ("launch", 180, 0, 0),
        ("starter", 100, 980, 600),
        ("growth", 70, 2980, 1800),
        ("pro", 50, 9800, 6000),
        ("free", 180, 0, 0),
    ],
)
def test_a_plan_has_its_rate_and_base_fees(name: str, bps: int, jpy: int, usd: int) -> None:
    """Each plan has its basis points and base fees; free is an old name of launch."""
    plan = plan_named(name)
    assert (plan.settlement_fee_bps, dict(plan.monthly_fee_minor)) == (
        bps,
        {"JPY": jpy, "USD": usd},
    )


def test_a_legacy_name_becomes_the_plan_of_today() -> None:
    """A merchant who asks for free is on launch."""
    assert plan_named("free").name == "launch"


def test_an_unknown_plan_is_refused() -> None:
    """A name that is no plan's is a ValueError that lists the plans."""
    with pytest.raises(ValueError, match="launch, starter, growth, pro"):
        plan_named("platinum")


@pytest.mark.parametrize(
    ("amount_minor", "plan", "fee"),
    [
        (10_025, "launch", 180),  # 180.45
        (10_027, "launch", 180),  # 180.486
        (10_028, "launch", 181),  # 180.504
        (12_500, "growth", 88),  # 87.5
        (10_100, "pro", 51),  # 50.5
        (10_099, "pro", 50),  # 50.495
    ],
)
def test_the_rate_rounds_half_up_to_a_whole_minor_unit(
    amount_minor: int, plan: str, fee: int
) -> None:
    """Half a minor unit and more goes up, less goes down."""
    assert standard_fee_minor(amount_minor, "JPY", PLANS[plan]) == fee


@pytest.mark.parametrize(
    ("amount_minor", "currency", "fee"),
    [
        (501, "JPY", 30),
        (1_694, "JPY", 30),
        (1_695, "JPY", 31),
        (301, "USD", 20),
        (1_139, "USD", 21),
    ],
)
def test_a_small_standard_payment_costs_the_minimum(
    amount_minor: int, currency: str, fee: int
) -> None:
    """A standard payment costs at least 30 yen or 20 cents, applied after rounding."""
    assert standard_fee_minor(amount_minor, currency, PLANS["launch"]) == fee


@given(st.integers(501, 2**53 - 1), CURRENCIES, st.sampled_from(sorted(PLANS)))
def test_a_standard_fee_is_within_half_a_minor_unit_of_the_rate(
    amount_minor: int, currency: str, name: str
) -> None:
    """Above the minimum, a fee is the exact rate rounded; it is always below the price."""
    plan = PLANS[name]
    fee = standard_fee_minor(amount_minor, currency, plan)
    exact = Decimal(amount_minor) * plan.settlement_fee_bps / 10_000
    minimum = 30 if currency == "JPY" else 20
    assert fee == minimum or Decimal("-0.5") <= exact - fee < Decimal("0.5")
    assert minimum <= fee < amount_minor


def test_units_know_both_currencies_and_no_other() -> None:
    """JPY and USD are all the currencies there are."""
    assert set(UNITS_PER_MINOR) == set(LARGEST_AMOUNT_MINOR) == {"JPY", "USD"}
