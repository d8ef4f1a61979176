import time
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.kernel.problems import Invalid
from settlekit_mock.kernel.times import DAY, HOUR, MINUTE
from settlekit_mock.webhooks import rules


def test_retry_schedule() -> None:
    """A failed attempt is followed after 1 m, 5 m, 30 m, 2 h, 6 h, 12 h, 24 h and 24 h."""
    waits = [rules.next_attempt_at(count, 0) for count in range(1, 9)]
    assert waits == [MINUTE, 5 * MINUTE, 30 * MINUTE, *(n * HOUR for n in (2, 6, 12, 24, 24))]


def test_retries_end() -> None:
    """The ninth failed attempt is the last."""
    assert rules.next_attempt_at(9, 0) is None


@pytest.mark.parametrize(
    ("status", "counts"),
    [
        (200, True),
        (204, True),
        (299, True),
        (199, False),
        (300, False),
        (302, False),
        (500, False),
        (None, False),
    ],
)
def test_any_2xx_delivers(status: int | None, counts: bool) -> None:
    """Any 2xx delivers, and nothing else: no redirect, no error, no silence."""
    assert rules.delivered(status) is counts


def test_two_secrets_sign_during_a_rotation() -> None:
    """Until 24 hours are over the new secret signs first and the old one last."""
    assert rules.signing_secrets("new", "old", DAY, DAY - 1) == ("new", "old")


@pytest.mark.parametrize(("previous", "expires_at"), [("old", DAY), (None, None)])
def test_one_secret_signs_otherwise(previous: str | None, expires_at: int | None) -> None:
    """After the 24 hours, and without a rotation, the current secret signs alone."""
    assert rules.signing_secrets("new", previous, expires_at, DAY) == ("new",)


def test_event_types_come_once() -> None:
    """A type named twice is listened to once, in the order given."""
    assert rules.event_types(["b.two", "a.one", "b.two"]) == ("b.two", "a.one")


@pytest.mark.parametrize(
    "name",
    ["", "confirmed", "direct_payment.", "Direct.Payment", "a b.c", "支払.完了", "a.b\n", "*"],
)
def test_event_type_names(name: str) -> None:
    """What can't be an event type is refused."""
    with pytest.raises(Invalid, match="event_types"):
        rules.event_types([name])


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://shop.example/hook?x=1", "https://shop.example"),
        ("HTTPS://Shop.Example:443/hook", "https://shop.example"),
        ("https://shop.example:8443", "https://shop.example:8443"),
        ("http://localhost:3000/hook", "http://localhost:3000"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:3000/", "http://[::1]:3000"),
        ("http://[0:0:0:0:0:0:0:1]/", "http://[::1]"),
        ("  https://shop.example/  ", "https://shop.example"),
    ],
)
def test_origin_of_a_url(text: str, origin: str) -> None:
    """An origin is lower case and has no default port."""
    assert rules.read_url(text, "url").origin == origin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "shop.example",
        "/hook",
        "//shop.example/hook",
        "ftp://shop.example/",
        "javascript:alert(1)",
        "http://shop.example/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.evil.example/",
        "https://user@shop.example/",
        "https://user:pass@shop.example/",
        "https://@shop.example/",
        "https://shop.example:0/",
        "https://shop.example:65536/",
        "https://shop.example:x/",
        "https://shop example/",
        "https://shop.example/\r\nX: y",
        "https://shop.example\\@evil.example/",
        "https://[::1/",
        "https://店.example/",
        "https:///hook",
        "https://shop..example/",
        f"https://{'a' * 64}.example/",
        "https://shop.example/" + "a" * 2048,
    ],
)
def test_what_is_no_url(text: str) -> None:
    """A URL is absolute, ASCII, without user information, and https unless on a loopback name."""
    with pytest.raises(Invalid, match="url"):
        rules.read_url(text, "url")


def test_a_host_that_is_none_is_refused_at_once() -> None:
    """However long a host that ends wrongly is, reading it takes no time worth counting."""
    began = time.process_time()
    for host in ("a" * 27 + "!", "a" * 250 + "!", "a." * 125 + "!", "-" * 250):
        with pytest.raises(Invalid, match="url"):
            rules.read_url(f"https://{host}/", "url")
    assert time.process_time() - began < 1.0


