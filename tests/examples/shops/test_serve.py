"""One command runs a shop, over sockets, with a mock of the platform beside it."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from examples.demo.browser import form_with_button, form_with_field, submit

EXAMPLES = Path(__file__).parents[3] / "examples"


def start(kind: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(EXAMPLES / kind / "serve.py"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def process(kind: str) -> Iterator[subprocess.Popen[str]]:
    with start(kind, "--port", "0") as running:
        yield running
        running.kill()


def test_person_buys_in_the_shop(process):
    """A person buys on the shop's page, approves on the platform's, and comes back to a paid order."""
    printed = [process.stdout.readline(), process.stdout.readline()]
    (url,) = re.findall(r"open on (\S+)", printed[1])
    with httpx.Client(follow_redirects=True, trust_env=False) as browser:
        page = browser.get(f"{url}/products/piano-album")
        page = submit(browser, page, form_with_button(page, "Buy"))
        page = submit(browser, page, form_with_field(page, "buyer"), buyer="sandbox_buyer")
        page = submit(browser, page, form_with_button(page, "Approve"))
        for _ in range(100):
            if "on its way" in page.text:
                break
            page = browser.get(str(page.url))
    assert str(page.url).startswith(f"{url}/success")
    assert "Paid. Your order is on its way." in page.text


def test_interrupt_ends_the_shop(process):
    """An interrupt ends shop and mock without a word, with 0."""
    process.stdout.readline()
    (url,) = re.findall(r"open on (\S+)", process.stdout.readline())
    assert httpx.get(url, trust_env=False).status_code == 200
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def test_port_in_use_is_one_line(kind):
    """A port that is taken ends the command with 2 and one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with start(kind, "--port", str(taken.getsockname()[1])) as process:
            _, errors = process.communicate(timeout=20)
    assert process.returncode == 2
    assert errors.count("\n") == 1
