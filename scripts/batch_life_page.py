"""Write the table and the picture of docs/batch-life.md from the rules of settlement.

    python scripts/batch_life_page.py            # writes docs/
    python scripts/batch_life_page.py --check    # exits 1 where docs/ is out of date

Where a state stands and which way an arrow runs is laid out by hand below; which states
and moves there are comes from the table alone, and one without a place is an error.
"""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

from settlekit_mock.settlement.rules.batch_life import (
    FAILED,
    INITIAL,
    NOTICE_DELIVERY_FAILED,
    NOTICE_PENDING,
    PAST_DUE,
    READY,
    RECONCILE_REQUIRED,
    RETRYING,
    SETTLED,
    STATES,
    SUBMITTED,
    TERMINAL,
    TRANSITIONS,
    UNCOLLECTIBLE,
    WRITTEN_OFF,
    BatchState,
    Move,
    Mover,
    Transition,
)
from settlekit_mock.settlement.rules.standing import TERMINAL_BUCKETS, Bucket, bucket_of

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "batch-life.md"
PICTURE = DOCS / "pictures" / "batch-life.svg"
BEGIN = "<!-- moves: written by scripts/batch_life_page.py -->"
END = "<!-- end of moves -->"


def move_table() -> str:
    """Return the moves as a Markdown table, one row each, in the rules' order."""
    rows = [
        f"| {_code(row.source)} | `{row.move}` | {_code(row.target)} | {row.mover} | {row.guard} |"
        for row in TRANSITIONS
    ]
    return "\n".join(
        ["| from | move | to | made by | when |", "| --- | --- | --- | --- | --- |", *rows]
    )


def _code(state: BatchState) -> str:
    return " / ".join(f"`{word}`" for word in str(state).split(" / "))


