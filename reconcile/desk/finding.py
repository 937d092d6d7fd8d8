"""From what an agent typed or pasted to the purchases that it may mean."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from reconcile.desk import lake_file
from reconcile.desk.pasted import Pasted, read_pasted
from reconcile.domain.confirmation import normalise_reference
from reconcile.domain.ids import normalise_case_number
from reconcile.domain.phone import PhoneError, to_e164
from reconcile.jobs.world import World
from reconcile.store.tables import cases

HITS_MAX: Final = 50
REFERENCE_CHARACTERS_MAX: Final = 64

By = Literal["nothing", "case number", "phone number", "reference", "pasted message"]


@dataclass(frozen=True, slots=True)
class Hit:
    """One purchase (or one case without a purchase) that was found."""

    path: str
    case_id: UUID | None
    number: str | None
    account: str
    payer: str | None
    reference: str | None
    asset: str
    amount_minor: int
    confirmed_at: datetime | None
    kind: str | None
    status: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and how the text was understood. `account` is set when it was a phone number."""

    by: By
    hits: list[Hit]
    account: str | None = None
    pasted: Pasted | None = None


def find(world: World, region: str, query: str) -> Found:
    """Case number, phone number, receipt, or a whole message, in this order; what fits none of them finds nothing."""
    text = " ".join(query.split())
    if not text:
        return Found("nothing", [])
    number = normalise_case_number(text)
    if number is not None:
        hits = _cases(world, cases.c.number == number)
        if hits:
            return Found("case number", hits)
    account = _phone(text, region)
    if account is not None:
        return of_account(world, account)
    if " " not in text and len(text) <= REFERENCE_CHARACTERS_MAX:
        return Found("reference", by_reference(world, text))
    pasted = read_pasted(text, region)
    return Found("pasted message", _pasted_hits(world, pasted), pasted=pasted)


def of_account(world: World, account: str) -> Found:
    """Everything bought for or by one number, cases first where they exist."""
    known = _cases(world, sa.or_(cases.c.account == account, cases.c.payer == account))
    return Found("phone number", _merged(known, lake_file.purchases_of_account(world, account)), account=account)


def by_id(world: World, wanted: UUID) -> list[Hit]:
    """The case of that id, else the purchase; an id of a confirmation is that of its case."""
    known = _cases(world, cases.c.case_id == wanted)
    bought = lake_file.purchase(world, wanted)
    return _merged(known, [bought] if bought is not None else [])


def by_reference(world: World, text: str) -> list[Hit]:
    """Everything bought under one receipt, cases first where they exist."""
    reference = normalise_reference(text)
    if reference is None:
        return []
    known = _cases(world, cases.c.reference == reference)
    return _merged(known, lake_file.purchases_by_reference(world, reference))


def _pasted_hits(world: World, pasted: Pasted) -> list[Hit]:
    if pasted.reference:
        return by_reference(world, pasted.reference)
    if pasted.account:
        hits = of_account(world, pasted.account).hits
        return [hit for hit in hits if pasted.amount_minor in {None, hit.amount_minor}]
    return []


def _cases(world: World, condition: sa.ColumnElement[bool]) -> list[Hit]:
    query = sa.select(cases).where(condition).order_by(cases.c.detected_at.desc()).limit(HITS_MAX)
    with world.database.begin() as connection:
        return [_case_hit(row) for row in connection.execute(query)]


def _case_hit(row: sa.Row[Any]) -> Hit:
    return Hit(
        path=f"/cases/{row.number}",
        case_id=row.case_id,
        number=row.number,
        account=row.account,
        payer=row.payer,
        reference=row.reference,
        asset=row.asset,
        amount_minor=row.confirmed_minor,
        confirmed_at=row.confirmed_at,
        kind=row.kind,
        status=row.status,
    )


def _merged(known: list[Hit], bought: list[lake_file.Purchase]) -> list[Hit]:
    taken = {hit.case_id for hit in known}
    others = [
        Hit(
            path=f"/timelines/{one.confirmation_id}",
            case_id=None,
            number=None,
            account=one.account,
            payer=one.payer,
            reference=one.reference,
            asset=one.asset,
            amount_minor=one.amount_minor,
            confirmed_at=one.confirmed_at,
            kind=None,
            status=None,
        )
        for one in bought
        if one.confirmation_id not in taken
    ]
    return (known + others)[:HITS_MAX]


def _phone(text: str, region: str) -> str | None:
    """Text as a phone number: only when it is written as one, so that a receipt is never taken for a number."""
    if any(character not in "+0123456789 .-()/" for character in text):
        return None
    try:
        return to_e164(text, region)
    except PhoneError:
        return None
