"""What the exam found: for people, for programs, for a build server."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any
from xml.etree import ElementTree as ET

import attrs

from settlekit.testing.exam.checks import Check


class Verdict(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_EXAMINED = "not examined"


@attrs.frozen
class Mark:
    """One check's verdict; ``seen`` says what was seen, or what was missing to examine it."""

    check: Check
    verdict: Verdict
    seen: str = ""
    seconds: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the mark for JSON."""
        return {
            "name": self.check.name,
            "title": self.check.title,
            "verdict": self.verdict.value,
            "seen": self.seen,
            "why": self.check.why,
            "fix": self.check.fix,
            "seconds": round(self.seconds, 3),
        }


@attrs.frozen
class Report:
    """All marks, in the order of the checks."""

    marks: Sequence[Mark]

    @property
    def passed(self) -> bool:
        """Whether nothing failed; what wasn't examined is listed, and fails nothing."""
        return not self.failed

    @property
    def failed(self) -> list[Mark]:
        """The checks that failed."""
        return [mark for mark in self.marks if mark.verdict is Verdict.FAILED]

    @property
    def not_examined(self) -> list[Mark]:
        """The checks that couldn't be made with what was given."""
        return [mark for mark in self.marks if mark.verdict is Verdict.NOT_EXAMINED]

    def __str__(self) -> str:
        """Say what failed, why it matters and how to mend it."""
        counts = (f"{len(self.failed)} failed", f"{len(self.not_examined)} not examined")
        lines = [f"{len(self.marks)} checks, {', '.join(counts)}"]
        for mark in self.failed:
            told = (f"\n{mark.check.name}: {mark.check.title}", f"  seen: {mark.seen}")
            lines += [*told, f"  why:  {mark.check.why}", f"  fix:  {mark.check.fix}"]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        counted = {verdict.value.replace(" ", "_"): 0 for verdict in Verdict}
        for mark in self.marks:
            counted[mark.verdict.value.replace(" ", "_")] += 1
        return {**counted, "checks": [mark.to_dict() for mark in self.marks]}

    def to_junit(self) -> str:
        """Return the report as JUnit's XML, which build servers show."""
        suite = ET.Element(
            "testsuite",
            name="settlekit webhooks exam",
            tests=str(len(self.marks)),
            failures=str(len(self.failed)),
            skipped=str(len(self.not_examined)),
        )
        for mark in self.marks:
            suite.append(_case(mark))
        return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _case(mark: Mark) -> ET.Element:
    case = ET.Element(
        "testcase", classname="webhooks", name=mark.check.name, time=f"{mark.seconds:.3f}"
    )
    if mark.verdict is Verdict.FAILED:
        failure = ET.SubElement(case, "failure", message=_xml(mark.seen))
        failure.text = f"{mark.check.why}\n{mark.check.fix}"
    elif mark.verdict is Verdict.NOT_EXAMINED:
        ET.SubElement(case, "skipped", message=_xml(mark.seen))
    return case


def _xml(text: str) -> str:
    """Escape what XML 1.0 has no place for."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else repr(character)[1:-1]
        for character in text
    )
