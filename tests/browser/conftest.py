"""A headless Chromium before the pages, and a shop that buyers come back to."""

import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from settlekit_mock.driver import Driver
from tests.settlekit_mock.cli.serving import PATIENCE_SECONDS, driving, served

START = "2026-03-02T09:00:00Z"
SHOP_PAGE = b"<!doctype html><html lang=en><title>The shop</title><p>Welcome back"
SCRIPTED_PAGE = b"<!doctype html><title>still</title><script>document.title = 'scripted'</script>"


class _ShopPages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = SCRIPTED_PAGE if self.path == "/scripted" else SHOP_PAGE
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture(scope="session")
def shop() -> Iterator[str]:
    """The origin of a shop on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _ShopPages)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE_SECONDS)


class Checkout:
    """The mock as a shop uses it: it opens sessions, and reads what became of them."""

    def __init__(self, url: str, token: str, shop: str, driver: Driver) -> None:
        self.url = url
        self.shop = shop
        self.driver = driver
        self._sessions = f"{url}/v1/sdrp/direct-payments/checkout-sessions"
        self._headers = {"Authorization": f"Bearer {token}"}

    def open(self, nonce: str = "order-1", **changes: Any) -> dict[str, Any]:
        body = {
            "merchant": "sandbox_merchant",
            "amount_minor": 1200,
            "currency": "JPY",
            "nonce": nonce,
            "success_url": f"{self.shop}/done?order=7",
            "cancel_url": f"{self.shop}/cart",
            **changes,
        }
        answer = httpx.post(self._sessions, json=body, headers=self._headers, trust_env=False)
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found

    def read(self, session_id: str) -> dict[str, Any]:
        address = f"{self._sessions}/{session_id}"
        answer = httpx.get(address, headers=self._headers, trust_env=False)
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found


@pytest.fixture(scope="session")
def serving(shop: str) -> Iterator[Checkout]:
    with (
        served("--freeze-at", START, "--origin", shop) as server,
        driving(server.url) as driver,
    ):
        yield Checkout(server.url, server.told["tokens"]["merchant"], shop, driver)


@pytest.fixture
def checkout(serving: Checkout) -> Checkout:
    """The running mock, begun anew for the test."""
    serving.driver.reset()
    return serving


class Browser:
    """A browser as a person uses it: reads what is shown, presses keys and buttons."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome

    def visit(self, address: str) -> None:
        self.chrome.get(address)

    @property
    def text(self) -> str:
        """What the page shows."""
        return str(self.chrome.find_element(By.TAG_NAME, "body").text)

    @property
    def path(self) -> str:
        return urlsplit(self.chrome.current_url).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.chrome.current_url).query)

    @property
    def focused(self) -> str:
        """The text of what has the focus."""
        return str(self.chrome.switch_to.active_element.text)

    def press(self, *keys: str) -> None:
        """Press keys, one after another, on whatever has the focus."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def click(self, label: str) -> None:
        """Press the button or the link with this label."""
        path = f"//button[contains(., '{label}')] | //a[contains(., '{label}')]"
        self.chrome.find_element(By.XPATH, path).click()

    def wait_for(self, shown: str) -> None:
        """Wait until the page shows this."""
        # The page that is being left may go while it is read; the driver has several words for it.
        waiting = WebDriverWait(
            self.chrome,
            PATIENCE_SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[WebDriverException],
        )
        waiting.until(lambda _: shown in self.text, f"{shown!r} was never shown")

    def press_shown(self, path: str) -> None:
        """Press what an XPath finds as soon as it can be pressed; a live page may draw it anew."""

        def press(chrome: Chrome) -> bool:
            found = chrome.find_element(By.XPATH, path)
            chrome.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
            found.click()
            return True

        waiting = WebDriverWait(
            self.chrome,
            PATIENCE_SECONDS,
            poll_frequency=0.05,
            ignored_exceptions=[WebDriverException],
        )
        waiting.until(press, path)

    @property
    def complaints(self) -> list[str]:
        """What the browser logged of the page's defects since it was asked last."""
        found: list[dict[str, Any]] = self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in found if entry["level"] == "SEVERE"]

    def be_wide(self, width: int) -> None:
        """Have a phone's screen of this width."""
        size = {"width": width, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        self.chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def run_no_scripts(self) -> None:
        """Run no page's scripts from now on."""
        self.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})

    @property
    def overflow(self) -> int:
        """By how many pixels the page is wider than the screen."""
        root = "document.documentElement"
        found = self.chrome.execute_script(f"return {root}.scrollWidth - window.innerWidth")
        return int(found)

    def be_plain(self) -> None:
        """Be a desktop's browser that has been nowhere."""
        self.chrome.get("about:blank")
        self.chrome.get_log("browser")  # type: ignore[no-untyped-call]
        self.chrome.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.chrome.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def _options() -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",  # as root there is none
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--no-proxy-server",
        "--window-size=1280,900",
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    driver = shutil.which("chromedriver")
    assert driver, "no chromedriver: install Debian's chromium and chromium-driver"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("NO_PROXY", "*")
        environment.setenv("no_proxy", "*")
        running = Chrome(options=_options(), service=ChromeService(executable_path=driver))
        yield running
        running.quit()


@pytest.fixture
def browser(chrome: Chrome) -> Browser:
    made = Browser(chrome)
    made.be_plain()
    return made
