"""Tie a piece to its current revision, as the model always said."""

from collections.abc import Sequence

from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NAME = "fk_piece_current_revision_id_piece_revision"


def upgrade() -> None:
    op.create_foreign_key(op.f(_NAME), "piece", "piece_revision", ["current_revision_id"], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f(_NAME), "piece", type_="foreignkey")
