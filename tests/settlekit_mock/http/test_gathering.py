"""What has come of a request takes a thread when it is whole, or will never be."""

import pytest

from settlekit_mock.http.gathering import HEAD_LIMIT, SHORT_BODY, Gathered

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


def length(size: int) -> bytes:
    return POST + b"Content-Length: %d\r\n\r\n" % size


@pytest.mark.parametrize(
    ("come", "ready", "upload"),
    [
        (b"", False, False),
        (b"G", False, False),
        (GET[:-1], False, False),
        (GET, True, False),
        (b"\r\n" + GET[:-2], False, False),
        (b"GET / HTTP/1.1\nHost: localhost\r\n", True, False),
        (b"\n", True, False),
        (b"a" * (HEAD_LIMIT + 1), True, False),
        (length(0), True, False),
        (length(18), False, False),
        (length(18) + b"a" * 17, False, False),
        (length(18) + b"a" * 18, True, False),
        (length(18) + b"a" * 18 + GET, True, False),
        (length(SHORT_BODY), False, False),
        (length(SHORT_BODY) + b"a" * SHORT_BODY, True, False),
        (length(SHORT_BODY + 1), True, True),
        (length(10**15), True, False),
        (POST + b"content-LENGTH:18\r\n\r\n", False, False),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n", True, True),
        (POST + b"Expect: 100-continue\r\nContent-Length: 18\r\n\r\n", True, True),
        (length(18)[:-4] + b"\r\nContent-Length: 3\r\n\r\n" + b"a" * 17, False, False),
    ],
)
def test_a_request_is_ready_when_it_is_whole(come: bytes, ready: bool, upload: bool) -> None:
    """However it comes, at once or byte by byte, it is ready at the same byte."""
    at_once, slowly = Gathered(), Gathered()
    at_once.add(come)
    for number in range(len(come) if len(come) < 1000 else 0):
        assert not slowly.is_ready
        slowly.add(come[number : number + 1])
        if slowly.is_ready:
            assert ready
            break
    assert (at_once.is_ready, at_once.is_upload) == (ready, upload)
    assert slowly.is_ready == (ready and len(come) < 1000)


def test_what_was_read_too_far_comes_first() -> None:
    """Half of the next request is put back, and is ready with the other half."""
    gathered = Gathered()
    gathered.add(GET + GET[:9])
    assert gathered.take(len(GET) + 4) == GET + GET[:4]
    gathered.put_back(GET[:4])
    assert (gathered.is_ready, len(gathered)) == (False, 9)
    gathered.add(GET[9:])
    assert gathered.is_ready
    assert gathered.take(1000) == GET


def test_a_caller_who_hung_up_is_ready() -> None:
    """There is nothing to wait for."""
    gathered = Gathered()
    gathered.add(GET[:9])
    gathered.is_over = True
    assert gathered.is_ready


def test_a_request_begins_with_its_first_byte() -> None:
    """Bytes that follow don't put its beginning off, and its end forgets it."""
    times = iter([5.0, 9.0])
    gathered = Gathered(lambda: next(times))
    gathered.add(b"")
    assert gathered.began_at is None
    for piece in (GET[:3], GET[3:6], GET[6:]):
        gathered.add(piece)
        assert gathered.began_at == 5.0
    gathered.take(1000)
    assert gathered.began_at is None
    gathered.add(GET)
    assert gathered.began_at == 9.0
