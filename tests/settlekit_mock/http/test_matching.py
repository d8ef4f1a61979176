"""Routes are matched by method and path; every answer has its form."""

import json
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)

from settlekit_mock import MockServer
from settlekit_mock.driver import ControlError
from settlekit_mock.http.application import Application
from settlekit_mock.kernel import database
from settlekit_mock.kernel.world import World
from tests.settlekit_mock.http.conftest import Caller, outcome

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/order", "/v1/orders/1", "/v1//orders", "/V1/orders", "/v1/items/"]
)
def test_an_unknown_path_is_404(caller: Caller, path: str) -> None:
    """A path that no route has is ``ROUTE_NOT_FOUND``."""
    assert outcome(caller.call("GET", path)) == (404, "ROUTE_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_405_and_says_which(caller: Caller, method: str) -> None:
    """A path that a route has answers other methods with those it takes."""
    response = caller.call(method, "/v1/orders")
    assert outcome(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/v1/search", "/v1/search/"])
def test_a_slash_at_the_end_makes_no_difference(caller: Caller, path: str) -> None:
    """A path is the same with a slash behind it, without a redirect."""
    assert caller.call("GET", path).status_code == 200


@pytest.mark.parametrize(
    ("item", "seen"), [("a b", "a b"), ("%C3%BC", "ü"), ("a%2Db", "a-b"), ("x" * 255, "x" * 255)]
)
def test_a_path_gives_its_parts_as_text(caller: Caller, item: str, seen: str) -> None:
    """What stands in a path reaches the route decoded."""
    assert caller.got(f"/v1/items/{item}")[1]["path"] == seen


@pytest.mark.parametrize("item", ["%00", "%FF", "x" * 256, "%ED%A0%80"])
def test_an_id_that_nothing_could_have_is_404(caller: Caller, item: str) -> None:
    """Unprintable and endless ids are of no object."""
    assert caller.got(f"/v1/items/{item}") == (404, "NOT_FOUND")


def test_an_answer_has_data_and_meta(caller: Caller) -> None:
    """Success is ``{"data", "meta": {"request_id", "trace_id"}}``, and the header has the id."""
    response = caller.call("GET", "/v1/search")
    body = json.loads(response.data)
    assert (set(body), set(body["meta"])) == ({"data", "meta"}, {"request_id", "trace_id"})
    assert response.headers["X-Request-Id"] == body["meta"]["request_id"]
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"


def test_an_error_has_code_message_and_meta(caller: Caller) -> None:
    """A refusal is ``{"error": {"code", "message"}, "meta"}``."""
    body = json.loads(caller.call("GET", "/v1/refuse/conflict").data)
    assert body["error"] == {"code": "TAKEN", "message": "taken"}
    assert set(body["meta"]) == {"request_id", "trace_id"}


@pytest.mark.parametrize(
    ("how", "sdrp", "operations"),
    [
        ("conflict", (409, "TAKEN"), (409, "taken")),
        ("invalid", (422, "INVALID_TEST"), (400, "invalid_request")),
        ("own", (422, "OWN_CODE"), (400, "own_code")),
        ("missing", (404, "NOT_FOUND"), (404, "invalid_request")),
    ],
)
def test_each_family_of_routes_has_its_dialect(
    caller: Caller, how: str, sdrp: tuple[int, str], operations: tuple[int, str]
) -> None:
    """The operator's routes say 422 as 400 and their codes in lower case."""
    assert caller.got(f"/v1/refuse/{how}") == sdrp
    assert caller.got(f"/v1/admin/refuse/{how}") == operations


def test_the_operators_routes_answer_bare(caller: Caller) -> None:
    """The operator's routes have no envelope, and errors carry the request's id inside."""
    assert "data" not in json.loads(caller.call("GET", "/v1/admin/look").data)
    response = caller.call("GET", "/v1/admin/refuse/conflict")
    error = json.loads(response.data)["error"]
    assert error["request_id"] == response.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("path", "code"), [("/v1/admin/nothing", "invalid_request"), ("/v1/other", "ROUTE_NOT_FOUND")]
)
def test_an_unknown_path_is_refused_in_its_familys_dialect(
    caller: Caller, path: str, code: str
) -> None:
    """Where no route matches, the path says whose words to use."""
    assert caller.got(path) == (404, code)


def test_every_call_has_its_own_ids(caller: Caller) -> None:
    """Request and trace ids differ from call to call."""
    metas = [json.loads(caller.call("GET", "/v1/search").data)["meta"] for _ in range(2)]
    assert metas[0]["request_id"] != metas[1]["request_id"]
    assert metas[0]["trace_id"] != metas[1]["trace_id"]
    assert re.fullmatch(r"req_[0-9a-f]{32}", metas[0]["request_id"])


@pytest.mark.parametrize(
    ("header", "kept"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", True),
        (f"00-{TRACE}-b7ad6b7169203331", False),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", False),
        ("", False),
    ],
)
def test_a_callers_trace_goes_on(caller: Caller, header: str, kept: bool) -> None:
    """A well-formed traceparent's trace id comes back; anything else gets a new one."""
    meta = json.loads(caller.call("GET", "/v1/search", headers={"traceparent": header}).data)[
        "meta"
    ]
    assert (meta["trace_id"] == TRACE) is kept


@pytest.mark.parametrize("path", ["/v1/refuse/defect", "/v1/admin/refuse/defect"])
def test_a_defect_leaks_nothing(
    caller: Caller, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A defect is 500 without a word of its inside; the log has it."""
    with caplog.at_level(logging.ERROR, "settlekit_mock"):
        response = caller.call("GET", path)
    assert response.status_code == 500
    assert b"hunter2" not in response.data
    assert b"Traceback" not in response.data
    assert "hunter2" in caplog.text


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OperationalError, (503, "DATABASE_UNAVAILABLE")),
        (InterfaceError, (503, "DATABASE_UNAVAILABLE")),
        (IntegrityError, (500, "INTERNAL")),
        (ProgrammingError, (500, "INTERNAL")),
    ],
)
def test_a_database_that_fails_is_503_and_one_that_objects_a_defect(
    application: Application,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    error: type[DBAPIError],
    told: tuple[int, str],
) -> None:
    """Where the database doesn't answer a caller may come again; a broken rule is a defect."""

    def fail() -> None:
        raise error("SELECT secret", {}, Exception("of the driver"))

    monkeypatch.setattr(world, "settle", fail)
    response = Caller(application).call("GET", "/v1/search")
    assert outcome(response) == told
    assert response.headers.get("Retry-After") == ("1" if told[0] == 503 else None)
    assert b"secret" not in response.data


def test_a_database_that_somebody_holds_is_503_until_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that finds the file locked changes nothing, and passes once it isn't."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 20)
    path = tmp_path / "mock.db"
    with MockServer(db=str(path)) as mock, closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ControlError, match="503 DATABASE_UNAVAILABLE"):
            mock.buyers.create(buyer_id="b1")
        assert len(mock.buyers.all()) == 1
        other.rollback()
        assert mock.buyers.create(buyer_id="b1").buyer_id == "b1"


def test_a_stream_is_sent_as_it_is_made(caller: Caller) -> None:
    """A stream has its media type, its file name and its chunks."""
    response = caller.call("GET", "/v1/stream")
    assert (response.data, response.content_type) == (b"ab", "text/csv; charset=utf-8")
    assert response.headers["Content-Disposition"] == 'attachment; filename="a.csv"'


def test_a_page_runs_no_foreign_code(caller: Caller) -> None:
    """A page is HTML under a policy without scripts and frames."""
    response = caller.call("GET", "/page")
    assert response.content_type == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_can_send_the_browser_on(caller: Caller) -> None:
    """A page with a location is 303: the browser goes there with GET."""
    response = caller.call("GET", "/onward")
    assert (response.status_code, response.headers["Location"]) == (303, "/page")


def test_head_is_get_without_its_body(caller: Caller) -> None:
    """HEAD answers as GET does, without the body."""
    response = caller.call("HEAD", "/v1/search")
    assert (response.status_code, response.data) == (200, b"")


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_a_long_path_is_told_in_short(caller: Caller, method: str) -> None:
    """A path that no route has comes back as its beginning."""
    response = caller.call(method, "/v1/search" + "/x" * 500)
    assert (response.status_code, len(response.data) < 400) == (404, True)


def test_a_page_says_itself_that_there_is_nothing(caller: Caller) -> None:
    """An address that can't be one is a page's own to refuse, in HTML; elsewhere it is JSON."""
    assert caller.call("GET", "/pages/" + "x" * 300).data == b"<p>-</p>"
    assert caller.got("/v1/items/" + "x" * 300) == (404, "NOT_FOUND")
