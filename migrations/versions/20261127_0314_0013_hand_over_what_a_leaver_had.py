"""Hand over what a leaver had: their visitors and leads go on to a colleague."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("advisor", sa.Column("successor_id", sa.Uuid(), nullable=True))
    # deferred: one file may bring in both, in any order
    op.create_foreign_key(
        op.f("fk_advisor_successor_id_advisor"),
        "advisor",
        "advisor",
        ["successor_id"],
        ["id"],
        deferrable=True,
        initially="DEFERRED",
    )
    op.add_column("lead", sa.Column("handed_to_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_lead_handed_to_id_advisor"), "lead", "advisor", ["handed_to_id"], ["id"])
    op.create_index(op.f("ix_lead_handed_to_id"), "lead", ["handed_to_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_lead_handed_to_id"), table_name="lead")
    op.drop_constraint(op.f("fk_lead_handed_to_id_advisor"), "lead", type_="foreignkey")
    op.drop_column("lead", "handed_to_id")
    op.drop_constraint(op.f("fk_advisor_successor_id_advisor"), "advisor", type_="foreignkey")
    op.drop_column("advisor", "successor_id")
