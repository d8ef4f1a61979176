"""Put settlement's due work into a world."""

from settlekit_mock.kernel.world import World
from settlekit_mock.settlement import batches, debits, outcomes, periods, scopes


def install(world: World) -> None:
    """Name the steps that periods and batches take by themselves."""
    world.due.on(scopes.ESTIMATE, periods.estimate_due)
    world.due.on(scopes.CLOSE, periods.close_due)
    world.due.on(batches.SEND_NOTICE, batches.notice_due)
    world.due.on(batches.SUBMIT_DEBIT, debits.submit_due)
    world.due.on(batches.FINISH_DEBIT, outcomes.finish_due)
