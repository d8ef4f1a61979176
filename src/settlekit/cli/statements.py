"""``settlekit statements …`` and ``settlekit usage-csv``: a provider's revenue."""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from errno import EISDIR
from itertools import islice
from pathlib import Path
from typing import Any

from settlekit._settings import (
    TOKEN_VARIABLES,
    TokenFound,
    checked_token,
    settings,
    token_of_environment,
)
from settlekit._sync.client import Client
from settlekit._sync.pages import Page
from settlekit._sync.rows import UsageRows
from settlekit.cli.output import (
    Progress,
    print_json,
    print_table,
    progress_line,
    visible,
    without_numbers,
)
from settlekit.errors import (
    AuthenticationError,
    ConfigurationError,
    DecodeError,
    NotFound,
    PermissionDenied,
    TransportError,
)
from settlekit.models import BatchStatus, UsageStatus

Commands = Any  # argparse keeps the type of its subparsers to itself

MONEY = {
    "gross": "provider_gross_amount_minor",
    "fee": "protocol_fee_minor",
    "receivable": "provider_receivable_minor",
    "currency": "currency",
}
EVENT_COLUMNS = {
    "id": "metered_usage_id",
    "accepted": "created_at",
    "band": "plan_type",
    **MONEY,
    "status": "status",
}
BATCH_COLUMNS = {
    "id": "settlement_batch_id",
    "closed": "close_at",
    "band": "plan_type",
    **MONEY,
    "status": "status",
    "settled": "settled_at",
}
PERIOD_COLUMNS = {"open": "plan_type", "closes": "close_at", **MONEY}


STANDARD_OUTPUT = "-"
EVENT_STATUSES = tuple(UsageStatus)
BATCH_STATUSES = tuple(BatchStatus)
MERCHANTS_FIRST = tuple(reversed(TOKEN_VARIABLES))
"""A shop's environment has the buyer's token too, which opens no provider's statement."""

ENVIRONMENT = """\
environment:
  SIGLUME_MERCHANT_AUTH_TOKEN  a merchant's or provider's token
  SIGLUME_AUTH_TOKEN           the token where that one isn't set
  SIGLUME_API_BASE             the API's address; SIGLUME_ENV=sandbox stands for a
                               mock on this machine, http://127.0.0.1:8787/v1
"""


def add_commands(commands: Commands) -> None:
    """Add these commands to the parser."""
    group = commands.add_parser(
        "statements",
        help="a provider's statements",
        description="Print what the platform says of a provider's metered revenue.",
    )
    kinds = group.add_subparsers(required=True, metavar="STATEMENT")
    _add(kinds, "summary", _summary, "revenue by bucket and open periods")
    for name, run, told, statuses in (
        ("events", _events, "accepted payments, newest first", EVENT_STATUSES),
        ("batches", _batches, "closed periods, newest first", BATCH_STATUSES),
    ):
        listed = _add(kinds, name, run, told)
        listed.add_argument(
            "--status",
            choices=statuses,
            metavar="STATUS",
            help=f"only rows in this state: {', '.join(statuses)} (default: all)",
        )
        listed.add_argument(
            "--limit", type=_limit, default=50, help="at most so many rows (default: 50)"
        )
    one = _add(kinds, "batch", _batch, "one closed period", filters=False)
    one.add_argument("settlement_batch_id", metavar="BATCH", help="its id, msb_…")
    csv = _add(commands, "usage-csv", _usage_csv, "save a batch's rows as CSV", filters=False)
    csv.add_argument("settlement_batch_id", metavar="BATCH", help="its id, msb_…")
    csv.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="where to save them; - for standard output",
    )
    csv.add_argument(
        "--verify", action="store_true", help="refuse rows whose digest isn't the batch's"
    )


