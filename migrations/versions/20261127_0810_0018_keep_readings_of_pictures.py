"""Keep what was read in uploaded pictures."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "picture_reading",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("reader", sa.String(length=64), nullable=False),
        sa.Column("seen", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fault", sa.String(length=64), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_picture_reading_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_reading")),
        sa.UniqueConstraint(
            "tenant_id", "sha256", "reader", name=op.f("uq_picture_reading_tenant_id_sha256_reader")
        ),
    )
    op.create_index(op.f("ix_picture_reading_sha256"), "picture_reading", ["sha256"])
    op.create_index(op.f("ix_picture_reading_tenant_id"), "picture_reading", ["tenant_id"])


def downgrade() -> None:
    op.drop_table("picture_reading")
