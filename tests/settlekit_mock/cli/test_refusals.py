"""What ``serve`` can't do it says in one line, and ends with 2."""

import signal
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from settlekit_mock.cli import main, parser
from tests.settlekit_mock.cli.serving import Finished, run, served

Told = pytest.CaptureFixture[str]


def told(capsys: Told, *arguments: str) -> str:
    """Run the command in this process, where it can't start, and return the one line it says."""
    status = main(["serve", *arguments])
    said = capsys.readouterr()
    return only_line(Finished(status, said.out, said.err))


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A command in this process leaves the process's signals as they were."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def refused(*arguments: str) -> str:
    """Run the command in a process of its own, where it can't start, and return its line."""
    ended = run("serve", "--port", "0", *arguments)
    return only_line(ended)


def only_line(ended: Finished) -> str:
    assert (ended.status, ended.out) == (2, "")
    (line,) = ended.error_lines
    return line


def test_a_port_in_use_is_named() -> None:
    """A taken port is named, and how to choose another; no database is begun before."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused("--port", str(port))
    assert line.startswith(f"settlekit-mock: can't listen on 127.0.0.1:{port}: ")
    assert line.endswith("choose another with --port")


def test_a_port_in_use_begins_no_database(tmp_path: Path) -> None:
    """A server that can't listen leaves no file behind, so a later one begins afresh."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused("--port", str(taken.getsockname()[1]), "--db", str(tmp_path / "mock.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["", "x", "-1", "65536", "８０", "1.5"])
