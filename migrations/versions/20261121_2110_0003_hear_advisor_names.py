"""Let advisors be found by the sound of their names. Rows written from now on carry it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("advisor", sa.Column("name_sounds", sa.Text(), nullable=False, server_default=""))
    op.alter_column("advisor", "name_sounds", server_default=None)


def downgrade() -> None:
    op.drop_column("advisor", "name_sounds")
