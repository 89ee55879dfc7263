"""Number sampling policies, and let an inspection end one advisor's edition alone."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("sampling_policy", sa.Column("number", sa.Integer(), nullable=False, server_default="1"))
    op.execute(
        "UPDATE sampling_policy p SET number = n.place FROM (SELECT id, row_number() OVER"
        " (PARTITION BY tenant_id ORDER BY made_at, id) AS place FROM sampling_policy) n WHERE n.id = p.id"
    )
    op.alter_column("sampling_policy", "number", server_default=None)
    op.create_unique_constraint(
        op.f("uq_sampling_policy_tenant_id_number"), "sampling_policy", ["tenant_id", "number"]
    )
    op.add_column("edition", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("edition", "ended_at")
    op.drop_constraint(op.f("uq_sampling_policy_tenant_id_number"), "sampling_policy", type_="unique")
    op.drop_column("sampling_policy", "number")