def test_a_port_is_a_number(capsys: Told, port: str) -> None:
    """Anything but a number from 0 to 65535 is refused, naming option and variable."""
    line = told(capsys, f"--port={port}")
    assert line == (
        "settlekit-mock: --port (or SETTLEKIT_MOCK_PORT or SIGLUME_SANDBOX_PORT): "
        "must be a number from 0 to 65535"
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "named"), [("", "", "8787"), ("", "81x", "81x"), ("82x", "81x", "82x")]
)
def test_the_sandboxs_own_variable_names_the_port(
    monkeypatch: pytest.MonkeyPatch, ours: str, theirs: str, named: str
) -> None:
    """A port is ours to name first, then SIGLUME_SANDBOX_PORT's, then 8787."""
    monkeypatch.setenv("SETTLEKIT_MOCK_PORT", ours)
    monkeypatch.setenv("SIGLUME_SANDBOX_PORT", theirs)
    assert (parser().parse_args(["serve"]).port or "8787") == named


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("seed", "x", "must be a whole number of 64 bits"),
        ("seed", "1_0", "must be a whole number of 64 bits"),
        ("seed", str(2**63), "must be a whole number of 64 bits"),
        ("freeze-at", "soon", "expected an RFC 3339 time such as 2026-03-01T00:00:00Z"),
        ("freeze-at", "2026-03-01", "expected an RFC 3339 time such as 2026-03-01T00:00:00Z"),
        ("freeze-at", "3026-03-01T00:00:00Z", "a time must lie in the years 1970 to 2999"),
        ("merchant", "A!", "must be 3 to 64 letters, digits, underscores or hyphens"),
        ("origin", "nope", "must be an absolute http or https URL"),
        ("origin", "https://shop.example/x", "an origin has no path, query or fragment"),
        (
            "webhook-url",
            "http://shop.example/x",
            "must be https; http is for localhost, 127.0.0.1 and [::1] only",
        ),
        ("webhook-secret", " ", "must not be empty"),
        ("webhook-secret", "a\nb", "must be printable text in UTF-8, on one line"),
        ("stripe-webhook-secret", "\udcff", "must be printable text in UTF-8, on one line"),
        ("admin-secret", "\udcff", "must be visible ASCII characters"),
        (
            "admin-token",
            "sandbox_buyer_token",
            "this is the token of another of the sandbox's actors",
        ),
        ("host", "", "must be an address or a name of this machine"),
        ("host", "ü..x", "must be an address or a name of this machine"),
        ("host", "\udcff", "must be an address or a name of this machine"),
        ("db", "", "must not be empty; leave it out for memory"),
        ("admin-token", "", "must be visible ASCII characters"),
        ("admin-token", "cli_x", "one that begins with cli_ is refused everywhere"),
        ("admin-secret", "pass word", "must be visible ASCII characters"),
        ("control-token", "gehëim", "must be visible ASCII characters"),
    ],
)
def test_an_option_that_cannot_be_is_named(
    capsys: Told, option: str, value: str, problem: str
) -> None:
    """The line names the option, its variable, and what is wrong with the value."""
    variable = "SETTLEKIT_MOCK_" + option.replace("-", "_").upper()
    line = told(capsys, "--port=0", f"--{option}={value}")
    assert line == f"settlekit-mock: --{option} (or {variable}): {problem}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SETTLEKIT_MOCK_SEED", "x"),
        ("SETTLEKIT_MOCK_SIGN_WITH_CLOCK", "maybe"),
        ("SETTLEKIT_MOCK_FREEZE_AT", "noon"),
        ("SETTLEKIT_MOCK_ORIGIN", "nope"),
    ],
)
def test_a_variable_that_cannot_be_is_named(
    capsys: Told, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A wrong variable of the environment is refused as the option is."""
    monkeypatch.setenv(variable, value)
    assert f"(or {variable}): " in told(capsys)


def test_a_host_that_is_none_is_named(capsys: Told) -> None:
    """An address that nobody can listen on is named."""
    line = told(capsys, "--port=0", "--host=999.1.1.1")
    assert line.startswith("settlekit-mock: can't listen on 999.1.1.1:0: ")


@pytest.mark.parametrize("url", ["sqlite://u:hush@[::1", "a\nb", "\udcff"])
def test_a_database_that_is_none_is_refused(capsys: Told, url: str) -> None:
    """What names no database is refused, with no word of a password."""
    line = told(capsys, "--port=0", f"--db={url}")
    assert line.startswith(("settlekit-mock: not a database URL", "settlekit-mock: a database's"))
    assert "hush" not in line


def test_a_database_has_one_server(capsys: Told, tmp_path: Path) -> None:
    """A second server on a file is refused, whatever the file is called, until the first ends."""
    file, other = tmp_path / "mock.db", tmp_path / "other.db"
    other.symlink_to(file)
    with served("--db", str(file)):
        for name in (file, other):
            assert told(capsys, "--port=0", "--db", str(name)) == (
                f"settlekit-mock: another server uses the database {name}; "
                "stop it, or give --db another file"
            )
    with served("--db", str(file)):
        pass


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    """A path that can't be written as a file is refused."""
    line = refused("--db", str(tmp_path))
    assert line.startswith(f"settlekit-mock: can't use the database {tmp_path}: ")


def test_a_folder_that_is_not_there_is_named(capsys: Told, tmp_path: Path) -> None:
    """A file in a folder that doesn't exist is refused, and no folder is made."""
    file = tmp_path / "nowhere" / "mock.db"
    assert told(capsys, "--port=0", "--db", str(file)) == (
        f"settlekit-mock: the folder of {file} doesn't exist; make it, or give --db another file"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_left_alone(capsys: Told, tmp_path: Path) -> None:
    """Somebody's text is refused as a database, and stays what it was."""
    file = tmp_path / "notes.txt"
    file.write_text("not a database at all, whatever its name may be\n" * 20)
    before = file.read_bytes()
    assert f"can't use the database {file}: file is not a database" in told(
        capsys, "--port=0", "--db", str(file)
    )
    assert file.read_bytes() == before


def test_somebody_elses_database_is_left_alone(capsys: Told, tmp_path: Path) -> None:
    """A database that holds something else is refused, and gets no tables."""
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE recipes (name TEXT)")
    connection.close()
    assert "holds something else; give --db a new file" in told(
        capsys, "--port=0", "--db", str(file)
    )
    with sqlite3.connect(file) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    connection.close()
    assert tables == [("recipes",)]


def test_a_database_of_another_version_is_named(capsys: Told, tmp_path: Path) -> None:
    """A database of another version is refused, saying which and which is needed."""
    file = tmp_path / "mock.db"
    with served("--db", str(file)):
        pass
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE state SET schema_version = 999")
    connection.close()
    line = told(capsys, "--port=0", "--db", str(file))
    assert f"the database {file} is of version 999, this server needs " in line
    assert "or use the release that made it" in line


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql://user:hush@host/x", "can't use a mysql database; give --db a file"),
        ("postgresql://user:hush@/x?host=/nowhere", "can't use the PostgreSQL database: "),
    ],
)
def test_a_database_that_cannot_be_used_is_refused(capsys: Told, url: str, problem: str) -> None:
    """A kind that isn't known, and a server that isn't there, with no word of the password."""
    line = told(capsys, "--port=0", "--db", url)
    assert problem in line
    assert "hush" not in line


def test_an_unknown_option_is_refused(capsys: Told) -> None:
    """An option that doesn't exist is a wrong call."""
    with pytest.raises(SystemExit) as wrong:
        main(["serve", "--nonsense"])
    said = capsys.readouterr()
    assert (wrong.value.code, said.out) == (2, "")
    assert said.err.endswith("unrecognized arguments: --nonsense\n")
