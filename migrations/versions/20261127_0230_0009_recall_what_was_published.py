"""Recall what was published: proposed by one person, confirmed by another, heard of by advisors."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A recall that took effect is a record: neither it nor what it covered changes or goes away.
_GUARDS = """
CREATE FUNCTION confirmed_recall_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.state <> 'proposed' THEN
        RAISE EXCEPTION 'a recall is a record once it was confirmed or cancelled'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF ROW(OLD.target, OLD.subject, OLD.also_ended, OLD.scope_paths, OLD.reason, OLD.public_note,
           OLD.proposed_by, OLD.proposed_at, OLD.tenant_id)
       IS DISTINCT FROM
       ROW(NEW.target, NEW.subject, NEW.also_ended, NEW.scope_paths, NEW.reason, NEW.public_note,
           NEW.proposed_by, NEW.proposed_at, NEW.tenant_id) THEN
        RAISE EXCEPTION 'what was proposed is what is confirmed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.confirmed_by IS NOT NULL AND EXISTS (
        SELECT 1 FROM user_account p JOIN user_account c ON c.person_id = p.person_id
         WHERE p.id = NEW.proposed_by AND c.id = NEW.confirmed_by) THEN
        RAISE EXCEPTION 'a recall is confirmed by another person than its proposer'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER confirmed_recall_is_kept BEFORE UPDATE OR DELETE ON recall
    FOR EACH ROW EXECUTE FUNCTION confirmed_recall_is_kept();
CREATE TRIGGER recall_item_is_immutable BEFORE UPDATE OR DELETE ON recall_item
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER recall_holder_is_kept BEFORE DELETE ON recall_holder
    FOR EACH ROW EXECUTE FUNCTION refuse_removal();
"""


def upgrade() -> None:
    op.create_table(
        "recall",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("subject_name", sa.String(length=200), nullable=False),
        sa.Column("also_ended", sa.Boolean(), nullable=False),
        sa.Column("scope_paths", postgresql.ARRAY(sa.String(length=500)), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("public_note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by", sa.Uuid(), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "confirmed_by IS NULL OR confirmed_by <> proposed_by", name=op.f("ck_recall_four_eyes")
        ),
        sa.CheckConstraint(
            "(state = 'confirmed') = (confirmed_at IS NOT NULL)", name=op.f("ck_recall_confirmed_at")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["user_account.id"], name=op.f("fk_recall_proposed_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["user_account.id"], name=op.f("fk_recall_confirmed_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["cancelled_by"], ["user_account.id"], name=op.f("fk_recall_cancelled_by_user_account")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recall_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall")),
    )
    op.create_index(op.f("ix_recall_tenant_id"), "recall", ["tenant_id"])
    op.create_index("ix_recall_tenant_id_proposed_at", "recall", ["tenant_id", "proposed_at"])
    op.create_table(
        "recall_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_item_recall_id_recall")),
        sa.ForeignKeyConstraint(
            ["publication_id"],
            ["publication.id"],
            name=op.f("fk_recall_item_publication_id_publication"),
        ),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_recall_item_piece_id_piece")),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["edition.id"], name=op.f("fk_recall_item_edition_id_edition")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recall_item_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_item")),
        sa.UniqueConstraint(
            "recall_id",
            "publication_id",
            "edition_id",
            name=op.f("uq_recall_item_recall_id_publication_id_edition_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_recall_item_recall_id"), "recall_item", ["recall_id"])
    op.create_index(op.f("ix_recall_item_tenant_id"), "recall_item", ["tenant_id"])
    op.create_index(
        "ix_recall_item_publication_id_edition_id", "recall_item", ["publication_id", "edition_id"]
    )
    op.create_table(
        "recall_holder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recall_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["recall_id"], ["recall.id"], name=op.f("fk_recall_holder_recall_id_recall")),
        sa.ForeignKeyConstraint(
            ["advisor_id"], ["advisor.id"], name=op.f("fk_recall_holder_advisor_id_advisor")
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"],
            ["user_account.id"],
            name=op.f("fk_recall_holder_acknowledged_by_user_account"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_recall_holder_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_holder")),
        sa.UniqueConstraint("recall_id", "advisor_id", name=op.f("uq_recall_holder_recall_id_advisor_id")),
    )
    op.create_index(op.f("ix_recall_holder_advisor_id"), "recall_holder", ["advisor_id"])
    op.create_index(op.f("ix_recall_holder_tenant_id"), "recall_holder", ["tenant_id"])
    op.execute(_GUARDS)


def downgrade() -> None:
    for table in ("recall_holder", "recall_item", "recall"):
        op.drop_table(table)
    op.execute("DROP FUNCTION confirmed_recall_is_kept")
