from reconcile.matching.session import Session
from reconcile.matching.statement import ConservationError


def check(session: Session) -> None:
    """Raise `ConservationError` when a row of this run was lost or counted twice."""
    session.run("conservation")
    wrong = session.rows("SELECT what, difference FROM conservation WHERE difference <> 0 ORDER BY what")
    if wrong:
        raise ConservationError("; ".join(f"{what}: {difference}" for what, difference in wrong))
