"""A reference mock server for payment settlement: weeks of it in a second."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from settlekit_mock.app import create_app
    from settlekit_mock.in_process import MockServer

__all__ = ["MockServer", "create_app"]


if not TYPE_CHECKING:  # which would take any name for one that is here

    def __getattr__(name: str) -> Any:
        # Loaded when asked for: a rule is imported without the server around it.
        if name == "MockServer":
            from settlekit_mock.in_process import MockServer

            return MockServer
        if name == "create_app":
            from settlekit_mock.app import create_app

            return create_app
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
