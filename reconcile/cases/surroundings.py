from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from reconcile.cases.incidents import Sight, loose
from reconcile.domain.policy import Surroundings
from reconcile.domain.surge import SurgeRules, Timeline


def around(
    connection: sa.Connection, *, flow: str, sight: Sight, rules: SurgeRules
) -> Callable[[datetime], Surroundings]:
    """Answers, for the instant at which a purchase was confirmed, what is known of the minutes around it."""
    timeline = Timeline([row.confirmed_at for row in connection.execute(loose(flow))])

    def answer(confirmed_at: datetime) -> Surroundings:
        return timeline.surroundings(
            confirmed_at,
            curve=sight.curve,
            ledger_until=sight.ledger_until,
            judged_until=sight.judged_until,
            rules=rules,
        )

    return answer
