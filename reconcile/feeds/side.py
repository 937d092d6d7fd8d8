"""What differs between confirmations, ledger entries, payments and directory rows; everything else treats them alike."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from reconcile.config import Configuration, ConfigurationError, Feed
from reconcile.feeds.confirmations import Confirmations
from reconcile.feeds.contacts import Contacts
from reconcile.feeds.draft import Draft
from reconcile.feeds.entries import Entries
from reconcile.feeds.messages import Catalogue
from reconcile.feeds.messages.catalogue import builtin
from reconcile.feeds.messages.template import TemplateError
from reconcile.feeds.payments import Payments
from reconcile.feeds.readers import RawRow


class Side(Protocol):
    """`columns`: what is read, with its Arrow type; among them `row_key`, and `id` where a row has one.

    `suite`: the expectations of its rows. `table`: its name in `sql/feeds/`. `moment`: the column of when it happened.
    """

    @property
    def suite(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, Any]: ...
    @property
    def moment(self) -> str | None: ...

    def read(self, rows: Sequence[RawRow]) -> list[Draft]:
        """Each row as far as it can be read, in the same order."""


SUITES: Final = {
    "confirmation": Confirmations.suite,
    "ledger": Entries.suite,
    "payment": Payments.suite,
    "directory": Contacts.suite,
}
"""Side → the suite that its rows are held to."""


@cache
def _catalogue(own: tuple[Path, ...]) -> Catalogue:
    """The templates that come with the package and a feed's own, compiled once in a process."""
    try:
        return Catalogue.load([builtin(), *own])
    except TemplateError as error:
        raise ConfigurationError(f"feed.templates: {error}") from error


def side_of(configuration: Configuration, feed: Feed) -> Side:
    """What reads the rows of that feed."""
    flow = configuration.flow(feed.flow)
    match feed.side:
        case "confirmation":
            own = tuple(configuration.path(name) for name in feed.templates)
            own_sender = configuration.sms.sender if configuration.sms else None
            return Confirmations(feed, flow, _catalogue(own), own_sender)
        case "ledger":
            return Entries(feed, flow)
        case "payment":
            return Payments(feed, flow)
        case "directory":
            return Contacts(feed)
