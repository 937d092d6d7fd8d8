"""The real parts: PostgreSQL, a message centre by smpp34, a mail server by aiosmtpd, and a line that can be cut."""

import asyncio
import contextlib
import select
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest
import smpp34
import sqlalchemy as sa
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from reconcile.config import build
from reconcile.domain.clock import FixedClock
from reconcile.domain.ids import case_number, derive
from reconcile.jobs.send_notices import send_notices
from reconcile.jobs.world import World
from reconcile.notices import planning
from reconcile.notices.event import Event
from reconcile.store import tables
from reconcile.store.database import Database
from reconcile.store.lake import Lake

NOW = datetime(2024, 7, 9, 14, 50, tzinfo=UTC)
BOUGHT = NOW.replace(hour=13, minute=47)
PAYER = "+2250707000011"
PATIENCE_SECONDS = 10


class Smsc:
    """A message centre. `answer(event, number)` decides each submission: None takes it, an int refuses it with that status,
    "hold" never answers. `receipt` is what becomes of what it takes; None sends no receipts.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answer = lambda _event, _number: None
        self.receipt: str | None = "DELIVRD"
        self.on_bind = None
        self.submitted: list = []
        self.held: list = []
        self._receipts: list = []
        self._loop = asyncio.new_event_loop()
        self._sessions: dict = {}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),), daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_SECONDS)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join(PATIENCE_SECONDS)
        self._loop.close()

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(recipient, text) of what was taken, in order."""
        return [(f"+{event.destination_addr}", decoded(event)) for event in self.submitted]

    def owe_receipt(self, message_id: str, state: str = "DELIVRD") -> None:
        """Sends a receipt for something that was taken earlier; to be called from `on_bind`."""
        session = next(iter(self._sessions.values()))
        self._receipts.append(asyncio.ensure_future(self._receipt(session, message_id, state)))

    async def _serve(self) -> None:
        self._task = asyncio.current_task()
        server = smpp34.Server(host="127.0.0.1", port=self.port, system_id="test")
        await server.start()
        self._ready.set()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work(server)
        await server.stop()

    async def _work(self, server) -> None:
        number = 0
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions = {event.session_id: event}
                if self.on_bind is not None:
                    self.on_bind()
            elif isinstance(event, smpp34.SubmitSmEvent):
                number += 1
                await self._take(event, number)

    async def _take(self, event, number: int) -> None:
        answer = self.answer(event, number)
        if answer == "hold":
            self.held.append(event)
        elif answer is not None:
            event.reject(answer)
        else:
            self.submitted.append(event)
            event.accept(str(number))
            if self.receipt is not None:
                self._receipts.append(
                    asyncio.ensure_future(self._receipt(self._sessions[event.session_id], str(number), self.receipt))
                )

    async def _receipt(self, session, message_id: str, state: str) -> None:
        text = (
            f"id:{message_id} sub:001 dlvrd:001 submit date:2407091450 done date:2407091450 stat:{state} err:000 text:"
        )
        with contextlib.suppress(smpp34.SmppError):
            await session.deliver_sm("Max it", text.encode(), source_addr="2250707000011", esm_class=0x04)


def decoded(event) -> str:
    """The text of a submission in either alphabet; of a part, without its header."""
    octets = event.short_message
    if event.esm_class & 0x40:
        octets = octets[octets[0] + 1 :]
    if event.data_coding == 8:
        return octets.decode("utf-16-be")
    table = {0x05: "é", 0x04: "è", 0x06: "ù", 0x7F: "à", 0x11: "_"}
    return "".join(table.get(octet, chr(octet)) for octet in octets)


class Line:
    """Carries connections to a port and back. `cut` breaks the present one; later ones go to `then`, or nowhere."""

    def __init__(self, port: int, then: int | None = None) -> None:
        self._targets = [port, *([then] if then else [])]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._cut = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._cut.set()

    def _serve(self) -> None:
        with self._listener:
            for target in self._targets:
                with contextlib.suppress(OSError):
                    self._carry(target)
                self._cut.clear()

    def _carry(self, target: int) -> None:
        ours, _ = self._listener.accept()
        theirs = socket.create_connection(("127.0.0.1", target))
        with ours, theirs:
            while not self._cut.is_set():
                for source in select.select([ours, theirs], [], [], 0.01)[0]:
                    octets = source.recv(65536)
                    if not octets:
                        return
                    (theirs if source is ours else ours).sendall(octets)


