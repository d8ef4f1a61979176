"""A year of a platform: a million accepted payments, 18,000 batches, and twice as many payments."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Figure, Unit, at_most, ratio_at_most
from measuring import Scale

STORY = """
import json, re, time
from pathlib import Path
from samples import world_on_file
with world_on_file() as mock:
    wall, processor = time.perf_counter(), time.process_time()
    played = mock.scenarios.play("year_at_scale", scale={scale})
    status = Path("/proc/self/status").read_text()
    print(json.dumps({{
        "seconds": time.perf_counter() - wall,
        "processor_seconds": time.process_time() - processor,
        "peak_bytes": int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) * 1024,
        "accepted": played.accepted,
        "batches": sum(played.batches.values()),
        "sound": mock.check().ok,
    }}))
"""
"""Told in a process of its own, so that the peak of its memory is the story's.

Linux's ``ru_maxrss`` begins with the parent's, who has run the other rows.
"""


def measure(scale: Scale) -> Iterator[Figure]:
    size = 0.0005 if scale.quick else 1
    once, twice = _told(size), _told(2 * size)
    what = f"{once['accepted']:,} payments, {once['batches']:,} batches on disk"
    yield Figure(
        work=f"year_at_scale: {what}",
        ours=once["seconds"],
        unit=Unit.SECONDS,
        target=at_most(120),
        note=f"year_at_scale took {once['processor_seconds']:.1f} s of processor time; "
        f"the machine's load afterwards was {os.getloadavg()[0]:.1f}",
    )
    yield Figure(
        work=f"year_at_scale, peak memory: {what}",
        ours=once["peak_bytes"],
        unit=Unit.BYTES,
        target=at_most(300 * 2**20),
    )
    yield Figure(
        work=f"year_at_scale, processor time: {twice['accepted']:,} payments",
        ours=twice["processor_seconds"],
        theirs=once["processor_seconds"],
        against=f"{once['accepted']:,} payments",
        unit=Unit.SECONDS,
        target=ratio_at_most(2.2),
    )


def _told(scale: float) -> dict[str, Any]:
    command = [sys.executable, "-c", STORY.format(scale=scale)]
    beside = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    ran = subprocess.run(command, env=beside, check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(ran.stdout)
    if not told.pop("sound"):
        raise RuntimeError("the year left something unsound behind")
    return told
