"""Bodies of a length and in chunks, read strictly."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlekit_mock.http.body import Body


def chunked(pieces: list[bytes]) -> bytes:
    """Write pieces as chunks."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.integers(1, 64))
def test_chunks_are_read_as_they_were_written(pieces: list[bytes], step: int) -> None:
    """However a body is cut, by its sender and by its reader, it arrives whole, and no further."""
    source = io.BytesIO(chunked(pieces) + b"GET /next")
    body = Body(source, None)
    read = b"".join(iter(lambda: body.read(step), b""))
    assert (read, body.ended, source.read()) == (b"".join(pieces), True, b"GET /next")


@given(st.binary(max_size=300), st.integers(0, 300))
def test_a_length_is_kept_to(sent: bytes, length: int) -> None:
    """A body ends where its length says, or is told from one that ended early."""
    source = io.BytesIO(sent)
    body = Body(source, length)
    short = len(sent) < length
    assert body.read_rest() is not short
    assert source.read() == sent[length:]


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"0",
        b"0\r\n",
        b"0\n\n",
        b"0\r\nTrailer: x",
        b"0\r\n" + b"Trailer: x\r\n" * 100,
        b"-1\r\na\r\n0\r\n\r\n",
        b"+1\r\na\r\n0\r\n\r\n",
        b"0x1\r\na\r\n0\r\n\r\n",
        b"1_0\r\n" + b"a" * 16 + b"\r\n0\r\n\r\n",
        b"\xd9\xa1\r\na\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\na",
        b"1" + b" " * 1000 + b"\r\na\r\n0\r\n\r\n",
        b"1\r\nab\r\n0\r\n\r\n",
    ],
)
def test_chunks_that_are_none_are_refused(sent: bytes) -> None:
    """A size that isn't hexadecimal digits, or isn't true, ends the reading."""
    with pytest.raises(ValueError, match=r"chunk|trailers"):
        Body(io.BytesIO(sent), None).read()


@pytest.mark.parametrize(("sent", "length"), [(b"ab", 3), (b"ffffffff\r\nab", None)])
def test_a_body_that_ends_early_is_told(sent: bytes, length: int | None) -> None:
    """Fewer bytes than were announced are no body."""
    with pytest.raises(ConnectionError):
        Body(io.BytesIO(sent), length).read()


@given(st.binary(max_size=200))
def test_any_bytes_are_a_body_or_a_refusal(sent: bytes) -> None:
    """Whatever a stranger sends as chunks, nothing but the two refusals comes of it."""
    try:
        read = Body(io.BytesIO(sent), None).read()
    except (ValueError, ConnectionError):
        read = b""
    assert len(read) <= len(sent)


def test_a_long_rest_is_left() -> None:
    """What nobody asked for is read to its end when that is near, and else left."""
    assert Body(io.BytesIO(b"a" * 60_000), 60_000).read_rest()
    assert not Body(io.BytesIO(b"a" * 200_000), 200_000).read_rest()
