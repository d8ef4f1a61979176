from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from examples.demo.command import main

HEADER = "order_id,placed_at,customer,channel,item,amount_minor,currency"


@dataclass(frozen=True)
class Told:
    """What a run of the demo said, and where it wrote."""

    code: int
    out: str
    err: str
    output: Path


Play = Callable[..., Told]


@pytest.fixture
def play(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Play:
    """Play orders: lines without the header, text with it, or bytes as they are."""

    def run(*lines: str, content: bytes | None = None, customers: str | None = None) -> Told:
        orders, output = tmp_path / "month.csv", tmp_path / "out" / "put"
        raw = "\n".join((HEADER, *lines, "")).encode() if content is None else content
        orders.write_bytes(raw)
        if customers is not None:
            (tmp_path / "customers.csv").write_text(customers, "utf-8")
        code = main(["--orders", str(orders), "--output", str(output)])
        captured = capsys.readouterr()
        return Told(code, captured.out, captured.err, output)

    return run
