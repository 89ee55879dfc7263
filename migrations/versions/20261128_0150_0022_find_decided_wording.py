"""Find the revisions that say the same in a slot, however many have been decided."""

from collections.abc import Sequence

from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(
        "ix_piece_revision_values",
        "piece_revision",
        ["values"],
        postgresql_using="gin",
        postgresql_ops={"values": "jsonb_path_ops"},
    )


def downgrade() -> None:
    op.drop_index("ix_piece_revision_values", table_name="piece_revision")
