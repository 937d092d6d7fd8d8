"""The sandbox as one process: takes its home, binds its ports, serves until it is told to stop."""

import asyncio
import contextlib
import fcntl
import json
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconcile.sandbox.control_api import ControlApi
from reconcile.sandbox.credit import CreditStore
from reconcile.sandbox.database import Database, keep_setting
from reconcile.sandbox.fault import LOW_RATES, NO_RATES, FaultStore
from reconcile.sandbox.gsma_api import GsmaApi
from reconcile.sandbox.http_server import HttpServer
from reconcile.sandbox.mail_server import MailServer
from reconcile.sandbox.notice import NoticeStore
from reconcile.sandbox.publisher import Publisher
from reconcile.sandbox.settings import HOST, Ports, Settings
from reconcile.sandbox.sms import SmsStore
from reconcile.sandbox.smsc import Smsc
from reconcile.sandbox.world import make_world

STOP_SECONDS: Final = 2
_BACKLOG: Final = 128


class StartError(Exception):
    """The sandbox cannot start: the message says why and what to do."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises StartError."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with _own(settings.home), _listeners(settings.ports) as listeners:
        database = Database(settings.home / "sandbox.sqlite")
        try:
            asyncio.run(_run(settings, database, listeners))
        finally:
            database.close()


async def _run(settings: Settings, database: Database, listeners: dict[str, socket.socket]) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        keep_setting(database, "seed", str(settings.seed))
        keep_setting(database, "purchases", str(settings.purchases))
        world = make_world(settings.seed, settings.purchases)
    except ValueError as error:
        raise StartError(str(error)) from error

    credit_store = CreditStore(database, settings.seed)
    notice_store = NoticeStore(database)
    faults = FaultStore(database, settings.seed, LOW_RATES if settings.has_faults else NO_RATES)
    publisher = Publisher(settings.home, world, database, credit_store)
    await publisher.recover()

    control = ControlApi(settings.secrets.token, world, publisher, credit_store, notice_store, faults)
    gsma = GsmaApi(credit_store, faults, settings.secrets.api_key)
    http_servers = [HttpServer(control.app(), listeners["control"]), HttpServer(gsma.app(), listeners["gsma"])]
    smsc = Smsc(SmsStore(database, publisher.clock), settings.secrets.smpp_password)
    mail_server = MailServer(notice_store, publisher.clock)
    await smsc.start(listeners["smpp"])
    await mail_server.start(listeners["smtp"])
    serving = [asyncio.create_task(server.run_until_stopped()) for server in http_servers]
    await asyncio.gather(*(server.ready.wait() for server in http_servers))
    _announce(listeners)

    await stopping.wait()
    for server in http_servers:
        server.should_exit = True
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(STOP_SECONDS):
            await asyncio.gather(smsc.stop(), mail_server.stop(), *serving)


@contextlib.contextmanager
def _own(home: Path) -> Iterator[None]:
    """One process per home: the lock goes with the process, however it ends."""
    with (home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise StartError(f"another sandbox is using {home}: stop it, or give another --home") from error
        yield


@contextlib.contextmanager
def _listeners(ports: Ports) -> Iterator[dict[str, socket.socket]]:
    """A bound socket per server, so that a taken port is told before anything is served."""
    with contextlib.ExitStack() as stack:
        listeners: dict[str, socket.socket] = {}
        wanted = {"control": ports.control, "gsma": ports.gsma, "smpp": ports.smpp, "smtp": ports.smtp}
        for name, port in wanted.items():
            try:
                listener = socket.create_server((HOST, port), backlog=_BACKLOG)
            except OSError as error:
                raise StartError(
                    f"port {port} ({name}) cannot be had: {error.strerror}; give another --{name}-port"
                ) from error
            listeners[name] = stack.enter_context(listener)
        yield listeners


def _announce(listeners: dict[str, socket.socket]) -> None:
    """One line of JSON once everything answers: where each server listens."""
    where = {name: f"{HOST}:{listener.getsockname()[1]}" for name, listener in listeners.items()}
    sys.stdout.write(f"{json.dumps({'sandbox': 'ready', **where})}\n")
    sys.stdout.flush()
