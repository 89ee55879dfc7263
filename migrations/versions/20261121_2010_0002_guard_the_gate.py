"""Let the database itself refuse what must never happen, whoever writes it."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEVER_CHANGED = ("piece_revision", "decision", "piece_step", "audit_entry", "finding")

# Months around today; workers.schedule adds the coming ones, the default partition takes strays.
_PARTITIONS = """
CREATE TABLE event_other PARTITION OF event DEFAULT;

CREATE FUNCTION ensure_event_partitions(first date, last date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE month date := date_trunc('month', first);
BEGIN
    WHILE month <= last LOOP
        EXECUTE format(
            'CREATE TABLE IF NOT EXISTS %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
            'event_' || to_char(month, 'YYYYMM'), month, month + interval '1 month');
        month := month + interval '1 month';
    END LOOP;
END $$;

SELECT ensure_event_partitions(
    (current_date - interval '2 months')::date, (current_date + interval '3 months')::date);
"""

_IMMUTABLE = """
CREATE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE FUNCTION refuse_removal() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never removed', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

# An approval needs: the hash of its own revision, a completed check of that very content which did
# not block, and either an active reviewer of that subtree who had no hand in it, or the AUTO route
# on a template that somebody independent has cleared. (Gate invariants I1, I2, I4, I5, I11.)
_DECISION = """
CREATE FUNCTION approval_is_lawful() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    rev piece_revision; run check_run; rev_review review; piece_path text; version template_version;
BEGIN
    SELECT * INTO rev FROM piece_revision WHERE id = NEW.revision_id;
    SELECT * INTO rev_review FROM review WHERE id = NEW.review_id;
    IF rev_review.revision_id IS DISTINCT FROM NEW.revision_id
       OR rev.piece_id IS DISTINCT FROM NEW.piece_id
       OR rev.content_hash IS DISTINCT FROM NEW.content_hash
       OR rev.tenant_id IS DISTINCT FROM NEW.tenant_id THEN
        RAISE EXCEPTION 'decision does not match the revision under review'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.decided_by IS NOT NULL AND NEW.decided_by = ANY (rev.contributors) THEN
        RAISE EXCEPTION 'a contributor may not decide on their own work'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.outcome <> 'approve' THEN
        RETURN NEW;
    END IF;
    SELECT * INTO run FROM check_run WHERE id = rev_review.check_run_id;
    IF run.completed_at IS NULL OR run.revision_id <> NEW.revision_id
       OR run.content_hash <> NEW.content_hash
       OR coalesce(run.verdict, 'block') NOT IN ('pass', 'warn', 'review') THEN
        RAISE EXCEPTION 'no completed check without a block on this content'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.decided_by IS NULL THEN
        SELECT * INTO version FROM template_version WHERE id = rev.template_version_id;
        IF rev_review.route <> 'auto' OR run.verdict <> 'pass' OR version.cleared_by IS NULL
           OR version.cleared_by = ANY (rev.contributors) THEN
            RAISE EXCEPTION 'nobody decided, and this content may not pass by itself'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END IF;
    SELECT u.path INTO piece_path
      FROM piece p JOIN org_unit u ON u.id = p.org_unit_id WHERE p.id = NEW.piece_id;
    IF NOT EXISTS (
        SELECT 1 FROM membership m
          JOIN user_account a ON a.id = m.user_id
          JOIN org_unit u ON u.id = m.org_unit_id
         WHERE m.user_id = NEW.decided_by AND m.role = 'reviewer' AND a.is_active
           AND a.tenant_id = NEW.tenant_id AND starts_with(piece_path, u.path)) THEN
        RAISE EXCEPTION 'the decider is no active reviewer for this part of the organisation'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER approval_is_lawful BEFORE INSERT ON decision
    FOR EACH ROW EXECUTE FUNCTION approval_is_lawful();
"""

_GATE = """
CREATE FUNCTION gate_holds() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF ROW(OLD.piece_id, OLD.revision_id, OLD.content_hash, OLD.decision_id, OLD.approval_no,
               OLD.tenant_id, OLD.published_at, OLD.audience_path, OLD.audience_tags,
               OLD.audience_advisor_id)
           IS DISTINCT FROM
           ROW(NEW.piece_id, NEW.revision_id, NEW.content_hash, NEW.decision_id, NEW.approval_no,
               NEW.tenant_id, NEW.published_at, NEW.audience_path, NEW.audience_tags,
               NEW.audience_advisor_id) THEN
            RAISE EXCEPTION 'what was published is not changed afterwards'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF OLD.ended_at IS NOT NULL AND NEW.ended_at IS DISTINCT FROM OLD.ended_at THEN
            RAISE EXCEPTION 'an ended publication stays ended'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.valid_until > OLD.valid_until OR NEW.valid_from < OLD.valid_from THEN
            RAISE EXCEPTION 'a validity period is not extended; publish again after a new approval'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF NEW.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM decision d
          JOIN piece_revision r ON r.id = d.revision_id
          JOIN piece p ON p.id = r.piece_id
         WHERE d.id = NEW.decision_id AND d.outcome = 'approve'
           AND d.revision_id = NEW.revision_id AND d.piece_id = NEW.piece_id
           AND r.piece_id = NEW.piece_id
           AND d.content_hash = NEW.content_hash AND r.content_hash = NEW.content_hash
           AND d.tenant_id = NEW.tenant_id AND p.tenant_id = NEW.tenant_id
           AND (TG_OP = 'UPDATE' OR p.current_revision_id = NEW.revision_id)) THEN
        RAISE EXCEPTION 'nothing is public without an approval of exactly this content'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER gate_holds BEFORE INSERT OR UPDATE ON publication
    FOR EACH ROW EXECUTE FUNCTION gate_holds();
CREATE TRIGGER publication_is_kept BEFORE DELETE ON publication
    FOR EACH ROW EXECUTE FUNCTION refuse_removal();

CREATE FUNCTION published_piece_has_publication() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM piece WHERE id = NEW.id AND state = 'published')
       AND NOT EXISTS (
           SELECT 1 FROM publication WHERE piece_id = NEW.id AND ended_at IS NULL) THEN
        RAISE EXCEPTION 'a piece is published only by a publication'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER published_piece_has_publication
    AFTER INSERT OR UPDATE OF state ON piece
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION published_piece_has_publication();
"""

_CHECK_RUN = """
CREATE FUNCTION completed_check_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.completed_at IS NOT NULL THEN
        RAISE EXCEPTION 'a completed check is never changed or removed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER completed_check_is_kept BEFORE UPDATE OR DELETE ON check_run
    FOR EACH ROW EXECUTE FUNCTION completed_check_is_kept();
"""

_TEMPLATE = """
CREATE FUNCTION released_version_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.published_at IS NOT NULL AND (TG_OP = 'DELETE' OR
       ROW(OLD.template_id, OLD.number, OLD.digest, OLD.manifest, OLD.product_type)
       IS DISTINCT FROM
       ROW(NEW.template_id, NEW.number, NEW.digest, NEW.manifest, NEW.product_type)) THEN
        RAISE EXCEPTION 'a released template version never changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE TRIGGER released_version_is_kept BEFORE UPDATE OR DELETE ON template_version
    FOR EACH ROW EXECUTE FUNCTION released_version_is_kept();
"""


def upgrade() -> None:
    for statement in (_PARTITIONS, _IMMUTABLE, _DECISION, _GATE, _CHECK_RUN, _TEMPLATE):
        op.execute(statement)
    for table in _NEVER_CHANGED:
        op.execute(
            f"CREATE TRIGGER {table}_is_immutable BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_not_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in _NEVER_CHANGED:
        op.execute(f"DROP TRIGGER {table}_is_immutable ON {table}")
        op.execute(f"DROP TRIGGER {table}_is_not_emptied ON {table}")
    for table, trigger in (
        ("template_version", "released_version_is_kept"),
        ("check_run", "completed_check_is_kept"),
        ("piece", "published_piece_has_publication"),
        ("publication", "publication_is_kept"),
        ("publication", "gate_holds"),
        ("decision", "approval_is_lawful"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
    op.execute(
        "DROP FUNCTION released_version_is_kept, completed_check_is_kept, "
        "published_piece_has_publication, gate_holds, approval_is_lawful, refuse_change, "
        "refuse_removal, ensure_event_partitions"
    )
    op.execute("DROP TABLE event_other")
