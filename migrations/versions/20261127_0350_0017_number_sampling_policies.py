"""Number sampling policies, let an inspection end an edition, and open the gate once an approval."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What was taken down, ran out or was taken back comes back by a new round, and by nothing else.
_ONCE = """
CREATE OR REPLACE FUNCTION publication_rests_on_a_final_approval() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM decision WHERE id = NEW.decision_id AND outcome = 'approve' AND is_final) THEN
        RAISE EXCEPTION 'nothing is public before its whole route is completed: that is no final approval'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'INSERT' AND NOT EXISTS (
        SELECT 1 FROM piece WHERE id = NEW.piece_id AND state IN ('approved', 'published')) THEN
        RAISE EXCEPTION 'what is not approved now is not published on an earlier approval'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""
_BEFORE = """
CREATE OR REPLACE FUNCTION publication_rests_on_a_final_approval() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM decision WHERE id = NEW.decision_id AND outcome = 'approve' AND is_final) THEN
        RAISE EXCEPTION 'nothing is public before its whole route is completed: that is no final approval'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
"""


def upgrade() -> None:
    op.execute(_ONCE)
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
    op.execute(_BEFORE)
    op.drop_column("edition", "ended_at")
    op.drop_constraint(op.f("uq_sampling_policy_tenant_id_number"), "sampling_policy", type_="unique")
    op.drop_column("sampling_policy", "number")
