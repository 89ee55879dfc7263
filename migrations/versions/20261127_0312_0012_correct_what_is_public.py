"""Correct what is public at the same links, and say what comes after it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("piece", sa.Column("correcting", sa.String(length=32), nullable=True))
    op.add_column("piece", sa.Column("successor_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_piece_successor_id_piece"), "piece", "piece", ["successor_id"], ["id"])
    op.add_column("publication", sa.Column("corrects_id", sa.Uuid(), nullable=True))
    op.add_column("publication", sa.Column("correction", sa.String(length=32), nullable=True))
    op.create_foreign_key(
        op.f("fk_publication_corrects_id_publication"),
        "publication",
        "publication",
        ["corrects_id"],
        ["id"],
    )
    op.create_unique_constraint(op.f("uq_publication_corrects_id"), "publication", ["corrects_id"])


def downgrade() -> None:
    op.drop_constraint(op.f("uq_publication_corrects_id"), "publication", type_="unique")
    op.drop_constraint(op.f("fk_publication_corrects_id_publication"), "publication", type_="foreignkey")
    op.drop_column("publication", "correction")
    op.drop_column("publication", "corrects_id")
    op.drop_constraint(op.f("fk_piece_successor_id_piece"), "piece", type_="foreignkey")
    op.drop_column("piece", "successor_id")
    op.drop_column("piece", "correcting")
