"""The one place where things are wired: from a configuration to the world in which jobs, desk and commands run."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from reconcile import config
from reconcile.config import Configuration, ConfigurationError, secrets_of
from reconcile.domain.clock import Clock, FileClock, WallClock
from reconcile.domain.refusal import NotAllowedError
from reconcile.jobs.dispatch_flow import dispatch_flow
from reconcile.jobs.fold_flow import fold_flow
from reconcile.jobs.housekeeping import housekeep
from reconcile.jobs.send_notices import send_notices
from reconcile.jobs.take_feed import take_feed
from reconcile.jobs.tell_operators import tell_operators
from reconcile.jobs.world import World
from reconcile.logs.setup import to_standard_error
from reconcile.matching.cluster import Cluster
from reconcile.remedy import modes
from reconcile.store import migrate
from reconcile.store.database import Database
from reconcile.store.embedded import EmbeddedPostgres
from reconcile.store.lake import Lake

if TYPE_CHECKING:
    from fastapi import FastAPI


MAY_ACTIVATE: Final = frozenset({"supervisor", "admin"})
"""Roles that may put a mode of a flow into force, two of them together."""


@dataclass(frozen=True, slots=True)
class Application:
    """The jobs by name, in one world. Each returns ids and counts only, so that a scheduler may keep them."""

    world: World

    def take_feed(self, feed: str) -> list[str]:
        return take_feed(self.world, feed)

    def fold_flow(self, flow: str, *, cluster: Cluster | None = None) -> str:
        return fold_flow(self.world, flow, cluster=cluster)

    def dispatch_flow(self, flow: str) -> dict[str, int]:
        return dispatch_flow(self.world, flow)

    def send_notices(self) -> dict[str, int]:
        return send_notices(self.world)

    def write_report(self) -> list[str]:
        from reconcile.jobs.write_report import write_report  # the extra `reports` is for whoever writes them

        return write_report(self.world)

    def housekeep(self) -> dict[str, int]:
        return {done.what: done.count for done in housekeep(self.world)}

    def tell_operators(self) -> dict[str, int]:
        return tell_operators(self.world)

    def activate(self, flow: str, *, maker: str, approver: str, passwords: Mapping[str, str], reason: str) -> str:
        """Puts the configured mode and limits of a flow into force; returns the mode. Raises `NotAllowedError`."""
        from reconcile.desk.accounts import authenticate

        world, section = self.world, self.world.configuration.flow(flow)
        if maker == approver:
            raise NotAllowedError("the one who agrees must be somebody else than the one who proposes")
        with world.database.begin() as connection:
            for name in (maker, approver):
                account = authenticate(connection, name, passwords[name])
                if account is None or account.role not in MAY_ACTIVATE:
                    raise NotAllowedError(f"{name} may not: wrong name or password, or neither supervisor nor admin")
            modes.activate(
                connection,
                flow=flow,
                mode=section.mode,
                limits=modes.Limits.of(section, world.configuration.policy(flow)),
                actor=f"user:{maker}, agreed by user:{approver}",
                reason=reason,
                now=world.clock.now(),
            )
        return section.mode

    def prepare(self) -> tuple[str | None, str]:
        """Brings the database to the newest schema, and puts each flow that has no mode yet into its first one; returns the
        revisions of before and now.

        That is `shadow`, whatever the configuration says, until two people activate another; a sandbox comes activated.
        """
        world = self.world
        revisions = migrate.upgrade(world.database)
        with world.database.begin() as connection:
            for flow in world.configuration.flows:
                if modes.read(connection, flow.name) is None:
                    modes.activate(
                        connection,
                        flow=flow.name,
                        mode=flow.mode if world.configuration.sandbox else "shadow",
                        limits=modes.Limits.of(flow, world.configuration.policy(flow.name)),
                        actor="sandbox" if world.configuration.sandbox else "job:prepare",
                        reason="the sandbox comes activated" if world.configuration.sandbox else "first start",
                        now=world.clock.now(),
                    )
        return revisions


def application(explicit: Path | None = None) -> Application:
    """The application of the configuration that `config.find` finds; raises `ConfigurationError` when there is none."""
    return _application(config.located(explicit).resolve())


def desk() -> "FastAPI":
    """The desk of the configuration that `config.find` finds; what a web server is given as its factory."""
    from reconcile.desk.server import create_app

    world = application().world
    log = world.configuration.log
    to_standard_error(style=log.format, level=log.level or "info", secrets=secrets_of(world.configuration))
    return create_app(world)


@cache
def _application(path: Path) -> Application:
    configuration = config.load(path)
    return Application(
        World(
            configuration=configuration,
            database=Database(_database_url(configuration), schema=configuration.store.db_schema),
            lake=_lake(configuration),
            clock=_clock(configuration),
        )
    )


def _database_url(configuration: Configuration) -> str:
    store = configuration.store
    if store.url == "embedded":
        return EmbeddedPostgres(configuration.path(store.path)).url("reconcile")
    url = sa.make_url(store.url)
    if url.password is not None:
        raise ConfigurationError("store.url holds a password; name its place in [store.password] instead")
    if store.password is not None:
        url = url.set(password=store.password.read())
    return url.render_as_string(hide_password=False)


def _lake(configuration: Configuration) -> Lake:
    path = configuration.lake.path
    try:
        return Lake(path if "://" in path else str(configuration.path(path)))
    except OSError as error:
        raise ConfigurationError(f"lake.path: {path} cannot be made or opened: {error.strerror or error}") from error


def _clock(configuration: Configuration) -> Clock:
    file = configuration.clock.file
    return WallClock() if file is None else FileClock(configuration.path(file))
