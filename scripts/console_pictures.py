"""Take the pictures of the console's page in the docs, of a shop's first months.

Needs Debian's chromium and chromium-driver, as ``make browser`` does.
"""

import base64
import shutil
import sys
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from settlekit_mock import MockServer

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
WIDTH = 1180
START = "2026-01-05T09:00:00Z"
STORIES = (
    "weekly_micro_settles",
    "recovers_at_third_attempt",
    "past_due_then_written_off",
    "monthly_nano",
    "past_due_then_requeued",
)
SHOTS = {"overview": 1330, "batches": 860}
PATIENCE_SECONDS = 20


def live(mock: MockServer) -> None:
    """Play some stories, sell a little at once, pay out, and leave some things open."""
    for name in STORIES:
        mock.scenarios.play(name)
    with mock.client("merchant") as client:
        for number in range(4):
            session = client.checkout_sessions.create(
                merchant="sandbox_merchant",
                amount_minor=1500 + 600 * number,
                currency="JPY",
                nonce=f"order-{number:04d}-000000000000",
                success_url="http://localhost:3000/done",
                cancel_url="http://localhost:3000/cart",
            )
            client.request("POST", f"/sandbox/checkout-sessions/{session.session_id}/confirm")
            mock.clock.advance(days=2)
    with mock.client("admin") as operator:
        (payout,) = operator.operations.run_payouts(currency="JPY").items
        operator.operations.approve_payout(payout.id)
        operator.operations.mark_payout_paid(payout.id)
    mock.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=45
    )
    mock.clock.advance(until="period.closed")
    mock.usage(
        "sandbox_buyer", merchant="sandbox_merchant", amount_minor=100, currency="JPY", count=30
    )
    mock.clock.advance(days=1)


def shoot(url: str) -> None:
    """Save each view's picture."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--window-size={WIDTH},1000",
    ):
        options.add_argument(argument)
    chrome = Chrome(options=options, service=ChromeService(shutil.which("chromedriver") or ""))
    try:
        for view, height in SHOTS.items():
            chrome.get(f"{url}/#{view}")
            chrome.refresh()
            shown = "svg[role=img]" if view == "overview" else ".lane"
            WebDriverWait(chrome, PATIENCE_SECONDS).until(
                lambda found, shown=shown: found.find_elements(By.CSS_SELECTOR, shown)
            )
            clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
            taken = chrome.execute_cdp_cmd(
                "Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip}
            )
            (PICTURES / f"console-{view}.png").write_bytes(base64.b64decode(taken["data"]))
    finally:
        chrome.quit()


def main() -> int:
    """Play, serve, shoot."""
    with MockServer(freeze_at=START) as mock:
        live(mock)
        with mock.serve() as server:
            shoot(server.url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
