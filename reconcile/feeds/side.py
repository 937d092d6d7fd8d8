"""What differs between confirmations, ledger entries, payments and directory rows; everything else treats them alike."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, Protocol

from reconcile.config import Configuration, Feed
from reconcile.feeds.confirmations import Confirmations
from reconcile.feeds.contacts import Contacts
from reconcile.feeds.draft import Draft
from reconcile.feeds.entries import Entries
from reconcile.feeds.messages import Catalogue
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

_catalogue = cache(Catalogue.load)
"""The templates that come with the package, compiled once in a process."""


def side_of(configuration: Configuration, feed: Feed) -> Side:
    """What reads the rows of that feed."""
    flow = configuration.flow(feed.flow)
    match feed.side:
        case "confirmation":
            own_sender = configuration.sms.sender if configuration.sms else None
            return Confirmations(feed, flow, _catalogue(), own_sender)
        case "ledger":
            return Entries(feed, flow)
        case "payment":
            return Payments(feed, flow)
        case "directory":
            return Contacts(feed)
