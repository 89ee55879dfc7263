"""Find what was decided on a wording, however much has been decided."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FILL = """
INSERT INTO decided_wording (decision_id, slot, digest, decided_at, tenant_id)
SELECT d.id, said.key, encode(sha256(convert_to(said.value, 'UTF8')), 'hex'), d.decided_at, d.tenant_id
FROM decision d
JOIN piece_revision r ON r.id = d.revision_id
CROSS JOIN LATERAL jsonb_each_text(r.values) AS said
WHERE d.decided_by IS NOT NULL AND said.value <> ''
"""


def upgrade() -> None:
    op.create_table(
        "decided_wording",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        sa.Column("slot", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["decision.id"], name=op.f("fk_decided_wording_decision_id_decision")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_decided_wording_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("decision_id", "slot", name=op.f("pk_decided_wording")),
    )
    op.create_index(op.f("ix_decided_wording_tenant_id"), "decided_wording", ["tenant_id"])
    op.execute(_FILL)
    op.create_index(
        "ix_decided_wording_newest", "decided_wording", ["tenant_id", "slot", "digest", "decided_at"]
    )

    # whoever had a hand in an item is looked for in that item, no longer in all that they ever did
    op.drop_index("ix_decision_vote", table_name="decision")
    op.drop_index(op.f("ix_check_run_submitted_by"), table_name="check_run")
    op.drop_index("ix_piece_revision_contributors", table_name="piece_revision")


def downgrade() -> None:
    op.create_index(
        "ix_piece_revision_contributors", "piece_revision", ["contributors"], postgresql_using="gin"
    )
    op.create_index(op.f("ix_check_run_submitted_by"), "check_run", ["submitted_by"])
    op.create_index("ix_decision_vote", "decision", ["decided_by"], postgresql_where=sa.text("NOT is_final"))
    op.drop_table("decided_wording")
