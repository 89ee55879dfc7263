"""Name who asked for a review, so that they never decide it; remember when a check was sent."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_SUBMITTER = """
CREATE FUNCTION submitter_does_not_decide() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM review v JOIN check_run c ON c.id = v.check_run_id
         WHERE v.id = NEW.review_id AND c.submitted_by = NEW.decided_by) THEN
        RAISE EXCEPTION 'whoever asked for a review may not decide it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER submitter_does_not_decide BEFORE INSERT ON decision
    FOR EACH ROW EXECUTE FUNCTION submitter_does_not_decide();
"""


def upgrade() -> None:
    op.add_column("check_run", sa.Column("submitted_by", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_check_run_submitted_by_user_account"),
        "check_run",
        "user_account",
        ["submitted_by"],
        ["id"],
    )
    # a completed check is never updated, so the new columns are filled by their defaults
    op.add_column(
        "check_run",
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
    )
    op.add_column("check_run", sa.Column("sent_times", sa.Integer(), nullable=False, server_default="1"))
    op.execute(_SUBMITTER)


def downgrade() -> None:
    op.execute("DROP TRIGGER submitter_does_not_decide ON decision")
    op.execute("DROP FUNCTION submitter_does_not_decide")
    op.drop_column("check_run", "sent_times")
    op.drop_column("check_run", "sent_at")
    op.drop_column("check_run", "submitted_by")
