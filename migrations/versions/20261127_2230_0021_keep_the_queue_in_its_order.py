"""Let a round say of what design it is and since when the first alike to it waits."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FILL = """
UPDATE review SET template_id = template_version.template_id, alike_since = review.opened_at
FROM template_version
WHERE template_version.id = review.template_version_id
"""
_FILL_ALIKE = """
UPDATE review SET alike_since = alike.since
FROM (SELECT tenant_id, change_digest, min(opened_at) AS since FROM review WHERE state = 'open'
      GROUP BY tenant_id, change_digest) AS alike
WHERE review.state = 'open'
  AND alike.tenant_id = review.tenant_id AND alike.change_digest = review.change_digest
"""


def upgrade() -> None:
    op.add_column("review", sa.Column("template_id", sa.Uuid(), nullable=True))
    op.add_column("review", sa.Column("alike_since", sa.DateTime(timezone=True), nullable=True))
    op.execute(_FILL)
    op.execute(_FILL_ALIKE)
    op.alter_column("review", "template_id", nullable=False)
    op.alter_column("review", "alike_since", nullable=False)
    op.create_foreign_key(
        op.f("fk_review_template_id_template"), "review", "template", ["template_id"], ["id"]
    )
    op.create_index(
        "ix_review_queue",
        "review",
        ["tenant_id", "template_id", "alike_since", "change_digest", "opened_at", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_index("ix_review_queue", table_name="review")
    op.drop_constraint(op.f("fk_review_template_id_template"), "review", type_="foreignkey")
    op.drop_column("review", "alike_since")
    op.drop_column("review", "template_id")
