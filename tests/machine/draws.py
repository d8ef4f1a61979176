"""What the machine draws from: hard time zones, prices on the edges of bands, round failures."""

from hypothesis import strategies as st

from tests.machine.calendar import DAY, HOUR, MINUTE

START = "2026-03-02T00:00:00.000Z"
SHOPS = ("sandbox_merchant", "second_shop", "other_shop")
"""The first two belong to one person, and so are one provider."""
TOKENS = {"JPY": "JPYC", "USD": "USDC"}
MINOR_IN_MAJOR = {"JPY": 1, "USD": 100}
MOST_BUYERS = 4

ZONES = st.sampled_from(
    (
        "UTC",
        "Asia/Tokyo",
        "America/New_York",
        "Australia/Lord_Howe",
        "Antarctica/Troll",
        "America/Santiago",
        "Pacific/Apia",
    )
)
HOURS, MINUTES = st.integers(0, 23), st.sampled_from((0, 15, 30, 59))
WEEKLY = st.fixed_dictionaries({"weekday": st.integers(0, 6), "hour": HOURS, "minute": MINUTES})
MONTHLY = st.fixed_dictionaries({"day": st.integers(1, 28), "hour": HOURS, "minute": MINUTES})
FAILING = ("past due", "requeue", "uncollectible", "written_off")
"""Pasts in which every attempt of a run failed."""
LACKING = ("vault", "allowance")
"""Pasts in which a debit lacked something."""
PASTS = st.sampled_from(
    ("new", "settled", "earned", "lost", "found", "refused", "redeliver_notice", *LACKING, *FAILING)
)
"""What became of the first payments before a run begins."""
SLOTS = ("weekly_slot", "monthly_slot")
CURRENCIES = st.sampled_from(("JPY", "JPY", "USD"))
FUNDS = st.sampled_from((1_000_000, 1_000_000, 100_000, 30_000, 5_000, 0))
VAULT = st.sampled_from((True, True, True, False))
CAPS = st.fixed_dictionaries(
    {
        "per_payment": st.sampled_from((None, None, 400)),
        "day": st.sampled_from((None, 3_000, 900)),
        "month": st.sampled_from((None, 20_000, 5_000)),
    }
)
PRICES = {
    "JPY": st.sampled_from((1, 49, 50, 100, 100, 499, 500)),
    "USD": st.sampled_from((1, 30, 31, 100, 300)),
}
STANDARD = {
    "JPY": st.sampled_from((501, 1_200, 1_694, 30_000)),
    "USD": st.sampled_from((301, 1_111, 2_550)),
}
SPARED = 50_000
"""What is left of more than this isn't spent at one stroke: a run needs its money."""
COUNTS = st.sampled_from((1, 2, 7, 20, 99, 120))
TIMES = st.sampled_from((0, 1, 2, 27, 28, 30))
OFTEN = {"debit_failure": st.sampled_from((1, 27, 28, 28)), "unknown_outcome": st.just(1)}
SPANS = st.sampled_from(
    (MINUTE, 31 * MINUTE, HOUR, 6 * HOUR, DAY, 3 * DAY, 7 * DAY, 7 * DAY, 16 * DAY, 35 * DAY)
)
FAILURES = st.sampled_from(("INSUFFICIENT_BALANCE", "PAYOUT_CAP_EXCEEDED", "ONCHAIN_FAILURE"))
WRONG = ("debit_failure", "unknown_outcome", "notice_failure", "finality")
_REASON = {"reason_code": "by the machine"}
MOVES = {
    "resolve settled": ("resolve", {"outcome": "settled"}),
    "resolve failed": ("resolve", {"outcome": "failed"}),
    "requeue": ("requeue", {}),
    "redeliver_notice": ("redeliver_notice", {}),
    "uncollectible": ("give_up", {"status": "uncollectible", **_REASON}),
    "written_off": ("give_up", {"status": "written_off", **_REASON}),
}
"""Every operator's move: the driver's method, and what it is told."""
HELP = {
    "past_due": ("requeue", "requeue", "uncollectible", "written_off"),
    "submitted_reconcile_required": ("resolve settled", "resolve failed"),
    "notice_delivery_failed": ("redeliver_notice",),
}
"""What an operator does about a batch that gets no further by itself."""
PAYOUT_LIVES = (
    ("approve", "mark-paid"),
    ("approve", "fail"),
    ("cancel",),
    ("mark-paid", "approve", "mark-paid"),
)
"""How a payout ends."""
STEPS = ("approve", "mark-paid", "cancel", "fail")
NEXT_STEPS = {
    "pending": ("approve", "approve", "mark-paid", "cancel"),
    "processing": ("mark-paid", "mark-paid", "fail"),
}
"""What is mostly done about a payout that is open."""
