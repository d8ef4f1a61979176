"""What a server keeps in its database for the next one, and what it doesn't heed then."""

from pathlib import Path

from settlekit_mock.kernel.database import Database
from tests.settlekit_mock.cli.conftest import Start
from tests.settlekit_mock.cli.serving import (
    START,
    driving,
    served,
)


def test_a_database_keeps_everything(tmp_path: Path) -> None:
    """Clock, counters and rows outlive a restart."""
    file = tmp_path / "mock.db"
    with served("--db", str(file), "--freeze-at", START, "--merchant", "kept_shop") as server:
        first_env = server.told["env"]
        with driving(server.url) as driver:
            driver.clock.advance(days=3)
            made = driver.usage(
                "sandbox_buyer", merchant="kept_shop", amount_minor=100, currency="JPY"
            )
            journal = list(driver.events())
    with served("--db", str(file)) as server:
        env = server.told["env"]
        with driving(server.url) as driver:
            assert driver.clock.read().now == "2026-03-05T00:00:00.000Z"
            assert list(driver.events()) == journal
            again = driver.usage(
                "sandbox_buyer", merchant="kept_shop", amount_minor=100, currency="JPY"
            )
            assert again.first_usage_id not in (None, made.first_usage_id)
            assert [one.merchant for one in driver.merchants.all()] == ["kept_shop"]
    # What it says is what the database holds, not what this start's options would have made.
    assert env["SIGLUME_DIRECT_PAYMENT_MERCHANT"] == "kept_shop"
    secret = "SIGLUME_DIRECT_PAYMENT_CHALLENGE_SECRET"
    assert env[secret] == first_env[secret]


def test_options_that_change_nothing_are_named(start: Start, tmp_path: Path) -> None:
    """On an existing database one line names the options that only a new one heeds."""
    given = ("--json", "--db", str(tmp_path / "mock.db"), "--merchant", "kept_shop")
    assert start(*given, "--seed", "7").end().err == ""
    again = start(*given, SETTLEKIT_MOCK_ORIGIN="http://localhost:4000")
    assert again.end().err == (
        "settlekit-mock: the database goes on as it was: --merchant, --origin changed nothing\n"
    )


def test_a_clock_and_a_secret_that_change_nothing_are_named(start: Start, tmp_path: Path) -> None:
    """An earlier --freeze-at is ignored, and the line names it beside the webhook's options."""
    given = ("--json", "--db", str(tmp_path / "mock.db"))
    first = start(*given, "--freeze-at", START, "--webhook-url", "http://127.0.0.1:9/")
    assert first.end().err == ""
    earlier = ("--freeze-at", "2026-01-01T00:00:00Z")
    again = start(*given, *earlier, "--webhook-secret", "whsec_x", "--sign-with-clock")
    with driving(again.url) as driver:
        assert driver.clock.read().now == "2026-03-02T00:00:00.000Z"
    assert again.end().err == (
        "settlekit-mock: the database goes on as it was: "
        "--freeze-at, --webhook-secret, --sign-with-clock changed nothing\n"
    )


def test_a_switch_that_is_off_asks_for_nothing(start: Start, tmp_path: Path) -> None:
    """--sign-with-clock that the environment turns off isn't named on an existing database."""
    given = ("--json", "--db", str(tmp_path / "mock.db"))
    assert start(*given).end().err == ""
    assert start(*given, SETTLEKIT_MOCK_SIGN_WITH_CLOCK="0").end().err == ""


def test_a_killed_server_goes_on_where_it_was(start: Start, tmp_path: Path) -> None:
    """What was answered for is there after a kill, and the server starts again."""
    file = tmp_path / "mock.db"
    server = start("--json", "--db", str(file), "--freeze-at", START)
    with driving(server.url) as driver:
        buyer = driver.buyers.create(buyer_id="kept_buyer")
    server.kill()
    with served("--db", str(file)) as server, driving(server.url) as driver:
        assert driver.buyers.get("kept_buyer") == buyer


def test_a_file_can_be_named_by_a_url(tmp_path: Path) -> None:
    """--db takes the URL of a file as well as its path."""
    file = tmp_path / "mock.db"
    with served("--db", f"sqlite:///{file}"):
        pass
    database = Database(str(file))
    assert database.prepare() is False
    database.close()


def test_memory_can_be_named() -> None:
    """The usual name of a database in memory works, and makes no file of that name."""
    with served("--db", ":memory:") as server, driving(server.url) as driver:
        assert [buyer.buyer_id for buyer in driver.buyers.all()] == ["sandbox_buyer"]
    assert not Path(":memory:").exists()