def _add(
    commands: Commands, name: str, run: object, told: str, *, filters: bool = True
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=told,
        description=f"{told[0].upper()}{told[1:]}.",
        epilog=ENVIRONMENT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--base-url", help="the API's address (default: SIGLUME_API_BASE, else the live API)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    if filters:
        parser.add_argument(
            "--plan-type", choices=["micro", "nano"], help="only this band (default: both)"
        )
        parser.add_argument(
            "--token-symbol", choices=["JPYC", "USDC"], help="only this token (default: both)"
        )
    parser.set_defaults(run=run)
    return parser


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return int(text)


@contextmanager
def _open(asked: argparse.Namespace) -> Generator[Client, None, None]:
    """Give a client of the provider; whatever fails for its address says the address."""
    own = _token()
    found = settings(token=own.token, base_url=asked.base_url, admin_secret=None)
    try:
        with Client(token=found.token, base_url=found.base_url) as client:
            yield client
    except TransportError as error:
        reason = without_numbers(error)
        raise TransportError(
            f"{found.base_url} doesn't answer ({reason}){_hint(found.base_url)}; start it, "
            "or name another with --base-url or SIGLUME_API_BASE"
        ) from error
    except (AuthenticationError, PermissionDenied) as error:
        error.add_note(f"the token is from {own.source}")
        raise
    except (DecodeError, NotFound) as error:
        if hint := _hint(found.base_url):
            error.add_note(hint.removeprefix("; "))
        raise


def _hint(base_url: str) -> str:
    if base_url.endswith("/v1"):
        return ""
    return f"; the address has no /v1, try --base-url {base_url}/v1"


def _token() -> TokenFound:
    found = token_of_environment(MERCHANTS_FIRST)
    if found is None:
        raise ConfigurationError(
            f"no token: set {' or '.join(MERCHANTS_FIRST)} to a merchant's or provider's token"
        )
    checked_token(found.token, found.source)
    return found


def _summary(asked: argparse.Namespace) -> int:
    with _open(asked) as client:
        summary = client.provider_statements.summary(**_filters(asked))
    if asked.json:
        print_json(summary.to_dict())
        return 0
    totals = summary.totals
    buckets = {
        "settled": totals.settled_provider_receivable_minor,
        "unsettled": totals.unsettled_provider_receivable_minor,
        "past due": totals.past_due_provider_receivable_minor,
        "uncollectible": totals.uncollectible_provider_receivable_minor,
        "written off": totals.written_off_provider_receivable_minor,
    }
    print_table(["bucket", "receivable (minor units)"], list(buckets.items()))
    if summary.open_periods:
        print()
        _print_rows(PERIOD_COLUMNS, summary.open_periods)
    return 0


def _events(asked: argparse.Namespace) -> int:
    with _open(asked) as client:
        page = client.provider_statements.usage_events(
            status=asked.status, limit=_page_size(asked.limit, 500), **_filters(asked)
        )
        events = _first(page, asked.limit)
    if asked.json:
        print_json([event.to_dict() for event in events])
        return 0
    _print_rows(EVENT_COLUMNS, events)
    return 0


def _batches(asked: argparse.Namespace) -> int:
    with _open(asked) as client:
        page = client.provider_statements.settlement_batches(
            status=asked.status, limit=_page_size(asked.limit, 200), **_filters(asked)
        )
        batches = _first(page, asked.limit)
    if asked.json:
        print_json([batch.to_dict() for batch in batches])
        return 0
    _print_rows(BATCH_COLUMNS, batches)
    return 0


def _batch(asked: argparse.Namespace) -> int:
    with _open(asked) as client:
        batch = client.provider_statements.settlement_batch(asked.settlement_batch_id)
    if asked.json:
        print_json(batch.to_dict())
    else:
        told = [(name, value) for name, value in batch.to_dict().items() if value is not None]
        print_table(["field", "value"], told)
    return 0


def _usage_csv(asked: argparse.Namespace) -> int:
    with _open(asked) as client:
        rows = client.provider_statements.usage_csv(asked.settlement_batch_id, verify=asked.verify)
        with progress_line() as progress:
            if asked.output == STANDARD_OUTPUT:
                _print_file(rows, progress)
            else:
                _save(rows, asked.output, progress)
        digest = rows.digest()
    told = {"file": asked.output, "rows": rows.row_count, "usage_event_digest": digest}
    said = sys.stderr if asked.output == STANDARD_OUTPUT else sys.stdout
    with redirect_stdout(said):
        if asked.json:
            print_json(told)
        else:
            noun = "row" if rows.row_count == 1 else "rows"
            print(f"{rows.row_count} {noun} in {visible(asked.output)}, {digest}")
    return 0


def _print_file(rows: UsageRows, progress: Progress) -> None:
    """Print the file once it is whole: who reads it never has a part for all of it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "usage.csv"
        rows.save(path, progress=progress)
        with path.open("rb") as saved:
            shutil.copyfileobj(saved, sys.stdout.buffer)


def _save(rows: UsageRows, path: str, progress: Progress) -> None:
    if Path(path).is_dir():
        raise IsADirectoryError(EISDIR, "", path)
    try:
        rows.save(path, progress=progress)
    except OSError as error:
        # It names the passing file, of which the user knows nothing.
        error.filename, error.filename2 = path, None
        raise


def _filters(asked: argparse.Namespace) -> dict[str, Any]:
    return {"plan_type": asked.plan_type, "token_symbol": asked.token_symbol}


def _page_size(limit: int, most: int) -> int:
    return min(limit, most)


def _first(page: Page[Any], limit: int) -> list[Any]:
    return list(islice(page, limit))


def _print_rows(columns: Mapping[str, str], rows: Sequence[Any]) -> None:
    """Print models as they are on the wire, so that what is seen can be searched for."""
    told = [row.to_dict() for row in rows]
    print_table(list(columns), [[row.get(field) for field in columns.values()] for row in told])
