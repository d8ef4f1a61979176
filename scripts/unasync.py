"""Write ``settlekit/_sync`` from ``settlekit/_async``, or say where they differ (--check).

The async client is written by hand; its twin is made here and checked in. Names change
by the table below, ``async`` and ``await`` go, and what stands between ``# async only:``
marks goes too; a ``# sync only:`` comment becomes the line it holds.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "settlekit" / "_async"
TARGET = ROOT / "src" / "settlekit" / "_sync"

HEADER = "# Made from settlekit/_async by scripts/unasync.py: edit that, then run it again.\n"

NAMES = (
    (r"\basync (?=def|with|for\b)", ""),
    (r"\bawait ", ""),
    (r"\bAsyncPageCall\b", "Page"),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\basync_sleep\b", "sleep"),
    (r"\basync_deadline\b", "deadline"),
    (r"\b_async\b", "_sync"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\b__aiter__\b", "__iter__"),
    (r"\b__anext__\b", "__next__"),
    (r"\bStopAsyncIteration\b", "StopIteration"),
    (r"\baread\b", "read"),
    (r"\baclose\b", "close"),
    (r"\baiter_bytes\b", "iter_bytes"),
    (r"\bThe async client\b", "The sync client"),
    (r"\bsafe to share between tasks\b", "safe to share between threads"),
    (
        r"; ClientUnusable once it is closed, or in another event loop\.",
        "; ClientUnusable once it is closed.",
    ),
)


def translate(text: str) -> str:
    """Return the sync twin of a module's text."""
    text = re.sub(r" *# async only: begin\n.*?# async only: end\n", "", text, flags=re.DOTALL)
    text = text.replace("# sync only: ", "")
    for pattern, replacement in NAMES:
        text = re.sub(pattern, replacement, text)
    return HEADER + text


def tidy(text: str, name: str) -> str:
    """Sort imports and lay the lines out as everywhere else."""
    fixed = _ruff(
        [
            *("check", "--fix", "--unsafe-fixes", "--exit-zero", "--quiet"),
            *("--select", "I,F401,C416,UP028"),
            *("--config", 'lint.isort.known-first-party = ["settlekit"]'),
        ],
        text,
        name,
    )
    return _ruff(["format", "--quiet"], fixed, name)


def _ruff(arguments: list[str], text: str, name: str) -> str:
    command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", name, "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def wanted() -> dict[str, str]:
    """Return the twin's files by name, whole."""
    return {
        path.name: tidy(translate(path.read_text("utf-8")), str(TARGET / path.name))
        for path in sorted(SOURCE.glob("*.py"))
    }


def present() -> dict[str, str]:
    """Return the files that are checked in, whole."""
    return {path.name: path.read_text("utf-8") for path in sorted(TARGET.glob("*.py"))}


def main(arguments: list[str]) -> int:
    """Write the twin, or with --check compare it; 1 says that they differ."""
    twin = wanted()
    if "--check" in arguments:
        there = present()
        wrong = [n for n in sorted(twin.keys() | there.keys()) if twin.get(n) != there.get(n)]
        for name in wrong:
            print(f"settlekit/_sync/{name} is not what settlekit/_async says")
        return 1 if wrong else 0
    TARGET.mkdir(exist_ok=True)
    for name in present().keys() - twin.keys():
        (TARGET / name).unlink()
    for name, text in twin.items():
        (TARGET / name).write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
