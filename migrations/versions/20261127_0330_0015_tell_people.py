"""Tell people what concerns them: notices, how far was told, and where mail goes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("email", sa.String(length=254), nullable=True))
    op.create_table(
        "notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_notice_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notice_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint(
            "audit_seq",
            "tenant_id",
            "user_id",
            name=op.f("uq_notice_audit_seq_tenant_id_user_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_notice_tenant_id"), "notice", ["tenant_id"])
    op.create_index(
        "ix_notice_unseen", "notice", ["user_id", "made_at"], postgresql_where=sa.text("seen_at IS NULL")
    )
    op.create_index(
        "ix_notice_unsent",
        "notice",
        ["tenant_id", "next_try_at"],
        postgresql_where=sa.text("next_try_at IS NOT NULL"),
    )
    op.create_table(
        "notice_mark",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("audit_seq", sa.Integer(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_notice_mark_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_mark")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_notice_mark_tenant_id")),
    )
    op.create_index(op.f("ix_notice_mark_tenant_id"), "notice_mark", ["tenant_id"])


def downgrade() -> None:
    op.drop_table("notice_mark")
    op.drop_table("notice")
    op.drop_column("user_account", "email")
