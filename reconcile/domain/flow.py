"""The rules by which one flow is judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconcile.domain.money import Asset

DEFAULT_HORIZON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class FlowRules:
    """What matching must know about a flow.

    `since`: nothing before it is judged. `grace`: how long the ledger may take. `window`: how far apart a confirmation and
    an entry without a reference may lie. `horizon`: how long settled groups stay in the fold's state.
    """

    name: str
    asset: Asset
    since: datetime
    grace: timedelta
    window: timedelta
    horizon: timedelta = DEFAULT_HORIZON

    @property
    def deadline_after(self) -> timedelta:
        """How long after its confirmation a purchase counts as not credited."""
        return max(self.grace, self.window)
