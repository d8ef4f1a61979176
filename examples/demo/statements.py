"""Read the provider's statements: usage page by page, batches and their CSVs side by side."""

import asyncio
import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from examples.demo.stage import Stage
from settlekit import AsyncClient
from settlekit.models import SettlementBatch, UsageEvent

PAGE_LIMIT = 200
AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Statements:
    """What the provider was told, and the files it was told in."""

    usage_events: list[UsageEvent]
    page_count: int
    batches: list[SettlementBatch]
    digests: dict[str, str]
    """The digest of the rows of each batch's CSV, computed while it came in."""
    csv_paths: dict[str, Path]


def read_statements(
    stage: Stage, folder: Path, each: Callable[[], None] = lambda: None
) -> Statements:
    """Read all statements, and save each batch's CSV in a folder."""
    first = stage.provider.provider_statements.usage_events(limit=PAGE_LIMIT)
    pages = list(first.pages())
    batches, digests = asyncio.run(_read_batches(stage, folder, each))
    return Statements(
        usage_events=[event for page in pages for event in page.items],
        page_count=len(pages),
        batches=batches,
        digests=digests,
        csv_paths={each_id: _path(folder, each_id) for each_id in digests},
    )


async def _read_batches(
    stage: Stage, folder: Path, each: Callable[[], None]
) -> tuple[list[SettlementBatch], dict[str, str]]:
    gate = asyncio.Semaphore(AT_ONCE)
    async with stage.async_provider() as client:
        batches = [
            batch async for batch in client.provider_statements.settlement_batches(limit=PAGE_LIMIT)
        ]

        async def save(batch: SettlementBatch) -> tuple[str, str]:
            async with gate:
                digest = await _save_csv(client, batch.settlement_batch_id, folder)
            each()
            return batch.settlement_batch_id, digest

        return batches, dict(await asyncio.gather(*map(save, batches)))


async def _save_csv(client: AsyncClient, batch_id: str, folder: Path) -> str:
    rows = client.provider_statements.usage_csv(batch_id)
    await rows.save(_path(folder, batch_id))
    return await rows.digest()


def _path(folder: Path, batch_id: str) -> Path:
    return folder / f"usage-{batch_id}.csv"


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Read a saved CSV with nothing but the standard library."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
