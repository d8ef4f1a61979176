"""Answers that go on and on: few at a time, and ended together."""

import threading

from settlekit_mock.kernel.problems import Problem

MOST = 4
"""Streams at once: each keeps a thread of the server, and the other calls need some."""


class Place:
    """One stream's place among the few, kept until ``leave``; ``over`` says that it must end."""

    def __init__(self, streams: "Streams") -> None:
        self._streams = streams
        self.over = threading.Event()

    def leave(self) -> None:
        """Make room for another stream; asked twice, it does so once."""
        self.over.set()
        self._streams.left(self)


class Streams:
    """The streams of one world."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._lock = threading.Lock()

    def enter(self) -> Place:
        """Take a place, or raise a ``Problem`` (503) when all are taken."""
        with self._lock:
            if len(self._places) >= MOST:
                raise Problem(
                    f"{MOST} streams are open, which is as many as there may be; close one",
                    status=503,
                    code="TOO_MANY_STREAMS",
                    headers={"Retry-After": "1"},
                )
            place = Place(self)
            self._places.add(place)
            return place

    def left(self, place: Place) -> None:
        """Count a stream no longer."""
        with self._lock:
            self._places.discard(place)

    def end(self) -> None:
        """Let every stream end: the server stops, or the world isn't the same any more."""
        with self._lock:
            for place in self._places:
                place.over.set()
