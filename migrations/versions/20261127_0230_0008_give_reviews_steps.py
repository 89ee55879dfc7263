"""Give reviews configurable steps, know people by more than their accounts, and draw inspections."""

import runpy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_NEVER_CHANGED = ("route_step", "auto_pass")

_PEOPLE = """
INSERT INTO person (id, tenant_id) SELECT id, tenant_id FROM user_account;
UPDATE user_account SET person_id = id;
"""

# What every institution did until now: one reviewer, once. What waits keeps on waiting, with a term.
_ROUTES = """
INSERT INTO review_route (id, lineage_id, number, name, position, org_path, product_types, kinds, risks,
    channels, made_at, tenant_id)
SELECT gen_random_uuid(), gen_random_uuid(), 1, '常规审核', 1000, '/', '{}', '{}', '{}', '{}', now(), id
  FROM tenant;
INSERT INTO route_step (id, route_id, position, name, role, quorum, term, tenant_id)
SELECT gen_random_uuid(), id, 1, '初审', 'reviewer', 1, interval '72 hours', tenant_id FROM review_route;
UPDATE review v SET route = 'people', route_id = r.id
  FROM review_route r WHERE r.tenant_id = v.tenant_id AND v.route = 'one_step';
INSERT INTO review_step (id, review_id, route_step_id, position, state, opened_at, due_at, tenant_id)
SELECT gen_random_uuid(), v.id, s.id, 1, 'open', now(), now() + s.term, v.tenant_id
  FROM review v JOIN route_step s ON s.route_id = v.route_id WHERE v.state = 'open';
"""

_PERSON = """
CREATE FUNCTION account_has_person() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.person_id IS NULL THEN
        INSERT INTO person (id, tenant_id) VALUES (NEW.id, NEW.tenant_id);
        NEW.person_id := NEW.id;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER account_has_person BEFORE INSERT ON user_account
    FOR EACH ROW EXECUTE FUNCTION account_has_person();

CREATE FUNCTION person_stays_one() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM user_account WHERE person_id = OLD.person_id) THEN
        RAISE EXCEPTION 'accounts that belong to one person are never parted'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NOT EXISTS (SELECT 1 FROM user_account a
                    WHERE a.person_id = NEW.person_id AND a.id <> NEW.id) THEN
        RAISE EXCEPTION 'an account joins the person of another account, and nobody else'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER person_stays_one AFTER UPDATE OF person_id ON user_account
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.person_id IS DISTINCT FROM NEW.person_id) EXECUTE FUNCTION person_stays_one();
"""

# Everybody whose hand is in what a round is about, by person: who made or changed it, who uploaded
# a picture in it, who asked for the review, who released the design it is made from.
_HANDS = """
CREATE FUNCTION people_with_a_hand_in(wanted uuid) RETURNS SETOF uuid
LANGUAGE sql STABLE AS $$
    SELECT a.person_id
      FROM review v
      JOIN piece_revision r ON r.id = v.revision_id
      JOIN user_account a ON a.id = ANY (r.contributors)
     WHERE v.id = wanted
    UNION
    SELECT a.person_id
      FROM review v
      JOIN check_run c ON c.id = v.check_run_id
      JOIN user_account a ON a.id = c.submitted_by
     WHERE v.id = wanted
    UNION
    SELECT a.person_id
      FROM review v
      JOIN piece_revision r ON r.id = v.revision_id
      JOIN template_version t ON t.id = r.template_version_id
      JOIN user_account a ON a.id = t.published_by
     WHERE v.id = wanted
    UNION
    SELECT a.person_id
      FROM review v
      JOIN piece_revision r ON r.id = v.revision_id
      CROSS JOIN LATERAL jsonb_each_text(r.values) AS slot
      JOIN asset s ON s.tenant_id = r.tenant_id AND slot.value = 'asset:' || s.sha256
      JOIN user_account a ON a.id = s.uploaded_by
     WHERE v.id = wanted
$$;
"""

