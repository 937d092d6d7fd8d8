"""`reconcile run`: a whole sandboxed world on this machine, from an empty folder to the end of a day.

PostgreSQL, the operator, Airflow with the DAGs, the desk: started in order, kept running, and ended with this process,
however that ends. The folder is durable: what was killed goes on from where the operator's clock stands.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from types import FrameType

import httpx

from reconcile.app import Application, application
from reconcile.config import ConfigurationError
from reconcile.desk.accounts import ensure_user
from reconcile.resources import folder
from reconcile.runtime import leftovers, motion, summary
from reconcile.runtime.airflow_api import AirflowApi
from reconcile.runtime.airflow_home import USER, AirflowHome
from reconcile.runtime.dag_options import dag_id
from reconcile.runtime.day import Day
from reconcile.runtime.sandbox_api import SandboxApi
from reconcile.runtime.sandbox_home import PURCHASES, SandboxHome, SandboxPorts
from reconcile.runtime.supervisor import Supervisor
from reconcile.runtime.terminal import Terminal
from reconcile.store.embedded import EmbeddedPostgres
from reconcile.store.lock import FileLock

DAGS = ("feeds", "reconcile", "remedy", "notify", "report", "housekeeping")
READY_LIMIT_SECONDS = 120
LEFTOVER_LIMIT_SECONDS = 5
POLL_SECONDS = 0.1

DONE = 0
FAILED = 1
INTERRUPTED = 130  # as a shell says it of Ctrl-C

MARKER = ".reconcile-home"
FINISHED = "finished.json"
# What one day leaves in its home, beside the database; the secrets stay.
TRACES = ("airflow", "lake", "reports", "run", "sandbox", "reconcile.toml", FINISHED)
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class NotOurHome(RuntimeError):  # noqa: N818 - says what is the matter
    """The folder holds something else, which a new day must not delete."""


def run(*, once: bool, home: Path, purchases: int = PURCHASES, terminal: Terminal | None = None) -> int:
    """Live through a sandboxed day in `home`; with `once`, sandbox persons give the approvals and it ends by itself.
    `purchases`: how many the operator sells on that day; the same at every start in one home.

    Returns 0 when the operator's books say that everybody wronged is whole and nobody was paid or told wrongly, 1 when
    they do not or the day could not be finished, 130 when it was interrupted. Call it from the main thread.
    """
    terminal = terminal or Terminal()
    for number in STOP_SIGNALS:
        signal.signal(number, _interrupt)
    try:
        with _taken(home.resolve(), terminal) as ours:
            return _live(ours, terminal, once=once, purchases=purchases)
    except KeyboardInterrupt:
        terminal.say("Stopped. The next run goes on from here.")
        return INTERRUPTED
    except (RuntimeError, ConfigurationError, httpx.HTTPError) as error:
        terminal.say(f"{type(error).__name__}: {error}", style="red")
        return FAILED


def _live(home: Path, terminal: Terminal, *, once: bool, purchases: int) -> int:
    with ExitStack() as stack:
        stack.callback(terminal.say, "All processes have ended.")
        sandbox = SandboxHome(home, SandboxPorts.free(), purchases=purchases)
        sandbox.write_configuration()
        os.environ.update(sandbox.environment({}))
        with terminal.doing("PostgreSQL"):
            postgres = EmbeddedPostgres(home)
            stack.callback(postgres.stop)
            postgres.start()
        airflow = AirflowHome(home / "airflow", postgres.database("airflow"), folder("dags"), sandbox.ports.airflow)
        airflow.prepare()
        programs = [sandbox.operator(), sandbox.desk(), *airflow.programs()]
        supervisor = Supervisor(home, home / "run", programs, airflow.environment(os.environ))
        stack.callback(supervisor.stop)
        operator = stack.enter_context(SandboxApi(sandbox.control_url, sandbox.token))
        api = stack.enter_context(AirflowApi(airflow.url, USER, airflow.password))
        stack.callback(_let_it_end)

        app = _start(sandbox, airflow, supervisor, operator, api, terminal)
        _tell_addresses(sandbox, airflow, terminal)
        Day(
            sandbox=operator,
            airflow=api,
            database=app.world.database,
            supervisor=supervisor,
            terminal=terminal,
            dag_id=partial(dag_id, app.world.configuration.airflow),
            revive_database=postgres.revive,
            ask_people=partial(_ask_persons, operator, sandbox) if once else None,
            invitation=f"`{sandbox.maker.username}` proposes and `{sandbox.approver.username}` approves at {sandbox.desk_url}",
        ).live()
        books = operator.books()
        (home / FINISHED).write_text(json.dumps(books, indent=1), encoding="utf-8")
        _tell_end(books, operator, app, sandbox, terminal)
        if not once:
            terminal.say("The day is over. Desk and Airflow stay up until Ctrl-C; the next run is a new day.")
            with suppress(KeyboardInterrupt):
                while True:
                    time.sleep(POLL_SECONDS)
        return DONE if summary.is_good(books) else FAILED


def _start(
    sandbox: SandboxHome,
    airflow: AirflowHome,
    supervisor: Supervisor,
    operator: SandboxApi,
    api: AirflowApi,
    terminal: Terminal,
) -> Application:
    """Start everything, in the order in which one needs the other; returns when all of it answers."""
    supervisor.start()
    supervisor.launch(sandbox.operator())
    migration = airflow.begin_migration(supervisor.environment)
    with terminal.doing("the sandboxed operator"):
        operator.wait_until_ready(limit_seconds=READY_LIMIT_SECONDS)
    with terminal.doing("tables, and the people of the desk"):
        app = application(sandbox.configuration)
        app.prepare()
        with app.world.database.begin() as connection:
            for person in sandbox.people:
                ensure_user(connection, person.username, person.password, person.role, person.display_name)
        supervisor.launch(sandbox.desk())
    with terminal.doing("Airflow's tables"):
        airflow.finish_migration(migration)
    supervisor.launch(*airflow.programs())
    with terminal.doing("Airflow and the desk"):
        ids = [dag_id(app.world.configuration.airflow, name) for name in DAGS]
        api.wait_until_ready(ids, limit_seconds=READY_LIMIT_SECONDS)
        _wait_for_desk(sandbox)
    return app


def _wait_for_desk(sandbox: SandboxHome) -> None:
    give_up = time.monotonic() + READY_LIMIT_SECONDS
    while True:
        try:
            answer = httpx.get(f"{sandbox.desk_url}/health", trust_env=False)
        except httpx.TransportError as error:
            problem = type(error).__name__
        else:
            if answer.is_success:
                return
            problem = f"HTTP {answer.status_code}"
        if time.monotonic() > give_up:
            raise RuntimeError(f"the desk does not answer after {READY_LIMIT_SECONDS} s ({problem})")
        time.sleep(POLL_SECONDS)


def _ask_persons(operator: SandboxApi, sandbox: SandboxHome) -> None:
    operator.let_persons_act(sandbox.desk_url, sandbox.maker.credentials(), sandbox.approver.credentials())


def _tell_addresses(sandbox: SandboxHome, airflow: AirflowHome, terminal: Terminal) -> None:
    terminal.say()
    terminal.say(f"desk     {sandbox.desk_url}", style="bold")
    for person in sandbox.people:
        terminal.say(f"         {person.username} ({person.role}), password {person.password}")
    terminal.say(f"Airflow  {airflow.url}", style="bold")
    terminal.say(f"         {USER}, password {airflow.password}")
    terminal.say()


def _tell_end(
    books: summary.Books, operator: SandboxApi, app: Application, sandbox: SandboxHome, terminal: Terminal
) -> None:
    events = operator.story()
    number = None
    if events:
        with app.world.database.begin() as connection:
            number = motion.case_number(connection, events[0]["reference"])
    terminal.say()
    terminal.say_all(summary.headline(books))
    terminal.say()
    terminal.say_all(summary.story(events, f"{sandbox.desk_url}/cases/{number}" if number else None))
    terminal.say()


@contextmanager
def _taken(home: Path, terminal: Terminal) -> Iterator[Path]:
    """The home, ours alone, with nothing of an earlier run still running, and empty when that one finished its day."""
    os.umask(0o077)
    home.mkdir(parents=True, exist_ok=True)
    marker = home / MARKER
    if not marker.exists():
        if any(home.iterdir()):
            raise NotOurHome(f"{home} holds other things: give --home an empty folder, or one that does not exist")
        # Below it lie phone numbers. Started by root, the database is somebody else's, who must get through.
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)
        marker.touch()
    lock = FileLock(home / "lock")
    lock.acquire()
    try:
        ended = leftovers.end(home, limit_seconds=LEFTOVER_LIMIT_SECONDS)
        if ended:
            terminal.say(f"Ended {ended} processes that an earlier run had left behind.")
        if (home / FINISHED).exists():
            terminal.say(f"The day in {home} is over: a new one begins in an empty world.")
            _empty(home)
        elif (home / "sandbox").exists():
            terminal.say(f"Going on with the day in {home}.")
        yield home
    finally:
        lock.release()


def _empty(home: Path) -> None:
    EmbeddedPostgres(home).destroy()
    for name in TRACES:  # the mark of a finished day comes last: whoever is killed here begins again
        path = home / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _let_it_end() -> None:
    """From here on no signal disturbs the end; it has a limit of its own, and a SIGKILL leaves nothing for long."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
