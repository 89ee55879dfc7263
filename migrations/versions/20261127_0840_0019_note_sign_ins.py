"""Remember of failed sign-ins whether the trail has them, and which began a pause."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "failed_sign_in", sa.Column("begins_pause", sa.Boolean(), nullable=False, server_default="false")
    )
    op.alter_column("failed_sign_in", "begins_pause", server_default=None)
    op.add_column("failed_sign_in", sa.Column("noted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_failed_sign_in_unnoted",
        "failed_sign_in",
        ["login"],
        unique=False,
        postgresql_where="noted_at IS NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_failed_sign_in_unnoted", table_name="failed_sign_in")
    op.drop_column("failed_sign_in", "noted_at")
    op.drop_column("failed_sign_in", "begins_pause")