# An approval needs: the hash of its own revision, a completed check of that very content which did
# not block, and either a decider of the open step (role, subtree and seat as the route says) who had
# no hand in it and no earlier vote in the round, as a person; or the AUTO route on a template that
# somebody independent has cleared. A final one needs every step of the route to have its quorum.
# (Gate invariants I1 to I5, I11.)
_DECISION = """
CREATE OR REPLACE FUNCTION approval_is_lawful() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    rev piece_revision; run check_run; rev_review review; version template_version; here review_step;
    piece_path text; decider uuid;
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
    IF rev_review.state <> 'open' THEN
        RAISE EXCEPTION 'the round has ended'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.outcome <> 'approve' AND NOT NEW.is_final THEN
        RAISE EXCEPTION 'a refusal ends the round'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.decided_by IS NOT NULL THEN
        SELECT person_id INTO decider FROM user_account WHERE id = NEW.decided_by;
        IF decider IN (SELECT people_with_a_hand_in(NEW.review_id)) THEN
            RAISE EXCEPTION 'a contributor may not decide on their own work'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF EXISTS (SELECT 1 FROM decision d JOIN user_account a ON a.id = d.decided_by
                    WHERE d.review_id = NEW.review_id AND a.person_id = decider) THEN
            RAISE EXCEPTION 'one person has one vote in a round'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT * INTO here FROM review_step WHERE id = NEW.step_id;
        IF here.review_id IS DISTINCT FROM NEW.review_id OR here.state <> 'open' THEN
            RAISE EXCEPTION 'a person decides in the open step of the round'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
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
           OR NOT NEW.is_final OR NEW.step_id IS NOT NULL
           OR EXISTS (SELECT 1 FROM user_account c JOIN user_account k ON k.person_id = c.person_id
                       WHERE c.id = version.cleared_by AND k.id = ANY (rev.contributors)) THEN
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
          JOIN route_step s ON s.id = here.route_step_id
         WHERE m.user_id = NEW.decided_by AND m.role = s.role AND a.is_active
           AND a.tenant_id = NEW.tenant_id AND starts_with(piece_path, u.path)
           AND (s.seat_path IS NULL OR starts_with(s.seat_path, u.path))) THEN
        RAISE EXCEPTION 'the decider is no active reviewer for this part of the organisation'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.is_final AND (rev_review.route_id IS NULL OR EXISTS (
        SELECT 1 FROM route_step s
          LEFT JOIN review_step t ON t.route_step_id = s.id AND t.review_id = NEW.review_id
         WHERE s.route_id = rev_review.route_id
           AND s.quorum > (SELECT count(*) FROM decision d
                            WHERE d.step_id = t.id AND d.outcome = 'approve')
                          + CASE WHEN t.id = NEW.step_id THEN 1 ELSE 0 END)) THEN
        RAISE EXCEPTION 'the route is not completed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER submitter_does_not_decide ON decision;
DROP FUNCTION submitter_does_not_decide;
"""

_GATE = """
CREATE FUNCTION publication_rests_on_a_final_approval() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.ended_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM decision WHERE id = NEW.decision_id AND outcome = 'approve' AND is_final) THEN
        RAISE EXCEPTION 'nothing is public before its whole route is completed: that is no final approval'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER publication_rests_on_a_final_approval BEFORE INSERT OR UPDATE ON publication
    FOR EACH ROW EXECUTE FUNCTION publication_rests_on_a_final_approval();
"""

