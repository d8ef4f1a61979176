from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit.errors import InvalidArgument
from settlekit.money import (
    BAND_LIMITS_MINOR,
    MAX_AMOUNT_MINOR,
    METERED_FEE_MINOR,
    TOKENS,
    Band,
    band_of,
    check_amount_minor,
    check_currency,
    format_minor,
    parse_minor,
)

decimals = st.decimals(
    min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False, places=8
)


@pytest.mark.parametrize(
    ("amount_minor", "currency", "band"),
    [
        (1, "JPY", Band.NANO),
        (49, "JPY", Band.NANO),
        (50, "JPY", Band.MICRO),
        (500, "JPY", Band.MICRO),
        (501, "JPY", Band.STANDARD),
        (1, "USD", Band.NANO),
        (30, "USD", Band.NANO),
        (31, "USD", Band.MICRO),
        (300, "USD", Band.MICRO),
        (301, "USD", Band.STANDARD),
        (MAX_AMOUNT_MINOR, "usd ", Band.STANDARD),
    ],
)
def test_an_amount_alone_chooses_its_band(amount_minor: int, currency: str, band: Band) -> None:
    """Each band starts and ends at its published amounts, in both currencies."""
    assert band_of(amount_minor, currency) is band


@given(amount_minor=st.integers(1, 2000), currency=st.sampled_from(sorted(TOKENS)))
def test_bands_rise_with_the_amount(amount_minor: int, currency: str) -> None:
    """One minor unit more never lowers the band."""
    order = [Band.NANO, Band.MICRO, Band.STANDARD]
    here, above = band_of(amount_minor, currency), band_of(amount_minor + 1, currency)
    assert order.index(here) <= order.index(above)


def test_every_metered_band_has_a_fee_below_its_smallest_price() -> None:
    """A seller never owes more than a payment brings."""
    for currency, (nano_last, _) in BAND_LIMITS_MINOR.items():
        assert METERED_FEE_MINOR[currency, Band.NANO] < 1
        assert METERED_FEE_MINOR[currency, Band.MICRO] < nano_last + 1


@pytest.mark.parametrize("amount", [0, -1, MAX_AMOUNT_MINOR + 1, True, 1.0, "1", None])
def test_an_amount_is_a_positive_int(amount: object) -> None:
    """Bools, floats and text aren't amounts, nor is what JSON can't hold exactly."""
    with pytest.raises(InvalidArgument, match="amount_minor must be"):
        check_amount_minor(amount)  # type: ignore[arg-type]


@pytest.mark.parametrize("currency", ["EUR", "", "JP¥", "ＪＰＹ", None, 392])
def test_a_currency_is_jpy_or_usd(currency: object) -> None:
    """No other currency, and none in another script's letters."""
    with pytest.raises(InvalidArgument, match="currency must be JPY or USD"):
        check_currency(currency)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "9" * 65,
        None,
        5,
        1.5,
        "",
        " 1",
        "1 ",
        "1_7",
        "１７",
        "1e5",
        "NaN",
        "Infinity",
        "+1",
        "01",
        ".5",
        "1.",
        "--1",
        "1\n",
    ],
)
def test_a_decimal_string_is_plain_ascii(text: object) -> None:
    """What Decimal() would take and the wire never says is refused."""
    with pytest.raises(InvalidArgument, match="decimal string of minor units"):
        parse_minor(text)  # type: ignore[arg-type]


@given(value=decimals)
def test_minor_units_survive_the_wire(value: Decimal) -> None:
    """Written and read again, an amount is the same."""
    assert parse_minor(format_minor(value)) == value


@given(value=decimals)
def test_a_decimal_string_is_canonical(value: Decimal) -> None:
    """Equal amounts have one text: no exponent, no trailing zeros, no minus zero."""
    text = format_minor(value)
    assert "E" not in text
    assert text == format_minor(value * Decimal("1.000"))
    assert not text.endswith(".")
    assert "." not in text or not text.endswith("0")
    assert text != "-0"


@pytest.mark.parametrize(
    ("value", "text"),
    [("98.000", "98"), ("0.20", "0.2"), ("1E+3", "1000"), ("-0.0", "0"), ("1E-8", "0.00000001")],
)
def test_a_decimal_string_reads_as_people_write_it(value: str, text: str) -> None:
    """The forms that Decimal prints with an exponent are written out."""
    assert format_minor(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_what_is_no_number_is_not_written(value: str) -> None:
    """NaN and infinities never reach the wire."""
    with pytest.raises(InvalidArgument, match="must be finite"):
        format_minor(Decimal(value))