class PostOffice:
    """A mail server. `on_recipient` and `on_data` may give another reply than 250; None hangs up without a word."""

    def __init__(self) -> None:
        self.mails: list = []
        self.connections = 0
        self.on_recipient = lambda _address: "250 OK"
        self.on_data = lambda _number: "250 OK"
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())
        self._controller.start()
        self.port = self._controller.port

    def stop(self) -> None:
        self._controller.stop()

    async def handle_EHLO(self, server: SMTP, session, envelope, hostname, responses):  # noqa: N802 - aiosmtpd's names
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        reply = self.on_recipient(address)
        if reply.startswith("250"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session, envelope):  # noqa: N802
        reply = self.on_data(len(self.mails) + 1)
        if reply is None or reply.startswith("250"):
            self.mails.append(envelope)
        if reply is None:
            server.transport.abort()
            return "250 OK"
        return reply


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Town:
    """Customers with cases, in a real database, and the job that tells them."""

    def __init__(self, database: Database, tmp_path, monkeypatch) -> None:
        self.database = database
        self.now = NOW
        self._lake = Lake(str(tmp_path / "lake"))
        self._home = tmp_path
        self.settings: dict = {}
        monkeypatch.setenv("TEST_SMPP_PASSWORD", "secret")
        self._count = 0
        with database.begin() as connection:
            connection.execute(
                sa.insert(tables.flow_modes).values(
                    flow="topup", mode="live", policy_version="1", activated_by="test", activated_at=NOW
                )
            )
        self.fold()

    def connect(self, *, sms: int | None = None, email: int | None = None) -> None:
        """Which channels are configured, by the ports of their servers."""
        self.settings = {}
        if sms:
            self.settings["sms"] = {"port": sms, "password": {"env": "TEST_SMPP_PASSWORD"}, "sender": "Max it"}
        if email:
            self.settings["email"] = {"port": email, "starttls": False, "sender": "Max it <no-reply@maxit.example>"}

    @property
    def world(self) -> World:
        return self.world_on(self.database)

    def world_on(self, database: Database) -> World:
        flow = {
            "name": "topup",
            "asset": "XOF",
            "since": NOW - timedelta(days=1),
            "zone": "Africa/Abidjan",
            "brand": "Max it",
        }
        configuration = build({"flow": [flow], **self.settings}, home=self._home, source="test")
        return World(configuration=configuration, database=database, lake=self._lake, clock=FixedClock(self.now))

    def fold(self) -> None:
        """The ledger is known up to now."""
        with self.database.begin() as connection:
            sequence = connection.execute(sa.select(sa.func.count()).select_from(tables.runs)).scalar_one() + 1
            connection.execute(
                sa.insert(tables.runs).values(
                    run_id=derive("run", str(sequence)), flow="topup", sequence=sequence, path="x", as_of=self.now,
                    grade="proven", new_rows=0, open_items=0,
                )
            )  # fmt: skip

    def case(self, **changes):
        """A case of a purchase that did not arrive; its id."""
        self._count += 1
        case_id = derive("test case", str(self._count))
        values = {
            "case_id": case_id, "number": case_number(case_id, b"secret"), "flow": "topup", "status": "open",
            "kind": "never_credited", "version": 1, "account": PAYER, "payer": PAYER,
            "reference": f"RC240709.1347.A{self._count:05d}", "asset": "XOF", "confirmed_minor": 1050, "owed_minor": 1050,
            "confirmed_at": BOUGHT, "detected_at": self.now, "grade": "proven", "disposition": "pay",
            "disposition_reason": "test", "owner": "policy", **changes,
        }  # fmt: skip
        with self.database.begin() as connection:
            connection.execute(sa.insert(tables.cases).values(values))
        return case_id

    def remedy(self, case_id, status: str) -> None:
        """A re-credit of the case, moved along to `status`."""
        steps = ["planned", "approved", "reserved", "executing", "credited", "verified"]
        if status == "escalated":
            steps[4:] = ["escalated"]
        with self.database.begin() as connection:
            connection.execute(
                sa.insert(tables.intents).values(
                    intent_id=derive("test intent", str(case_id)), case_id=case_id, flow="topup", component="recredit",
                    status="planned", account=PAYER, asset="XOF", amount_minor=1050, purchase_minor=1050, verdict_version=1,
                    policy_version="1", reason="test", planned_at=self.now,
                )
            )  # fmt: skip
            for step in steps[1 : steps.index(status) + 1]:
                connection.execute(
                    sa.update(tables.intents).where(tables.intents.c.case_id == case_id).values(status=step)
                )

    def close(self, case_id, how: str) -> None:
        with self.database.begin() as connection:
            here = sa.update(tables.cases).where(tables.cases.c.case_id == case_id)
            connection.execute(here.values(status=how, credited_at=self.now))
            connection.execute(here.values(status="closed", closed_at=self.now))

    def knows(self, payer: str = PAYER, **entry) -> None:
        """A row of the directory."""
        with self.database.begin() as connection:
            connection.execute(sa.insert(tables.directory).values(account=payer, updated_at=NOW, **entry))

    def plan(self, *case_ids, event: str = "detected", **facts) -> int:
        """The event of each of the cases, planned."""
        with self.database.begin() as connection:
            rows = connection.execute(sa.select(tables.cases).where(tables.cases.c.case_id.in_(case_ids))).all()
            events = [
                Event(
                    row.case_id, event,
                    {"confirmed_at": row.confirmed_at, "amount_minor": row.confirmed_minor, "asset": row.asset,
                     "reference": row.reference, "account": row.account, "payer": row.payer, **facts},
                )
                for row in rows
            ]  # fmt: skip
            return planning.plan(connection, now=self.now, flow=self.world.configuration.flow("topup"), events=events)

    def send(self) -> dict[str, int]:
        return send_notices(self.world)

    def notices(self) -> list:
        with self.database.begin() as connection:
            table = tables.notices
            return connection.execute(
                sa.select(table).order_by(table.c.planned_at, table.c.case_id, table.c.channel)
            ).all()

    def statuses(self) -> list[tuple[str, str]]:
        return [(notice.channel, notice.status) for notice in self.notices()]


@pytest.fixture
def smsc():
    smsc = Smsc(free_port())
    yield smsc
    smsc.stop()


@pytest.fixture
def post_office():
    post_office = PostOffice()
    yield post_office
    post_office.stop()


@pytest.fixture
def town(database_url, tmp_path, monkeypatch):
    database = Database(database_url)
    yield Town(database, tmp_path, monkeypatch)
    database.dispose()