_KEPT = """
CREATE FUNCTION review_keeps_its_route() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(OLD.piece_id, OLD.revision_id, OLD.round, OLD.route, OLD.route_id, OLD.tenant_id)
       IS DISTINCT FROM
       ROW(NEW.piece_id, NEW.revision_id, NEW.round, NEW.route, NEW.route_id, NEW.tenant_id)
       OR (OLD.state <> 'open' AND NEW.state IS DISTINCT FROM OLD.state) THEN
        RAISE EXCEPTION 'a round keeps its content and its route, and ends once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER review_keeps_its_route BEFORE UPDATE ON review
    FOR EACH ROW EXECUTE FUNCTION review_keeps_its_route();

CREATE FUNCTION review_step_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF ROW(OLD.review_id, OLD.route_step_id, OLD.position, OLD.tenant_id)
       IS DISTINCT FROM
       ROW(NEW.review_id, NEW.route_step_id, NEW.position, NEW.tenant_id)
       OR (OLD.state IN ('passed', 'ended') AND NEW.state IS DISTINCT FROM OLD.state) THEN
        RAISE EXCEPTION 'a step of a round stays what it is, and ends once'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER review_step_is_kept BEFORE UPDATE ON review_step
    FOR EACH ROW EXECUTE FUNCTION review_step_is_kept();

CREATE FUNCTION route_is_kept() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.retired_at IS NOT NULL
       OR ROW(OLD.lineage_id, OLD.number, OLD.name, OLD.org_path, OLD.product_types, OLD.kinds,
              OLD.risks, OLD.channels, OLD.made_by, OLD.made_at, OLD.tenant_id)
          IS DISTINCT FROM
          ROW(NEW.lineage_id, NEW.number, NEW.name, NEW.org_path, NEW.product_types, NEW.kinds,
              NEW.risks, NEW.channels, NEW.made_by, NEW.made_at, NEW.tenant_id) THEN
        RAISE EXCEPTION 'a version of a route is never changed: make the next one'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER route_is_kept BEFORE UPDATE OR DELETE ON review_route
    FOR EACH ROW EXECUTE FUNCTION route_is_kept();

CREATE FUNCTION inspection_ends_once() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.outcome IS NOT NULL OR OLD.auto_pass_id <> NEW.auto_pass_id THEN
        RAISE EXCEPTION 'what an inspection found is never changed or removed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER inspection_ends_once BEFORE UPDATE OR DELETE ON inspection
    FOR EACH ROW EXECUTE FUNCTION inspection_ends_once();
"""


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_person_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_tenant_id"), "person", ["tenant_id"], unique=False)
    op.create_table(
        "absence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("substitute_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_absence_made_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["substitute_id"], ["user_account.id"], name=op.f("fk_absence_substitute_id_user_account")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_absence_tenant_id_tenant")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_absence_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    op.create_index(op.f("ix_absence_tenant_id"), "absence", ["tenant_id"], unique=False)
    op.create_index("ix_absence_user_id_ends_at", "absence", ["user_id", "ends_at"], unique=False)
    op.create_table(
        "review_route",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lineage_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("org_path", sa.String(length=500), nullable=False),
        sa.Column("product_types", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("risks", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_review_route_made_by_user_account")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_review_route_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_route")),
        sa.UniqueConstraint("lineage_id", "number", name=op.f("uq_review_route_lineage_id_number")),
    )
    op.create_index(op.f("ix_review_route_tenant_id"), "review_route", ["tenant_id"], unique=False)
    op.create_index(
        "uq_review_route_current",
        "review_route",
        ["lineage_id"],
        unique=True,
        postgresql_where="retired_at IS NULL",
    )
    op.create_table(
        "sampling_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_sampling_policy_made_by_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_sampling_policy_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sampling_policy")),
    )
    op.create_index(op.f("ix_sampling_policy_tenant_id"), "sampling_policy", ["tenant_id"], unique=False)
    op.create_table(
        "route_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("route_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "advisor",
                "brand",
                "reviewer",
                "legal",
                "operator",
                "branch_head",
                "administrator",
                "auditor",
                name="role",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("seat_path", sa.String(length=500), nullable=True),
        sa.Column("term", sa.Interval(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["route_id"], ["review_route.id"], name=op.f("fk_route_step_route_id_review_route")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_route_step_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_step")),
        sa.UniqueConstraint("route_id", "position", name=op.f("uq_route_step_route_id_position")),
    )
    op.create_index(op.f("ix_route_step_tenant_id"), "route_step", ["tenant_id"], unique=False)
    op.create_table(
        "auto_pass",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("piece_id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=True),
        sa.Column("edition_id", sa.Uuid(), nullable=True),
        sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("share_bp", sa.Integer(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=False),
        sa.Column("is_drawn", sa.Boolean(), nullable=False),
        sa.Column("passed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["edition_id"], ["edition.id"], name=op.f("fk_auto_pass_edition_id_edition")),
        sa.ForeignKeyConstraint(["piece_id"], ["piece.id"], name=op.f("fk_auto_pass_piece_id_piece")),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_auto_pass_review_id_review")),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_auto_pass_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auto_pass")),
        sa.UniqueConstraint("edition_id", name=op.f("uq_auto_pass_edition_id")),
        sa.UniqueConstraint("review_id", name=op.f("uq_auto_pass_review_id")),
    )
    op.create_index(op.f("ix_auto_pass_piece_id"), "auto_pass", ["piece_id"], unique=False)
    op.create_index(op.f("ix_auto_pass_tenant_id"), "auto_pass", ["tenant_id"], unique=False)
    op.create_index("ix_auto_pass_tenant_id_passed_at", "auto_pass", ["tenant_id", "passed_at"], unique=False)
    op.create_table(
        "review_presence",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["review.id"], name=op.f("fk_review_presence_review_id_review"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_review_presence_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_review_presence_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("review_id", "user_id", name=op.f("pk_review_presence")),
    )
    op.create_index(op.f("ix_review_presence_tenant_id"), "review_presence", ["tenant_id"], unique=False)
    op.create_table(
        "review_step",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("route_step_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("waiting", "open", "passed", "ended", name="stepstate", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["user_account.id"], name=op.f("fk_review_step_assigned_to_user_account")
        ),
        sa.ForeignKeyConstraint(["review_id"], ["review.id"], name=op.f("fk_review_step_review_id_review")),
        sa.ForeignKeyConstraint(
            ["route_step_id"], ["route_step.id"], name=op.f("fk_review_step_route_step_id_route_step")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_review_step_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_step")),
        sa.UniqueConstraint("review_id", "position", name=op.f("uq_review_step_review_id_position")),
    )
    op.create_index(op.f("ix_review_step_assigned_to"), "review_step", ["assigned_to"], unique=False)
    op.create_index(
        "ix_review_step_due",
        "review_step",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where="state = 'open'",
    )
    op.create_index(op.f("ix_review_step_tenant_id"), "review_step", ["tenant_id"], unique=False)
    op.create_index(
        "uq_review_step_open", "review_step", ["review_id"], unique=True, postgresql_where="state = 'open'"
    )
    op.create_table(
        "inspection",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("auto_pass_id", sa.Uuid(), nullable=False),
        sa.Column("drawn_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assigned_to", sa.Uuid(), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum("clean", "finding", name="inspectionoutcome", native_enum=False, length=32),
            nullable=True,
        ),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("inspected_by", sa.Uuid(), nullable=True),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["user_account.id"], name=op.f("fk_inspection_assigned_to_user_account")
        ),
        sa.ForeignKeyConstraint(
            ["auto_pass_id"], ["auto_pass.id"], name=op.f("fk_inspection_auto_pass_id_auto_pass")
        ),
        sa.ForeignKeyConstraint(
            ["inspected_by"], ["user_account.id"], name=op.f("fk_inspection_inspected_by_user_account")
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=op.f("fk_inspection_tenant_id_tenant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection")),
        sa.UniqueConstraint("auto_pass_id", name=op.f("uq_inspection_auto_pass_id")),
    )
    op.create_index(
        "ix_inspection_open",
        "inspection",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where="outcome IS NULL",
    )
    op.create_index(op.f("ix_inspection_tenant_id"), "inspection", ["tenant_id"], unique=False)
    op.add_column("decision", sa.Column("step_id", sa.Uuid(), nullable=True))
    op.add_column("decision", sa.Column("is_final", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.drop_constraint(op.f("uq_decision_review_id"), "decision", type_="unique")
    op.create_index("ix_decision_review_id", "decision", ["review_id"], unique=False)
    op.create_index("uq_decision_final", "decision", ["review_id"], unique=True, postgresql_where="is_final")
    op.create_unique_constraint(op.f("uq_decision_step_id_decided_by"), "decision", ["step_id", "decided_by"])
    op.create_foreign_key(
        op.f("fk_decision_step_id_review_step"), "decision", "review_step", ["step_id"], ["id"]
    )
    op.add_column(
        "piece",
        sa.Column(
            "channel",
            sa.Enum(
                "moments",
                "group",
                "wecom",
                "official_account",
                "print",
                name="usechannel",
                native_enum=False,
                length=32,
            ),
            nullable=False,
            server_default="moments",
        ),
    )
    op.add_column("review", sa.Column("route_id", sa.Uuid(), nullable=True))
    op.add_column(
        "review",
        sa.Column(
            "risk",
            sa.Enum("low", "medium", "high", name="risk", native_enum=False, length=32),
            nullable=False,
            server_default="medium",
        ),
    )
    op.add_column(
        "review", sa.Column("reasons", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}")
    )
    op.add_column(
        "review",
        sa.Column("carried", postgresql.ARRAY(sa.String(length=64)), nullable=False, server_default="{}"),
    )
    op.create_foreign_key(
        op.f("fk_review_route_id_review_route"), "review", "review_route", ["route_id"], ["id"]
    )
    op.add_column("user_account", sa.Column("person_id", sa.Uuid(), nullable=True))
    op.execute(_PEOPLE)
    op.alter_column("user_account", "person_id", nullable=False)
    op.create_index(op.f("ix_user_account_person_id"), "user_account", ["person_id"], unique=False)
    op.create_foreign_key(
        op.f("fk_user_account_person_id_person"), "user_account", "person", ["person_id"], ["id"]
    )

    op.execute(_ROUTES)
    for table, column in (
        ("decision", "is_final"),
        ("piece", "channel"),
        ("review", "risk"),
        ("review", "reasons"),
        ("review", "carried"),
    ):
        op.alter_column(table, column, server_default=None)
    for statement in (_PERSON, _HANDS, _DECISION, _GATE, _KEPT):
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
    for table, trigger in (
        ("user_account", "account_has_person"),
        ("user_account", "person_stays_one"),
        ("publication", "publication_rests_on_a_final_approval"),
        ("review", "review_keeps_its_route"),
        ("review_step", "review_step_is_kept"),
        ("review_route", "route_is_kept"),
        ("inspection", "inspection_ends_once"),
    ):
        op.execute(f"DROP TRIGGER {trigger} ON {table}")
        op.execute(f"DROP FUNCTION {trigger}")
    op.execute(
        _earlier("0002")["_DECISION"].split("CREATE TRIGGER")[0].replace("CREATE", "CREATE OR REPLACE")
    )
    op.execute(_earlier("0005")["_SUBMITTER"])
    op.execute("DROP FUNCTION people_with_a_hand_in")
    op.execute("UPDATE review SET route = 'one_step' WHERE route = 'people'")
    op.drop_constraint(op.f("fk_user_account_person_id_person"), "user_account", type_="foreignkey")
    op.drop_index(op.f("ix_user_account_person_id"), table_name="user_account")
    op.drop_column("user_account", "person_id")
    op.drop_constraint(op.f("fk_review_route_id_review_route"), "review", type_="foreignkey")
    op.drop_column("review", "carried")
    op.drop_column("review", "reasons")
    op.drop_column("review", "risk")
    op.drop_column("review", "route_id")
    op.drop_column("piece", "channel")
    op.drop_constraint(op.f("fk_decision_step_id_review_step"), "decision", type_="foreignkey")
    op.drop_constraint(op.f("uq_decision_step_id_decided_by"), "decision", type_="unique")
    op.drop_index("uq_decision_final", table_name="decision", postgresql_where="is_final")
    op.drop_index("ix_decision_review_id", table_name="decision")
    op.create_unique_constraint(
        op.f("uq_decision_review_id"), "decision", ["review_id"], postgresql_nulls_not_distinct=False
    )
    op.drop_column("decision", "is_final")
    op.drop_column("decision", "step_id")
    op.drop_index(op.f("ix_inspection_tenant_id"), table_name="inspection")
    op.drop_index("ix_inspection_open", table_name="inspection", postgresql_where="outcome IS NULL")
    op.drop_table("inspection")
    op.drop_index("uq_review_step_open", table_name="review_step", postgresql_where="state = 'open'")
    op.drop_index(op.f("ix_review_step_tenant_id"), table_name="review_step")
    op.drop_index("ix_review_step_due", table_name="review_step", postgresql_where="state = 'open'")
    op.drop_index(op.f("ix_review_step_assigned_to"), table_name="review_step")
    op.drop_table("review_step")
    op.drop_index(op.f("ix_review_presence_tenant_id"), table_name="review_presence")
    op.drop_table("review_presence")
    op.drop_index("ix_auto_pass_tenant_id_passed_at", table_name="auto_pass")
    op.drop_index(op.f("ix_auto_pass_tenant_id"), table_name="auto_pass")
    op.drop_index(op.f("ix_auto_pass_piece_id"), table_name="auto_pass")
    op.drop_table("auto_pass")
    op.drop_index(op.f("ix_route_step_tenant_id"), table_name="route_step")
    op.drop_table("route_step")
    op.drop_index(op.f("ix_sampling_policy_tenant_id"), table_name="sampling_policy")
    op.drop_table("sampling_policy")
    op.drop_index("uq_review_route_current", table_name="review_route", postgresql_where="retired_at IS NULL")
    op.drop_index(op.f("ix_review_route_tenant_id"), table_name="review_route")
    op.drop_table("review_route")
    op.drop_index("ix_absence_user_id_ends_at", table_name="absence")
    op.drop_index(op.f("ix_absence_tenant_id"), table_name="absence")
    op.drop_table("absence")
    op.drop_index(op.f("ix_person_tenant_id"), table_name="person")
    op.drop_table("person")


def _earlier(number: str) -> dict[str, Any]:
    """What an earlier migration says, to go back to it."""
    [path] = Path(__file__).parent.glob(f"*_{number}_*.py")
    return runpy.run_path(str(path))
