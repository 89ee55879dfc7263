"""Keep what was shown, for its term and longer under a hold, and let it be found again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What an item is never changes. It is sealed once; its term and what the vault was told only grow;
# it goes only when its term is over, no hold lies on it, and a certificate says so.
_ITEM = """
CREATE FUNCTION item_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.kept_until IS NULL OR OLD.kept_until > now() THEN
            RAISE EXCEPTION 'an archived item is not removed before its term'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (
            SELECT 1 FROM legal_hold h
             WHERE h.tenant_id = OLD.tenant_id AND h.released_at IS NULL
               AND (h.scope = 'everything' OR h.piece_id = OLD.piece_id
                    OR h.advisor_id = OLD.advisor_id OR h.product_type = OLD.product_type)) THEN
            RAISE EXCEPTION 'an archived item under a legal hold is not removed'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NOT EXISTS (
            SELECT 1 FROM destruction d
             WHERE d.item_id = OLD.id AND d.record_sha256 = OLD.record_sha256) THEN
            RAISE EXCEPTION 'an archived item is not removed without a certificate'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN OLD;
    END IF;
    IF ROW(OLD.id, OLD.tenant_id, OLD.kind, OLD.publication_id, OLD.piece_id, OLD.advisor_id,
           OLD.product_type, OLD.values, OLD.values_digest, OLD.noted_at)
       IS DISTINCT FROM
       ROW(NEW.id, NEW.tenant_id, NEW.kind, NEW.publication_id, NEW.piece_id, NEW.advisor_id,
           NEW.product_type, NEW.values, NEW.values_digest, NEW.noted_at) THEN
        RAISE EXCEPTION 'what was shown is never changed afterwards'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.sealed_at IS NOT NULL AND
       ROW(OLD.sealed_at, OLD.record_sha256, OLD.title, OLD.words, OLD.form, OLD.grams, OLD.people,
           OLD.files)
       IS DISTINCT FROM
       ROW(NEW.sealed_at, NEW.record_sha256, NEW.title, NEW.words, NEW.form, NEW.grams, NEW.people,
           NEW.files) THEN
        RAISE EXCEPTION 'a sealed record is never changed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.kept_until IS NOT NULL AND (NEW.kept_until IS NULL OR NEW.kept_until < OLD.kept_until) THEN
        RAISE EXCEPTION 'a term is only extended'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER item_is_kept BEFORE UPDATE OR DELETE ON archive_item
    FOR EACH ROW EXECUTE FUNCTION item_is_kept();
CREATE TRIGGER archive_item_is_not_emptied BEFORE TRUNCATE ON archive_item
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

_TERM = """
CREATE FUNCTION term_only_grows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NEW.years < OLD.years
       OR ROW(NEW.tenant_id, NEW.record_class) IS DISTINCT FROM ROW(OLD.tenant_id, OLD.record_class) THEN
        RAISE EXCEPTION 'a retention term is only extended'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER term_only_grows BEFORE UPDATE OR DELETE ON retention_term
    FOR EACH ROW EXECUTE FUNCTION term_only_grows();
CREATE TRIGGER retention_term_is_not_emptied BEFORE TRUNCATE ON retention_term
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# A hold names what it lies on for ever; that it was lifted is said once, by another than who asked.
_HOLD = """
CREATE FUNCTION hold_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.released_at IS NOT NULL
       OR ROW(OLD.id, OLD.tenant_id, OLD.scope, OLD.piece_id, OLD.advisor_id, OLD.product_type,
              OLD.reason, OLD.placed_by, OLD.placed_at)
          IS DISTINCT FROM
          ROW(NEW.id, NEW.tenant_id, NEW.scope, NEW.piece_id, NEW.advisor_id, NEW.product_type,
              NEW.reason, NEW.placed_by, NEW.placed_at)
       OR (NEW.released_at IS NOT NULL
           AND (OLD.release_asked_by IS NULL OR NEW.released_by IS NULL
                OR NEW.release_asked_by IS DISTINCT FROM OLD.release_asked_by
                OR NEW.released_by = OLD.release_asked_by)) THEN
        RAISE EXCEPTION 'a legal hold is lifted by a second person and otherwise stays as it is'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER hold_is_kept BEFORE UPDATE OR DELETE ON legal_hold
    FOR EACH ROW EXECUTE FUNCTION hold_is_kept();
CREATE TRIGGER legal_hold_is_not_emptied BEFORE TRUNCATE ON legal_hold
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

_CERTIFICATE = """
CREATE FUNCTION certificate_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND OLD.cleared_at IS NULL AND NEW.cleared_at IS NOT NULL
       AND ROW(OLD.id, OLD.tenant_id, OLD.item_id, OLD.record_sha256, OLD.kept_until, OLD.destroyed_by,
               OLD.destroyed_at, OLD.key_id, OLD.signed, OLD.files)
           IS NOT DISTINCT FROM
           ROW(NEW.id, NEW.tenant_id, NEW.item_id, NEW.record_sha256, NEW.kept_until, NEW.destroyed_by,
               NEW.destroyed_at, NEW.key_id, NEW.signed, NEW.files) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% rows are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER destruction_is_immutable BEFORE UPDATE OR DELETE ON destruction
    FOR EACH ROW EXECUTE FUNCTION certificate_is_kept();
CREATE TRIGGER destruction_is_not_emptied BEFORE TRUNCATE ON destruction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

# Which share of the pairs asked for is among those of an item.
_LIKENESS = """
CREATE FUNCTION archive_likeness(held text[], asked text[]) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT count(*) FILTER (WHERE pair = ANY (held))::double precision / greatest(count(*), 1)
      FROM unnest(asked) AS pair
