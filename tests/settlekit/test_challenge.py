import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit import challenge
from settlekit.errors import InvalidArgument

TERMS = {"merchant": "shop", "amount_minor": 1200, "currency": "JPY"}

nonces = st.text(
    st.characters(exclude_characters=":", exclude_categories=["Cs", "Z", "Cc"]), min_size=1
)


@given(nonce=nonces, amount_minor=st.integers(1, 2**53 - 1))
def test_what_is_signed_verifies(nonce: str, amount_minor: int) -> None:
    """A challenge holds for its terms and for no other amount."""
    terms = {**TERMS, "amount_minor": amount_minor}
    signed = challenge.sign(secret="s", nonce=nonce, **terms)
    assert challenge.verify(signed, secret="s", **terms)
    other = {**TERMS, "amount_minor": amount_minor % (2**53 - 1) + 1}
    assert not challenge.verify(signed, secret="s", **other)


@pytest.mark.parametrize(
    "change",
    [
        {"secret": "other"},
        {"merchant": "shop2"},
        {"amount_minor": 1201},
        {"currency": "USD"},
    ],
)
def test_any_other_term_breaks_a_challenge(change: dict[str, object]) -> None:
    """Secret, merchant, amount and currency are all under the signature."""
    signed = challenge.sign(secret="s", **TERMS)
    assert not challenge.verify(signed, **{"secret": "s", **TERMS, **change})  # type: ignore[arg-type]


def test_the_two_schemes_never_pass_for_each_other() -> None:
    """A one-time challenge isn't a recurring one, nor the other way round."""
    once = challenge.sign(secret="s", nonce="n", **TERMS)
    monthly = challenge.sign_recurring(secret="s", nonce="n", cadence="monthly", **TERMS)
    renamed = monthly.replace(challenge.RECURRING_SCHEME, challenge.SCHEME)
    assert not challenge.verify_recurring(once, secret="s", cadence="monthly", **TERMS)
    assert not challenge.verify(monthly, secret="s", **TERMS)
    assert not challenge.verify(renamed, secret="s", **TERMS)


def test_a_recurring_challenge_binds_its_cadence() -> None:
    """Monthly isn't daily."""
    monthly = challenge.sign_recurring(secret="s", cadence=" Monthly ", **TERMS)
    assert challenge.verify_recurring(monthly, secret="s", cadence="monthly", **TERMS)
    assert not challenge.verify_recurring(monthly, secret="s", cadence="daily", **TERMS)


def test_normal_forms_are_signed() -> None:
    """White space and case don't change a challenge."""
    tidy = challenge.sign(secret="s", nonce="n", **TERMS)
    untidy = challenge.sign(
        secret=" s ", merchant=" SHOP\n", amount_minor=1200, currency=" jpy", nonce=" n "
    )
    assert untidy == tidy
    assert challenge.verify(f" {tidy} ", secret="s", **TERMS)
    assert challenge.challenge_hash(f" {tidy} ") == challenge.challenge_hash(tidy)


def test_a_nonce_is_drawn_where_none_is_given() -> None:
    """Two challenges for the same terms differ."""
    assert challenge.sign(secret="s", **TERMS) != challenge.sign(secret="s", **TERMS)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"nonce": "a:b"}, "nonce"),
        ({"nonce": "  "}, "nonce"),
        ({"nonce": "\ud800"}, "nonce"),
        ({"merchant": ""}, "merchant"),
        ({"merchant": "-shop"}, "merchant"),
        ({"merchant": "shop:1"}, "merchant"),
        ({"merchant": "s" * 97}, "merchant"),
        ({"merchant": "\u212aiosk"}, "merchant"),
        ({"amount_minor": True}, "amount_minor"),
        ({"amount_minor": 0}, "amount_minor"),
        ({"currency": "EUR"}, "currency"),
        ({"secret": " "}, "secret"),
        ({"secret": None}, "secret"),
    ],
)
def test_what_has_no_normal_form_is_refused(change: dict[str, object], field: str) -> None:
    """The error names the field; letters that merely fold into ASCII don't count."""
    with pytest.raises(InvalidArgument) as caught:
        challenge.sign(**{"secret": "s", **TERMS, **change})  # type: ignore[arg-type]
    assert caught.value.field == field


def test_an_unknown_cadence_is_refused() -> None:
    """Only monthly and daily can be signed."""
    with pytest.raises(InvalidArgument, match="cadence must be monthly or daily"):
        challenge.sign_recurring(secret="s", cadence="weekly", **TERMS)


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip))
def test_no_text_passes_for_a_challenge(text: str) -> None:
    """A stranger's text verifies as False, and never raises."""
    assert challenge.verify(text, secret="s", **TERMS) is False


@pytest.mark.parametrize("text", ["", " ", None, "\ud800"])
def test_no_challenge_at_all_is_the_callers_mistake(text: object) -> None:
    """The error names the field."""
    with pytest.raises(InvalidArgument, match="challenge"):
        challenge.verify(text, secret="s", **TERMS)  # type: ignore[arg-type]


def test_a_challenge_with_a_padded_nonce_is_a_forgery() -> None:
    """White space inside a challenge can't make two texts of one signature."""
    scheme, nonce, signature = challenge.sign(secret="s", nonce="n", **TERMS).split(":")
    assert not challenge.verify(f"{scheme}: {nonce}:{signature}", secret="s", **TERMS)
