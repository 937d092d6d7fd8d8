"""Every search at the desk is a contact: a customer reached us, and somebody looked."""

from datetime import datetime
from uuid import UUID, uuid4

import sqlalchemy as sa

from reconcile.desk.finding import Found
from reconcile.store import audit
from reconcile.store.tables import contacts


def opened(connection: sa.Connection, *, agent: str, at: datetime, found: Found) -> UUID:
    """Records the contact and, in the audit, that somebody searched; returns the contact's id, which is random."""
    contact_id = uuid4()
    only = found.hits[0] if len(found.hits) == 1 else None
    connection.execute(
        sa.insert(contacts).values(
            contact_id=contact_id,
            account=found.account or (only.account if only else None),
            case_id=only.case_id if only else None,
            channel="desk",
            outcome="found" if found.hits else "nothing found",
            agent=agent,
            at=at,
        )
    )
    audit.record(
        connection,
        at=at,
        actor=f"user:{agent}",
        action="searched",
        subject=("contact", str(contact_id)),
        reason=f"by {found.by}",
        evidence={"hits": len(found.hits)},
    )
    return contact_id