$$;
"""


def _instant(name: str, *, nullable: bool = False) -> "sa.Column[object]":
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def upgrade() -> None:
    op.create_table(
        "archive_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("publication_id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("advisor_id", sa.Uuid(), nullable=True),
        sa.Column("product_type", sa.String(length=32), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("values_digest", sa.String(length=64), nullable=False),
        _instant("noted_at"),
        _instant("sent_at"),
        sa.Column("sent_times", sa.Integer(), nullable=False),
        _instant("sealed_at", nullable=True),
        sa.Column("record_sha256", sa.String(length=64), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("grams", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("people", sa.Text(), nullable=False),
        sa.Column("files", postgresql.ARRAY(sa.Text()), nullable=False),
        _instant("kept_until", nullable=True),
        _instant("vault_until", nullable=True),
        sa.Column("vault_held", sa.Boolean(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _reference("archive_item", "publication_id", "publication"),
        _reference("archive_item", "piece_id", "piece"),
        _reference("archive_item", "advisor_id", "advisor"),
        _reference("archive_item", "tenant_id", "tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_archive_item")),
        sa.UniqueConstraint(
            "publication_id",
            "advisor_id",
            "values_digest",
            name=op.f("uq_archive_item_publication_id_advisor_id_values_digest"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    for column in ("piece_id", "advisor_id", "tenant_id"):
        op.create_index(op.f(f"ix_archive_item_{column}"), "archive_item", [column])
    op.create_index("ix_archive_item_grams", "archive_item", ["grams"], postgresql_using="gin")
    op.create_index("ix_archive_item_files", "archive_item", ["files"], postgresql_using="gin")
    op.create_index("ix_archive_item_tenant_id_noted_at", "archive_item", ["tenant_id", "noted_at"])
    op.create_index(
        "ix_archive_item_unsealed",
        "archive_item",
        ["tenant_id", "sent_at"],
        postgresql_where=sa.text("sealed_at IS NULL"),
    )
    op.create_table(
        "retention_term",
        sa.Column("record_class", sa.String(length=32), nullable=False),
        sa.Column("years", sa.Integer(), nullable=False),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        _instant("set_at"),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _reference("retention_term", "set_by", "user_account"),
        _reference("retention_term", "tenant_id", "tenant"),
        sa.PrimaryKeyConstraint("tenant_id", "record_class", name=op.f("pk_retention_term")),
    )
    op.create_index(op.f("ix_retention_term_tenant_id"), "retention_term", ["tenant_id"])
    op.create_table(
        "legal_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.String(length=32), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=True),
        sa.Column("advisor_id", sa.Uuid(), nullable=True),
        sa.Column("product_type", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        _instant("placed_at"),
        sa.Column("release_reason", sa.Text(), nullable=False),
        sa.Column("release_asked_by", sa.Uuid(), nullable=True),
        _instant("release_asked_at", nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        _instant("released_at", nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "released_by IS NULL OR released_by <> release_asked_by", name=op.f("ck_legal_hold_second_person")
        ),
        sa.CheckConstraint(
            "(scope = 'piece') = (piece_id IS NOT NULL)"
            " AND (scope = 'advisor') = (advisor_id IS NOT NULL)"
            " AND (scope = 'product') = (product_type IS NOT NULL)",
            name=op.f("ck_legal_hold_one_target"),
        ),
        _reference("legal_hold", "piece_id", "piece"),
        _reference("legal_hold", "advisor_id", "advisor"),
        _reference("legal_hold", "placed_by", "user_account"),
        _reference("legal_hold", "release_asked_by", "user_account"),
        _reference("legal_hold", "released_by", "user_account"),
        _reference("legal_hold", "tenant_id", "tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
    )
    op.create_index(op.f("ix_legal_hold_tenant_id"), "legal_hold", ["tenant_id"])
    op.create_table(
        "destruction",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        _instant("kept_until"),
        sa.Column("destroyed_by", sa.Uuid(), nullable=False),
        _instant("destroyed_at"),
        sa.Column("key_id", sa.String(length=64), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        _instant("cleared_at", nullable=True),
        sa.Column("files", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        _reference("destruction", "destroyed_by", "user_account"),
        _reference("destruction", "tenant_id", "tenant"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destruction")),
        sa.UniqueConstraint("item_id", name=op.f("uq_destruction_item_id")),
    )
    op.create_index(op.f("ix_destruction_tenant_id"), "destruction", ["tenant_id"])
    for statement in (_LIKENESS, _ITEM, _TERM, _HOLD, _CERTIFICATE):
        op.execute(statement)


def downgrade() -> None:
    for table in ("destruction", "legal_hold", "retention_term", "archive_item"):
        op.drop_table(table)
    op.execute(
        "DROP FUNCTION archive_likeness, item_is_kept, term_only_grows, hold_is_kept, certificate_is_kept"
    )
