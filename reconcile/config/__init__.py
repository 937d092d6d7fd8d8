"""`reconcile.toml`: what it may say, and what holds when it says nothing. Secrets are never in it, only where to find them."""

import os
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from reconcile.config.database import Snapshot
from reconcile.config.feed import CONTROL_SUFFIX, FEED_COLUMNS, Completeness, ControlFile, Delay, Feed
from reconcile.config.operation import Alerts, Log, secrets_of
from reconcile.config.retention import Retention
from reconcile.config.sequence import Numbering
from reconcile.config.values import (
    AssetCode,
    AwareInstant,
    ConfigurationError,
    Duration,
    Name,
    Secret,
    Section,
    Zone,
)
from reconcile.domain.flow import FlowRules, PassOptions
from reconcile.domain.money import AmountError, Asset, asset, to_minor

__all__ = [
    "CONTROL_SUFFIX",
    "FEED_COLUMNS",
    "Airflow",
    "Alerts",
    "Completeness",
    "Configuration",
    "ConfigurationError",
    "ControlFile",
    "Delay",
    "Desk",
    "Email",
    "Feed",
    "Flow",
    "Gateway",
    "Log",
    "Numbering",
    "Policy",
    "Retention",
    "Secret",
    "Sms",
    "Snapshot",
    "build",
    "find",
    "load",
    "located",
    "secrets_of",
]

FILE_NAME: Final = "reconcile.toml"
ENVIRONMENT_VARIABLE: Final = "RECONCILE_CONFIG"


class Store(Section):
    """PostgreSQL: `embedded` (its data under `path`), or any SQLAlchemy URL without a password (that is in `password`)."""

    url: str = "embedded"
    path: Path = Path("var")
    db_schema: Annotated[str, Field(alias="schema", pattern=r"^[a-z_][a-z0-9_]{0,62}$")] = "reconcile"
    password: Secret | None = None


class Lake(Section):
    """The folder or fsspec URL under which landed files, published batches and runs lie."""

    path: str = "var/lake"


class ClockSection(Section):
    """Business time: the wall clock, or the instant that another process keeps in a file."""

    file: Path | None = None


