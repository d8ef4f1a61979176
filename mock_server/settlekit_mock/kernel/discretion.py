"""Reprs without secrets: what stands in a log or a failed test may be read by anybody."""

import re
from typing import Any, Final

SECRET: Final = re.compile(r"(^|(?<!_by)_)(secret|token)$")
"""What a field is called that holds a token or a secret."""


def discreet_repr(value: Any) -> str:
    """Return a struct's or named tuple's repr without its tokens and secrets."""
    names = getattr(value, "_fields", None) or value.__struct_fields__
    shown = [f"{name}={getattr(value, name)!r}" for name in names if not SECRET.search(name)]
    return f"{type(value).__name__}({', '.join(shown)})"
