"""What runs beside the pages: alerts, and metrics sent by OTLP. Neither needs Airflow, so both work when Airflow does not."""

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from reconcile.jobs.tell_operators import tell_operators
from reconcile.jobs.world import World
from reconcile.metrics import otlp, reading

STOP_LIMIT_SECONDS: Final = 10
_log: Final = logging.getLogger(__name__)


@asynccontextmanager
async def background(world: World) -> AsyncIterator[None]:
    """Runs both, where they are configured, until the desk stops."""
    async with AsyncExitStack() as stack:
        if world.configuration.alerts is not None:
            teller = _Teller(world, world.configuration.alerts.every.total_seconds())
            teller.start()
            stack.callback(teller.stop)
        if otlp.wanted():
            meters = otlp.provider(lambda: reading.read(world.database, world.clock.now()))
            stack.callback(meters.shutdown)
        yield


class _Teller(threading.Thread):
    """Looks every so often whether there is anything to tell. What goes wrong is logged, and tried again."""

    def __init__(self, world: World, every_seconds: float) -> None:
        super().__init__(name="alerts", daemon=True)
        self._world = world
        self._every_seconds = every_seconds
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self._every_seconds):
            self.run_once()

    def run_once(self) -> None:
        try:
            tell_operators(self._world)
        except Exception:  # noqa: BLE001 - it is logged, and the next look tries again
            _log.exception("alerts could not be told")

    def stop(self) -> None:
        self._over.set()
        self.join(STOP_LIMIT_SECONDS)
