"""Read arguments of commands: durations and times."""

import argparse
import re

from settlekit_mock.kernel.times import duration_from_text, from_text

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?", re.ASCII)
_SHORT = re.compile(
    r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,8})h)?(?:(\d{1,9})m)?(?:(\d{1,10})s)?", re.ASCII
)


def duration(text: str) -> str | float:
    """Read a duration such as 7d, 1h30m, P7D or 90 (seconds), as the server takes it."""
    if _SECONDS.fullmatch(text):
        return float(text)
    written = _as_iso_8601(text)
    try:
        duration_from_text(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; or one such as 7d or 1h30m, or a number of seconds"
        ) from error
    return written


def _as_iso_8601(text: str) -> str:
    found = _SHORT.fullmatch(text)
    if not text or found is None:
        return text
    parts = [f"{part}{unit}" for part, unit in zip(found.groups(), "WDHMS", strict=True) if part]
    days = "".join(part for part in parts if part[-1] in "WD")
    hours = "".join(part for part in parts if part[-1] in "HMS")
    return f"P{days}T{hours}" if hours else f"P{days}"


def time(text: str) -> str:
    """Read an RFC 3339 time."""
    try:
        from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