@given(st.text())
def test_any_text_is_a_url_or_invalid(text: str) -> None:
    """Whatever a stranger sends, reading it gives a URL or the one documented refusal."""
    try:
        origin = rules.read_url(text, "url").origin
    except Invalid:
        return
    assert rules.read_url(origin, "url").origin == origin


LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"]
PUBLIC = ["93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"]
NEVER = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd00:ec2::254",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a9fe:a9fe",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "2606:2800:220:1:0:5efe:7f00:1",
    "2606:2800:220:1:200:5efe:a00:1",
    "2001:0:a9fe:a9fe::1",
    "not an address",
]


@pytest.mark.parametrize("address", LOOPBACK)
@pytest.mark.parametrize("remote_allowed", [False, True])
def test_loopback_is_allowed(address: str, remote_allowed: bool) -> None:
    """A receiver on this machine can always be reached."""
    assert rules.refusal([address], remote_allowed=remote_allowed) is None


@pytest.mark.parametrize("address", [*PUBLIC, *NEVER])
def test_only_loopback_unless_others_are_allowed(address: str) -> None:
    """Without leave nothing goes to another machine, however its address is written."""
    assert rules.refusal([address], remote_allowed=False) is not None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_with_leave(address: str) -> None:
    """With leave a delivery goes to public addresses."""
    assert rules.refusal([address], remote_allowed=True) is None


@pytest.mark.parametrize("address", NEVER)
def test_never_private_addresses(address: str) -> None:
    """Not even with leave does a delivery go to private, local, reserved or metadata addresses."""
    assert rules.refusal([address], remote_allowed=True) is not None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "a.localhost", "127.0.0.1", "[::1]", "::1"]
)
def test_names_of_this_machine(host: str) -> None:
    """The loopback names and addresses are known without asking."""
    assert rules.names_this_machine(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "shop.example",
        "localhost.example",
        "notlocalhost",
        "10.0.0.1",
        "[fe80::1]",
        "2130706433",
    ],
)
def test_names_of_other_machines(host: str) -> None:
    """Any other name might be anywhere."""
    assert not rules.names_this_machine(host)


def test_every_address_counts() -> None:
    """A name with one good and one bad address is refused."""
    assert rules.refusal(["127.0.0.1", "10.0.0.1"], remote_allowed=False) is not None
    assert rules.refusal(["93.184.216.34", "10.0.0.1"], remote_allowed=True) is not None


def test_a_name_without_addresses() -> None:
    """A name that resolves to nothing is refused."""
    assert rules.refusal([], remote_allowed=True) is not None


@given(st.ip_addresses(v=4).filter(lambda address: not rules.is_public(address)))
def test_no_embedding_launders_an_address(inner: IPv4Address) -> None:
    """An IPv4 address that is refused is refused in each IPv6 form that leads to it."""
    number = int(inner)
    forms = [
        f"::ffff:{inner}",
        f"::{inner}",
        str(IPv6Address((0x0064_FF9B << 96) | number)),
        str(IPv6Address((0x2002 << 112) | (number << 80) | 1)),
        str(IPv6Address((0x2606_2800_0220_0001 << 64) | (0x0000_5EFE << 32) | number)),
    ]
    assert [form for form in forms if rules.is_public(ip_address(form))] == []


@pytest.mark.parametrize(
    ("address", "inside"),
    [
        ("::ffff:10.0.0.1", ["10.0.0.1"]),
        ("::10.0.0.1", ["10.0.0.1"]),
        ("64:ff9b::a00:1", ["10.0.0.1"]),
        ("2002:a00:1::1", ["10.0.0.1"]),
        ("2001:0:5db8:d822:0:0:f5ff:fffe", ["93.184.216.34", "10.0.0.1"]),
        ("2606:2800:220:1:200:5efe:a00:1", ["10.0.0.1"]),
        ("2606:2800:220:1::1", []),
    ],
)
def test_embedded_addresses(address: str, inside: list[str]) -> None:
    """Each form of IPv6 address that carries IPv4 ones gives them away."""
    assert [str(inner) for inner in rules.embedded(IPv6Address(address))] == inside