class Airflow(Section):
    """How the DAGs appear in Airflow. `schedules`: DAG name → cron text, or `manual`. `connections`: environment variable →
    the Airflow connection whose password it is given for a task. `deadline`: how long a run may take from when it was
    queued, before `[alerts]` are told; without alerts nobody is.
    """

    dag_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,60}$")] = "reconcile_"
    tags: tuple[str, ...] = ("reconcile",)
    pool: str | None = None
    schedules: dict[Literal["feeds", "report", "housekeeping"], str] = {}
    connections: dict[Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")], str] = {}
    deadline: Duration = timedelta(minutes=30)


class Flow(Section):
    """One kind of purchase and the rules by which it is judged."""

    name: Name
    asset: AssetCode
    since: AwareInstant
    grace: Duration = timedelta(minutes=10)
    window: Duration = timedelta(minutes=15)
    horizon: Duration = timedelta(days=7)
    references: Literal["shared", "unrelated"] = "shared"
    fee: str = "0"
    fee_percent: Annotated[Decimal, Field(ge=0, lt=100, max_digits=4, decimal_places=2)] = Decimal(0)
    baskets: bool = False
    zone: Zone = "UTC"
    mode: Literal["shadow", "canary", "live", "stopped"] = "shadow"
    brand: Annotated[str, Field(max_length=20)] = "Service client"
    language: Literal["fr", "en"] = "fr"
    noun: dict[Literal["fr", "en"], str] = {"fr": "d'unités", "en": "of airtime"}

    @property
    def rules(self) -> FlowRules:
        return FlowRules(
            name=self.name,
            asset=self.unit,
            since=self.since,
            grace=self.grace,
            window=self.window,
            horizon=self.horizon,
            options=PassOptions(
                references_unrelated=self.references == "unrelated",
                fee_minor=to_minor(self.fee, self.unit),
                fee_basis_points=int(self.fee_percent * 100),
                baskets=self.baskets,
            ),
        )

    @model_validator(mode="after")
    def _fee_is_an_amount(self) -> "Flow":
        try:
            fee_minor = to_minor(self.fee, self.unit)
        except AmountError as error:
            raise ValueError(f"fee: {error}") from error
        if fee_minor < 0:
            raise ValueError(f"fee: {self.fee} is less than nothing")
        return self

    @property
    def unit(self) -> Asset:
        return asset(self.asset)


class Policy(Section):
    """When money may move without a person, and how much. Amounts are decimal strings in major units of the flow's asset."""

    max_amount: str = "5000"
    max_per_customer_day: str = "20000"
    max_per_hour: str = "2000000"
    max_per_day: str = "5000000"
    surge_cases: Annotated[int, Field(ge=2)] = 20
    surge_window: Duration = timedelta(minutes=15)
    settle_after: Duration = timedelta(minutes=15)
    recovered_share: Annotated[float, Field(gt=0, le=1)] = 0.9
    breaker_share: Annotated[float, Field(gt=0, le=1)] = 0.25
    approval_expires: Duration = timedelta(hours=8)
    news_every: Duration = timedelta(hours=1)

    def minor(
        self, key: Literal["max_amount", "max_per_customer_day", "max_per_hour", "max_per_day"], unit: Asset
    ) -> int:
        """One of the amounts in minor units of `unit`."""
        return to_minor(getattr(self, key), unit)


class Gateway(Section):
    """The system that credits: GSMA Mobile Money API 1.2."""

    kind: Literal["gsma"] = "gsma"
    url: str
    api_key: Secret
    client_id: str = "reconcile"
    transaction_type: str = "adjustment"
    debit_account: str = "adjustments"
    statuses: dict[str, Literal["completed", "pending", "failed"]] = {
        "completed": "completed",
        "pending": "pending",
        "failed": "failed",
    }
    requests_per_second: Annotated[int, Field(ge=1, le=10_000)] = 200
    concurrency: Annotated[int, Field(ge=1, le=64)] = 8
    timeout: Duration = timedelta(seconds=5)
    id_horizon: Duration = timedelta(hours=24)


class Sms(Section):
    """The operator's SMSC, over SMPP 3.4."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 2775
    system_id: str = "reconcile"
    password: Secret
    sender: Annotated[str, Field(max_length=11)] = "Max it"


class Email(Section):
    """Any SMTP server."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    username: str | None = None
    password: Secret | None = None
    starttls: bool = True
    sender: str = "Service client <no-reply@localhost>"


class Desk(Section):
    """The agents' web pages."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    secure_cookies: bool = True
    session_hours: Annotated[int, Field(ge=1, le=24)] = 10
    monitor_token: Secret | None = None
    ready_within: Duration | None = None


class Reports(Section):
    """Where report files are written."""

    path: Path = Path("var/reports")


_Named = TypeVar("_Named", Flow, Feed)


class Configuration(Section):
    """All of it. Paths are relative to the folder of the file, or to the working folder when there is none."""

    sandbox: bool = False
    """Whether this drives a sandboxed operator: its money keys come into force without a second person."""
    store: Store = Store()
    lake: Lake = Lake()
    clock: ClockSection = ClockSection()
    airflow: Airflow = Airflow()
    desk: Desk = Desk()
    reports: Reports = Reports()
    log: Log = Log()
    alerts: Alerts | None = None
    retention: Retention = Retention()
    sms: Sms | None = None
    email: Email | None = None
    flows: Annotated[tuple[Flow, ...], Field(alias="flow")] = ()
    feeds: Annotated[tuple[Feed, ...], Field(alias="feed")] = ()
    policies: Annotated[dict[str, Policy], Field(alias="policy")] = {}
    gateways: Annotated[dict[str, Gateway], Field(alias="gateway")] = {}
    home: Annotated[Path, Field(exclude=True)] = Path()

    @model_validator(mode="after")
    def _names_fit(self) -> "Configuration":
        names = [flow.name for flow in self.flows]
        for kind, found in (("flow", names), ("feed", [feed.name for feed in self.feeds])):
            twice = {name for name in found if found.count(name) > 1}
            if twice:
                raise ValueError(f"{kind} {min(twice)!r} stands twice")
        for feed in self.feeds:
            if feed.flow not in names:
                raise ValueError(f"feed {feed.name!r} belongs to flow {feed.flow!r}, which is not configured")
        for section, keys in (("policy", self.policies), ("gateway", self.gateways)):
            for key in keys:
                if key not in names:
                    raise ValueError(f"[{section}.{key}] names a flow that is not configured")
        return self

    def flow(self, name: str) -> Flow:
        """Raises `ConfigurationError` when there is no such flow."""
        return _named(self.flows, name, "flow")

    def feed(self, name: str) -> Feed:
        """Raises `ConfigurationError` when there is no such feed."""
        return _named(self.feeds, name, "feed")

    def policy(self, flow: str) -> Policy:
        return self.policies.get(flow, Policy())

    def path(self, relative: Path | str) -> Path:
        """A configured path, made absolute from the folder of the configuration."""
        return (self.home / relative).resolve()


def _named(items: tuple[_Named, ...], name: str, kind: str) -> _Named:
    for item in items:
        if item.name == name:
            return item
    known = ", ".join(item.name for item in items) or "none"
    raise ConfigurationError(f"there is no {kind} {name!r}; configured: {known}")


def find(explicit: Path | None = None) -> Path | None:
    """The configuration file: `--config`, `$RECONCILE_CONFIG`, then the working folder; None when there is none."""
    if explicit is not None:
        return explicit
    from_environment = os.environ.get(ENVIRONMENT_VARIABLE)
    if from_environment:
        return Path(from_environment)
    here = Path(FILE_NAME)
    return here if here.is_file() else None


def located(explicit: Path | None = None) -> Path:
    """What `find` finds; raises `ConfigurationError` when there is none."""
    path = find(explicit)
    if path is None:
        raise ConfigurationError(
            f"no configuration: give --config, set ${ENVIRONMENT_VARIABLE}, or put {FILE_NAME} here"
        )
    return path


def load(path: Path) -> Configuration:
    """Reads one file; raises `ConfigurationError` that names the file and every wrong key."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not TOML: {error}") from error
    return build(data, home=path.resolve().parent, source=str(path))


def build(data: Mapping[str, Any], *, home: Path, source: str) -> Configuration:
    """The configuration that `data` says; `source` is named in errors."""
    try:
        return Configuration.model_validate({**data, "home": home})
    except ValidationError as error:
        raise ConfigurationError("\n".join(f"{source}: {line}" for line in _explained(error))) from error


def _explained(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"]) or "configuration"
        message = problem["msg"].removeprefix("Value error, ")
        value = problem["input"]
        shown = f" (found {value!r})" if isinstance(value, str | int | float | bool) else ""
        lines.append(f"{key}: {message}{shown}")
    return lines
