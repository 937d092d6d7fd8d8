"""A run knows what kept purchases from being judged, so that the next one sees when it is gone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column(
            "doubts",
            UUID,
            comment="what kept purchases from being judged: made of rows in quarantine and batches in doubt",
        ),
    )
