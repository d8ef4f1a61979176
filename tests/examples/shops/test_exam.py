"""Each shop passes the webhook exam: in this process, and killed again and again on a socket."""

from examples.shop_parts.account import WEBHOOK_PATH
from settlekit.testing.exam import must_pass

SOCKET_OR_CRASH = {
    "sender_leaves",
    "slow_sender",
    "restart",
    "crash_after_answer",
    "crash_in_handler",
    "redirect",
}


def test_shop_passes_the_exam(shop):
    """A shop passes every check that needs neither a socket nor a crash."""
    report = must_pass(
        shop.application,
        path=WEBHOOK_PATH,
        secret=shop.account.webhook_secret,
        start_checkout=shop.start_checkout,
        probe=shop.probe,
    )
    assert {mark.check.name for mark in report.not_examined} == SOCKET_OR_CRASH


def test_shop_on_a_socket_passes_every_check(running_shop):
    """A shop on a socket, killed and started again, passes every check there is."""
    report = must_pass(
        running_shop.account.origin + WEBHOOK_PATH,
        secret=running_shop.account.webhook_secret,
        start_checkout=running_shop.start_checkout,
        probe=running_shop.probe,
        restart=running_shop.restart,
    )
    assert report.not_examined == []
