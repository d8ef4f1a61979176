"""Read arguments of commands: durations and times."""

import argparse
import re

from settlekit_mock.driver.calls import as_iso_8601
from settlekit_mock.kernel.times import duration_from_text, from_text

_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,3})?", re.ASCII)


def duration(text: str) -> str | float:
    """Read a duration such as 7d, 1h30m, P7D or 90 (seconds), as the server takes it."""
    if _SECONDS.fullmatch(text):
        return float(text)
    written = as_iso_8601(text)
    try:
        duration_from_text(written)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{error}; or one such as 7d or 1h30m, or a number of seconds"
        ) from error
    return written


def time(text: str) -> str:
    """Read an RFC 3339 time."""
    try:
        from_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text
