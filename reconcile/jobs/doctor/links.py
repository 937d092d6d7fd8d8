"""Whom the installation talks to: SMSC, mail server, and whoever is told when something needs a person. Each is signed in to."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final

import sqlalchemy as sa

from reconcile.alerts import channel
from reconcile.alerts.channel import AlertsUnavailableError
from reconcile.config import Configuration, ConfigurationError, secrets_of
from reconcile.jobs.doctor.finding import Finding
from reconcile.jobs.world import World
from reconcile.logs.redaction import SECRET_CHARACTERS_MIN
from reconcile.notices.mail import MailLink
from reconcile.notices.outcome import ChannelDownError
from reconcile.notices.sms import SmsLink
from reconcile.resources import folder
from reconcile.store.tables import job_totals

STALE_AFTER: Final = timedelta(hours=1)
"""Longer than any usual schedule of the DAG `feeds`."""


def examine_channels(world: World) -> Iterator[Finding]:
    """Whether customers can be told: a real session with each, and nothing sent."""
    sms, email = world.configuration.sms, world.configuration.email
    if sms is None and email is None:
        text = "neither [sms] nor [email] is configured: customers are not told anything"
        yield Finding("channels", "warning", text, "configure one before a flow goes live")
    if sms is not None:
        yield _opened("sms", f"{sms.host}:{sms.port}", lambda: SmsLink.open(sms), "binds as a transceiver")
    if email is not None:
        now = world.clock.now()
        yield _opened("email", f"{email.host}:{email.port}", lambda: MailLink.open(email, now=now), "lets us in")


def examine_alerts(configuration: Configuration) -> Iterator[Finding]:
    """Whether somebody is told when something needs a person, and whether each address is one."""
    if configuration.alerts is None:
        text = "no [alerts] are configured: nobody is told when a feed stops or the breaker opens"
        yield Finding("alerts", "warning", text, "name at least one address in [alerts] urls")
        return
    try:
        channel.check([secret.read() for secret in configuration.alerts.urls])
    except (ConfigurationError, AlertsUnavailableError) as error:
        yield Finding("alerts", "failure", str(error), "`reconcile alert` tries them when there is something to tell")
    else:
        yield Finding("alerts", "ok", f"{len(configuration.alerts.urls)} addresses, each of a kind that is known")


def examine_secrets(configuration: Configuration) -> Iterator[Finding]:
    """Whether all secrets are long enough to be masked in logs."""
    short = sum(len(secret) < SECRET_CHARACTERS_MIN for secret in secrets_of(configuration))
    if short:
        text = f"{short} of them have fewer than {SECRET_CHARACTERS_MIN} characters, and cannot be masked in logs"
        yield Finding("secrets", "warning", text, "choose longer ones")


def examine_scheduling(world: World) -> Iterator[Finding]:
    """Whether anybody runs the jobs: Airflow that knows the DAGs, or another."""
    if not world.configuration.feeds:
        return
    machine_age = sa.func.clock_timestamp() - sa.func.max(job_totals.c.last_succeeded_at)
    with world.database.begin() as connection:
        age = connection.execute(sa.select(machine_age).where(job_totals.c.job == "take_feed")).scalar_one()
    todo = f"let Airflow read {folder('dags')} (`dags_folder`, or a DAG bundle), and unpause the DAGs"
    if age is None:
        yield Finding("schedule", "warning", "no feed has ever been taken here", todo)
    elif age > STALE_AFTER:
        yield Finding("schedule", "warning", f"no feed has been taken for {str(age).partition('.')[0]}", todo)
    else:
        yield Finding("schedule", "ok", f"a feed was taken {int(age.total_seconds())} s ago")


def _opened(subject: str, place: str, opening: Callable[[], AbstractContextManager[Any]], done: str) -> Finding:
    todo = f"look at host, port and sign-in of [{subject}], and whether this machine may call there"
    try:
        with opening():
            pass
    except (ChannelDownError, ConfigurationError, OSError) as error:
        return Finding(subject, "failure", str(error), todo)
    return Finding(subject, "ok", f"{place} {done}")
