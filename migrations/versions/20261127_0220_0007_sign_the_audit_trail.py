"""Keep signed checkpoints of the audit trail."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A checkpoint says once when the vault had it, and nothing about it is said differently later.
_KEPT = """
CREATE FUNCTION checkpoint_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.kept_at IS NULL AND NEW.kept_at IS NOT NULL
       AND ROW(OLD.tenant_id, OLD.number, OLD.first_seq, OLD.last_seq, OLD.digest, OLD.key_id,
               OLD.signed_at, OLD.signed)
           IS NOT DISTINCT FROM
           ROW(NEW.tenant_id, NEW.number, NEW.first_seq, NEW.last_seq, NEW.digest, NEW.key_id,
               NEW.signed_at, NEW.signed) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% rows are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER audit_checkpoint_is_immutable BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION checkpoint_is_kept();
CREATE TRIGGER audit_checkpoint_is_not_emptied BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""


def upgrade() -> None:
    op.create_table(
        "audit_checkpoint",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_audit_checkpoint_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("pk_audit_checkpoint")),
    )
    op.create_index(op.f("ix_audit_checkpoint_tenant_id"), "audit_checkpoint", ["tenant_id"])
    op.execute(_KEPT)


def downgrade() -> None:
    op.drop_table("audit_checkpoint")
    op.execute("DROP FUNCTION checkpoint_is_kept")
