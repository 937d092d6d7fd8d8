"""Between the pages and `jobs.approvals`: proposals as the decisions see them, refusals as the viewer reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from starlette.exceptions import HTTPException

from reconcile.desk.page import Page
from reconcile.desk.roles import Proposal
from reconcile.jobs.approvals import ChangedSinceSeen, Expired, NotAllowed


def open_proposal(row: sa.Row[Any] | None) -> Proposal | None:
    """The row of a proposal as the decisions of `roles` know it."""
    return None if row is None else Proposal(maker=row.maker, expires_at=row.expires_at)


@contextmanager
def deciding(page: Page) -> Iterator[None]:
    """Whatever the job refuses becomes a page that says so; nothing was changed then."""
    try:
        yield
    except ChangedSinceSeen as error:
        raise HTTPException(409, page.texts("refused.changed_since_seen")) from error
    except Expired as error:
        raise HTTPException(409, page.texts("refused.expired")) from error
    except NotAllowed as error:
        raise HTTPException(409, f"{page.texts('refused.not_allowed')} ({error})") from error