def page_with_moves(page: str) -> str:
    """Return the page with the table between its two markers written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, behind = rest.partition(END)
    return f"{before}{BEGIN}\n{move_table()}\n{END}{behind}"


# The layout: five columns, four rows, boxes around their middles.
WIDTH, HEIGHT = 1264, 540
BOX_WIDTH, BOX_HEIGHT = 180, 52
A, B, C, D, E = 104, 384, 618, 896, 1160
ROW_1, ROW_2, ROW_3, ROW_4 = 88, 218, 348, 464
CORNER = 10
Point = tuple[int, int]

PLACES: dict[BatchState, Point] = {
    NOTICE_PENDING: (A, ROW_1),
    NOTICE_DELIVERY_FAILED: (A, ROW_2),
    READY: (B, ROW_1),
    SUBMITTED: (D, ROW_1),
    RECONCILE_REQUIRED: (D, ROW_2),
    FAILED: (C, ROW_2),
    RETRYING: (D, ROW_3),
    PAST_DUE: (B, ROW_3),
    SETTLED: (E, ROW_2),
    UNCOLLECTIBLE: (A, ROW_4),
    WRITTEN_OFF: (B, ROW_4),
}


class Arrow(NamedTuple):
    """The way of a move: its points, its label's place and that place's side."""

    points: tuple[Point, ...]
    label: Point
    anchor: str = "middle"


def _top(row: int) -> int:
    return row - BOX_HEIGHT // 2


def _bottom(row: int) -> int:
    return row + BOX_HEIGHT // 2


def _left(column: int) -> int:
    return column - BOX_WIDTH // 2


def _right(column: int) -> int:
    return column + BOX_WIDTH // 2


ARROWS: dict[tuple[BatchState, Move], Arrow] = {
    (NOTICE_PENDING, Move.RECORD_NOTICE): Arrow(
        ((_right(A), ROW_1), (_left(B), ROW_1)), (244, ROW_1 - 8)
    ),
    (NOTICE_PENDING, Move.FAIL_NOTICE): Arrow(
        ((A, _bottom(ROW_1)), (A, _top(ROW_2))), (A + 8, 158), "start"
    ),
    (NOTICE_DELIVERY_FAILED, Move.RECORD_NOTICE): Arrow(
        ((_right(A), ROW_2 - 13), (B - 72, ROW_2 - 13), (B - 72, _bottom(ROW_1))),
        (202, ROW_2 - 20),
        "start",
    ),
    (NOTICE_DELIVERY_FAILED, Move.REDELIVER_NOTICE): Arrow(
        ((_right(A), ROW_2 + 13), (B - 46, ROW_2 + 13), (B - 46, _bottom(ROW_1))),
        (202, ROW_2 + 29),
        "start",
    ),
    (NOTICE_DELIVERY_FAILED, Move.FAIL_NOTICE): Arrow(
        (
            (A + 34, _bottom(ROW_2)),
            (A + 34, _bottom(ROW_2) + 28),
            (A - 34, _bottom(ROW_2) + 28),
            (A - 34, _bottom(ROW_2)),
        ),
        (A, _bottom(ROW_2) + 45),
    ),
    (READY, Move.SUBMIT): Arrow(((_right(B), ROW_1), (_left(D), ROW_1)), (C + 22, ROW_1 - 8)),
    (SUBMITTED, Move.CONFIRM): Arrow(
        ((_right(D), ROW_1), (E, ROW_1), (E, _top(ROW_2))), (1050, ROW_1 - 8)
    ),
    (SUBMITTED, Move.REFUSE): Arrow(
        (
            (D - 60, _bottom(ROW_1)),
            (D - 60, 156),
            (C, 156),
            (C, _top(ROW_2)),
        ),
        (730, 148),
    ),
    (SUBMITTED, Move.LOSE_OUTCOME): Arrow(
        ((D, _bottom(ROW_1)), (D, _top(ROW_2))), (D + 8, 158), "start"
    ),
    (RECONCILE_REQUIRED, Move.FIND_RECEIPT): Arrow(
        ((_right(D), ROW_2), (_left(E), ROW_2)), (1028, ROW_2 - 8)
    ),
    (RECONCILE_REQUIRED, Move.RESOLVE_FAILED): Arrow(
        ((_left(D), ROW_2), (_right(C), ROW_2)), (757, ROW_2 - 8)
    ),
    (RETRYING, Move.CONFIRM): Arrow(
        ((_right(D), ROW_3), (E, ROW_3), (E, _bottom(ROW_2))), (1050, ROW_3 - 8)
    ),
    (RETRYING, Move.REFUSE): Arrow(
        ((_left(D), ROW_3 - 13), (C + 48, ROW_3 - 13), (C + 48, _bottom(ROW_2))),
        (740, ROW_3 - 20),
    ),
    (RETRYING, Move.LOSE_OUTCOME): Arrow(
        ((D, _top(ROW_3)), (D, _bottom(ROW_2))), (D + 8, 288), "start"
    ),
    (FAILED, Move.RESUBMIT): Arrow(
        ((C, _bottom(ROW_2)), (C, ROW_3 + 13), (_left(D), ROW_3 + 13)), (712, ROW_3 + 29)
    ),
    (FAILED, Move.EXHAUST): Arrow(
        ((_left(C), ROW_2), (B + 52, ROW_2), (B + 52, _top(ROW_3))), (B + 60, 288), "start"
    ),
    (PAST_DUE, Move.REQUEUE): Arrow(
        ((B - 8, _top(ROW_3)), (B - 8, _bottom(ROW_1))), (B - 16, 288), "end"
    ),
    (PAST_DUE, Move.MARK_UNCOLLECTIBLE): Arrow(
        ((_left(B), ROW_3), (A, ROW_3), (A, _top(ROW_4))), (200, ROW_3 - 8)
    ),
    (PAST_DUE, Move.WRITE_OFF): Arrow(
        ((B, _bottom(ROW_3)), (B, _top(ROW_4))), (B + 8, 410), "start"
    ),
}

TINTS: dict[Bucket, str] = {
    Bucket.UNSETTLED: "unsettled",
    Bucket.PAST_DUE: "past-due",
    Bucket.SETTLED: "settled",
    **dict.fromkeys(sorted(TERMINAL_BUCKETS), "given-up"),
}
MOVERS: dict[Mover, str] = {
    Mover.CLOCK: "the clock",
    Mover.CHAIN: "the chain's answer",
    Mover.OPERATOR: "an operator",
}

STYLE = """
    svg { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; }
    .ground { fill: #ffffff; stroke: #d0d7de; }
    text { fill: #1f2328; font-size: 13px; }
    .name { font-size: 13.5px; font-weight: 600; text-anchor: middle; }
    .execution { font-size: 11.5px; text-anchor: middle; }
    .box { stroke: #57606a; stroke-width: 1.2; }
    .end { fill: none; stroke: #57606a; stroke-width: 1; }
    .unsettled { fill: #f6f8fa; }
    .past-due { fill: #ffe7d1; }
    .settled { fill: #d6f5dd; }
    .given-up { fill: #dfe3e8; }
    .start { fill: #1f2328; }
    .arrow { fill: none; stroke-width: 1.6; }
    .clock { stroke: #0550ae; }
    .chain { stroke: #1a7f37; stroke-width: 2.6; }
    .operator { stroke: #a04100; stroke-dasharray: 6 4; }
    .clock-tip { fill: #0550ae; }
    .chain-tip { fill: #1a7f37; }
    .operator-tip { fill: #a04100; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #161b22; stroke: #30363d; }
      text, .start { fill: #e6edf3; }
      .box, .end { stroke: #8b949e; }
      .unsettled { fill: #21262d; }
      .past-due { fill: #47290f; }
      .settled { fill: #12381f; }
      .given-up { fill: #3a424c; }
      .clock { stroke: #79b8ff; }
      .chain { stroke: #56d364; }
      .operator { stroke: #ffa657; }
      .clock-tip { fill: #79b8ff; }
      .chain-tip { fill: #56d364; }
      .operator-tip { fill: #ffa657; }
    }
"""


def picture() -> str:
    """Return the states and moves as an SVG drawing that stands by itself."""
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
                ' aria-labelledby="title description">'
            ),
            '  <title id="title">The life of a batch</title>',
            (
                '  <desc id="description">Each box is a state, each arrow a move. '
                f"{_sentences()}</desc>"
            ),
            f"  <style>{STYLE}  </style>",
            "  <defs>",
            *[_tip(mover) for mover in Mover],
            "  </defs>",
            (
                f'  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}"'
                ' rx="8"/>'
            ),
            *_start(),
            *[line for row in TRANSITIONS for line in _arrow(row)],
            *[line for state in STATES for line in _box(state)],
            *_legend(),
            "</svg>",
            "",
        ]
    )


def _sentences() -> str:
    return " ".join(f"{row.source}: {row.move} leads to {row.target}." for row in TRANSITIONS)


def _tip(mover: Mover) -> str:
    return (
        f'    <marker id="{mover}-tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="11"'
        ' markerHeight="11" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path class="{mover}-tip" d="M 0 1 L 10 5 L 0 9 z"/></marker>'
    )


def _start() -> list[str]:
    x, y = PLACES[INITIAL]
    return [
        f'  <circle class="start" cx="{x}" cy="24" r="5"/>',
        f'  <path class="arrow clock" marker-end="url(#clock-tip)" d="M {x} 29 L {x} {_top(y)}"/>',
        f'  <text x="{x + 12}" y="29">the period closes with usage in it</text>',
    ]


def _arrow(row: Transition) -> list[str]:
    arrow = ARROWS[row.source, row.move]
    x, y = arrow.label
    return [
        (
            f'  <path class="arrow {row.mover}" marker-end="url(#{row.mover}-tip)"'
            f' d="{_rounded(arrow.points)}"/>'
        ),
        f'  <text x="{x}" y="{y}" text-anchor="{arrow.anchor}">{row.move}</text>',
    ]


def _rounded(points: tuple[Point, ...]) -> str:
    """Return a path along points, right angles between them, with round corners."""
    path = [f"M {points[0][0]} {points[0][1]}"]
    for before, corner, behind in zip(points, points[1:], points[2:], strict=False):
        (x1, y1), (x2, y2) = _towards(corner, before), _towards(corner, behind)
        path.append(f"L {x1} {y1} Q {corner[0]} {corner[1]} {x2} {y2}")
    return " ".join([*path, f"L {points[-1][0]} {points[-1][1]}"])


def _towards(corner: Point, other: Point) -> Point:
    """Return the point a corner's radius away from it on the way to another."""
    return (
        corner[0] + max(-CORNER, min(CORNER, other[0] - corner[0])),
        corner[1] + max(-CORNER, min(CORNER, other[1] - corner[1])),
    )


def _box(state: BatchState) -> list[str]:
    x, y = PLACES[state]
    lines = [_rectangle(f"box {TINTS[bucket_of(state.status)]}", x, y, 0)]
    if state in TERMINAL:
        lines.append(_rectangle("end", x, y, 4))
    status, _, execution = str(state).partition(" / ")
    if not execution:
        execution = "final" if state in TERMINAL else state.execution_status
    return [
        *lines,
        f'  <text class="name" x="{x}" y="{y - 3}">{status}</text>',
        f'  <text class="execution" x="{x}" y="{y + 15}">{execution}</text>',
    ]


def _rectangle(style: str, x: int, y: int, inset: int) -> str:
    return (
        f'  <rect class="{style}" x="{_left(x) + inset}" y="{_top(y) + inset}"'
        f' width="{BOX_WIDTH - 2 * inset}" height="{BOX_HEIGHT - 2 * inset}" rx="{8 - inset}"/>'
    )


def _legend() -> list[str]:
    lines = []
    for number, (mover, words) in enumerate(MOVERS.items()):
        y = ROW_4 - 22 + 24 * number
        lines += [
            (
                f'  <path class="arrow {mover}" marker-end="url(#{mover}-tip)"'
                f' d="M {C + 10} {y} L {C + 66} {y}"/>'
            ),
            f'  <text x="{C + 78}" y="{y + 4}">made by {words}</text>',
        ]
    for number, tint in enumerate(dict.fromkeys(TINTS.values())):
        y = ROW_4 - 22 + 24 * number
        lines += [
            f'  <rect class="box {tint}" x="{D + 30}" y="{y - 8}" width="24" height="16" rx="3"/>',
            f'  <text x="{D + 66}" y="{y + 4}">counts as {tint.replace("-", " ")}</text>',
        ]
    return lines


def main(arguments: list[str] | None = None) -> int:
    """Write the page and the picture, or check them."""
    parser = argparse.ArgumentParser(description="Write docs/batch-life.md from the rules.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if out of date")
    wanted = {PAGE: page_with_moves(PAGE.read_text("utf-8")), PICTURE: picture()}
    if parser.parse_args(arguments).check:
        stale = [path.name for path, text in wanted.items() if path.read_text("utf-8") != text]
        print(*[f"{name} is out of date" for name in stale], sep="\n", file=sys.stderr)
        return 1 if stale else 0
    for path, text in wanted.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
