"""Say of an older version of a design what becomes of the pieces made from it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("template_version", sa.Column("upgrade", sa.String(length=32), nullable=True))


def downgrade() -> None:
    op.drop_column("template_version", "upgrade")
