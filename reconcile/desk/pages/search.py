from typing import Annotated, Final
from uuid import UUID

import sqlalchemy as sa
from fastapi import APIRouter, Form
from starlette.exceptions import HTTPException
from starlette.responses import Response

from reconcile.desk import contacts, finding
from reconcile.desk.guard import needs
from reconcile.desk.page import Viewing
from reconcile.desk.roles import Permission
from reconcile.store.tables import contacts as contacts_table

router = APIRouter()

QUERY_CHARACTERS_MAX: Final = 2_000


@router.post("/search", dependencies=[needs(Permission.SEARCH)])
def search(page: Viewing, query: Annotated[str, Form(max_length=QUERY_CHARACTERS_MAX)] = "") -> Response:
    """Looks for what was typed or pasted. A phone number never gets into an address: what is shown has an opaque id."""
    found = finding.find(page.world, page.desk.region, query)
    with page.world.database.begin() as connection:
        contact_id = contacts.opened(connection, agent=page.viewer.username, at=page.world.clock.now(), found=found)
    if found.account is not None:
        return page.go(f"/searches/{contact_id}")
    if len(found.hits) == 1:
        return page.go(found.hits[0].path)
    return page.show("search.html", status=200 if found.hits else 404, found=found, query=query)


@router.get("/searches/{contact_id}", dependencies=[needs(Permission.SEARCH)])
def searched(page: Viewing, contact_id: UUID) -> Response:
    """All purchases of the number that this search was for; only for whoever searched, and who may read the audit."""
    with page.world.database.begin() as connection:
        contact = connection.execute(
            sa.select(contacts_table).where(contacts_table.c.contact_id == contact_id)
        ).one_or_none()
    mine = contact is not None and (contact.agent == page.viewer.username or page.viewer.may(Permission.SEE_AUDIT))
    if contact is None or contact.account is None or not mine:
        raise HTTPException(404)
    found = finding.of_account(page.world, contact.account)
    return page.show("search.html", found=found, query="")
