"""The rules by which one flow is judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from reconcile.domain.money import Asset

DEFAULT_HORIZON = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PassOptions:
    """What a flow may declare beyond its times.

    `references_unrelated`: the two sides number their rows each in its own way, so that two references that differ do not
    name two purchases. `fee_minor`, `fee_basis_points`: what a credit may fall short of its confirmation under the same
    reference, in minor units or in hundredths of a per cent of the amount, whichever is more. `baskets`: messages with one
    identity and different amounts are parts of one purchase, and their sum is owed. `keyless`: the ledger does not show which
    entries are our own credits.
    """

    references_unrelated: bool = False
    fee_minor: int = 0
    fee_basis_points: int = 0
    baskets: bool = False
    keyless: bool = False


DEFAULT_OPTIONS = PassOptions()


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
    options: PassOptions = DEFAULT_OPTIONS

    @property
    def deadline_after(self) -> timedelta:
        """How long after its confirmation a purchase counts as not credited."""
        return max(self.grace, self.window)

    @property
    def payment_deadline_after(self) -> timedelta:
        """How long after it was made a payment counts as not told of."""
        return max(self.deadline_after, 3 * self.window)
