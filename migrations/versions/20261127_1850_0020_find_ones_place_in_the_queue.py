"""Let a round say by itself where its piece belongs, what it is made from and for whom it waits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FILL = """
UPDATE review SET
    org_unit_id = piece.org_unit_id,
    template_version_id = piece_revision.template_version_id,
    waits_in = (SELECT route_step_id FROM review_step
                WHERE review_step.review_id = review.id AND review_step.state <> 'waiting'
                ORDER BY position DESC LIMIT 1)
FROM piece, piece_revision
WHERE piece.id = review.piece_id AND piece_revision.id = review.revision_id
"""
_OPEN = sa.text("state = 'open'")


def upgrade() -> None:
    for name in ("org_unit_id", "template_version_id", "waits_in"):
        op.add_column("review", sa.Column(name, sa.Uuid(), nullable=True))
    op.execute(_FILL)
    op.alter_column("review", "org_unit_id", nullable=False)
    op.alter_column("review", "template_version_id", nullable=False)
    op.create_unique_constraint(op.f("uq_piece_id_org_unit_id"), "piece", ["id", "org_unit_id"])
    op.drop_constraint(op.f("fk_review_piece_id_piece"), "review", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_review_piece_id_org_unit_id_piece"),
        "review",
        "piece",
        ["piece_id", "org_unit_id"],
        ["id", "org_unit_id"],
        onupdate="CASCADE",
    )
    op.create_foreign_key(
        op.f("fk_review_template_version_id_template_version"),
        "review",
        "template_version",
        ["template_version_id"],
        ["id"],
    )
    op.create_foreign_key(op.f("fk_review_waits_in_route_step"), "review", "route_step", ["waits_in"], ["id"])
    op.drop_index("ix_review_alike", table_name="review")
    op.create_index(
        "ix_review_alike", "review", ["tenant_id", "change_digest", "opened_at"], postgresql_where=_OPEN
    )
    op.create_index(
        "ix_piece_revision_contributors", "piece_revision", ["contributors"], postgresql_using="gin"
    )
    op.create_index(op.f("ix_check_run_submitted_by"), "check_run", ["submitted_by"])
    op.create_index("ix_decision_vote", "decision", ["decided_by"], postgresql_where=sa.text("NOT is_final"))


def downgrade() -> None:
    op.drop_index("ix_decision_vote", table_name="decision")
    op.drop_index(op.f("ix_check_run_submitted_by"), table_name="check_run")
    op.drop_index("ix_piece_revision_contributors", table_name="piece_revision")
    op.drop_index("ix_review_alike", table_name="review")
    op.create_index("ix_review_alike", "review", ["tenant_id", "change_digest"], postgresql_where=_OPEN)
    op.drop_constraint(op.f("fk_review_waits_in_route_step"), "review", type_="foreignkey")
    op.drop_constraint(op.f("fk_review_template_version_id_template_version"), "review", type_="foreignkey")
    op.drop_constraint(op.f("fk_review_piece_id_org_unit_id_piece"), "review", type_="foreignkey")
    op.create_foreign_key(op.f("fk_review_piece_id_piece"), "review", "piece", ["piece_id"], ["id"])
    op.drop_constraint(op.f("uq_piece_id_org_unit_id"), "piece", type_="unique")
    for name in ("waits_in", "template_version_id", "org_unit_id"):
        op.drop_column("review", name)
