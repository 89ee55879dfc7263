"""Review changes of profiles, and let a profile run out unless it is confirmed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_GUARD = """
CREATE FUNCTION decided_profile_change_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'open'
       OR ROW(OLD.advisor_id, OLD.before, OLD.after, OLD.proposers)
          IS DISTINCT FROM ROW(NEW.advisor_id, NEW.before, NEW.after, NEW.proposers) THEN
        RAISE EXCEPTION 'what was proposed is what is decided, and a decision stays'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state = 'approved' AND (NEW.decided_by IS NULL OR EXISTS (
        SELECT 1 FROM user_account d JOIN user_account p ON p.person_id = d.person_id
         WHERE d.id = NEW.decided_by
           AND (p.id = ANY (NEW.proposers)
                OR p.id = (SELECT user_id FROM advisor WHERE id = NEW.advisor_id)))) THEN
        RAISE EXCEPTION 'a profile is approved by another person than its proposers'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER decided_profile_change_is_kept BEFORE UPDATE OR DELETE ON profile_change
    FOR EACH ROW EXECUTE FUNCTION decided_profile_change_is_kept();
"""


def upgrade() -> None:
    op.add_column("advisor", sa.Column("profile_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    # everybody has a whole term from now on before anything runs out
    op.execute("UPDATE advisor SET profile_confirmed_at = now()")
    op.add_column("edition", sa.Column("profile_digest", sa.String(length=64), nullable=True))
    op.create_table(
        "profile_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposers", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisor_id"], ["advisor.id"], name=op.f("fk_profile_change_advisor_id_advisor")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["user_account.id"], name=op.f("fk_profile_change_decided_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_profile_change_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_change")),
    )
    op.create_index(op.f("ix_profile_change_advisor_id"), "profile_change", ["advisor_id"])
    op.create_index(op.f("ix_profile_change_tenant_id"), "profile_change", ["tenant_id"])
    op.create_index("ix_profile_change_tenant_id_proposed_at", "profile_change", ["tenant_id", "proposed_at"])
    op.create_index(
        "uq_profile_change_open",
        "profile_change",
        ["advisor_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "profile_notice",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("days_before", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["advisor_id"], ["advisor.id"], name=op.f("fk_profile_notice_advisor_id_advisor")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_profile_notice_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_notice")),
        sa.UniqueConstraint(
            "advisor_id",
            "expires_at",
            "days_before",
            name=op.f("uq_profile_notice_advisor_id_expires_at_days_before"),
        ),
    )
    op.create_index(op.f("ix_profile_notice_tenant_id"), "profile_notice", ["tenant_id"])
    op.execute(_GUARD)


def downgrade() -> None:
    op.drop_table("profile_notice")
    op.drop_table("profile_change")
    op.execute("DROP FUNCTION decided_profile_change_is_kept")
    op.drop_column("edition", "profile_digest")
    op.drop_column("advisor", "profile_confirmed_at")
