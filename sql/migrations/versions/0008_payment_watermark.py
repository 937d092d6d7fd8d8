"""A run knows how far the payments were complete when it judged."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "runs",
        sa.Column("payment_watermark", sa.DateTime(timezone=True), comment="null in a flow without a feed of payments"),
    )
