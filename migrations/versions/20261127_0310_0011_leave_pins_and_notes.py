"""Let reviewers leave pins and notes, and decide together what was changed alike."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "pin",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("x_permille", sa.Integer(), nullable=False),
        sa.Column("y_permille", sa.Integer(), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fixed_by", sa.Uuid(), nullable=True),
        sa.Column("fixed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["fixed_by"], ["user_account.id"], name=op.f("fk_pin_fixed_by_user_account")),
        sa.ForeignKeyConstraint(["made_by"], ["user_account.id"], name=op.f("fk_pin_made_by_user_account")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_pin_piece_id_piece")),
        sa.ForeignKeyConstraint(
            ["revision_id"], ["piece_revision.id"], name=op.f("fk_pin_revision_id_piece_revision")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_pin_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pin")),
    )
    op.create_index(op.f("ix_pin_piece_id"), "pin", ["piece_id"])
    op.create_index(op.f("ix_pin_tenant_id"), "pin", ["tenant_id"])
    op.create_table(
        "review_note",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_review_note_made_by_user_account")
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_review_note_piece_id_piece")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_note_review_id_review")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_review_note_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_note")),
    )
    op.create_index(op.f("ix_review_note_piece_id"), "review_note", ["piece_id"])
    op.create_index(op.f("ix_review_note_tenant_id"), "review_note", ["tenant_id"])

    # what was in review before is alike to nothing
    op.add_column("review", sa.Column("change_digest", sa.String(length=64), nullable=True))
    op.execute("UPDATE review SET change_digest = encode(sha256(convert_to(id::text, 'UTF8')), 'hex')")
    op.alter_column("review", "change_digest", nullable=False)
    op.create_index(
        "ix_review_alike",
        "review",
        ["tenant_id", "change_digest"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_index("ix_review_alike", table_name="review")
    op.drop_column("review", "change_digest")
    op.drop_table("review_note")
    op.drop_table("pin")
