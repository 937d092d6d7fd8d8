"""A feed that stands still has one incident, not one for each run that sees it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "uq_incidents_one_open_of_a_feed",
        "incidents",
        ["flow", sa.text("(scope ->> 'feed')")],
        unique=True,
        postgresql_where=sa.text("status <> 'closed' and kind = 'feed'"),
    )
