"""Every way round the gate that somebody with SQL at hand could try; the database refuses each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from app.domain.distribution import AudienceRule
from app.domain.errors import Ended, GateClosed
from app.domain.publication import validity
from app.domain.review import Outcome
from app.models.advisor import Advisor
from app.models.publication import Publication
from app.models.review import Decision
from app.services.piece import lock_piece
from app.services.publication import publish
from app.services.serving import require_public
from tests.factories import House

FREE = {"headline": "时间会奖励\n耐心的人"}


@pytest.fixture
def sql(house: House) -> Iterator[Connection]:
    """A plain connection as the platform's own role: no service, no ORM."""
    with house.platform.engine.connect() as connection:
        yield connection


def attempt(sql: Connection, statement: str, **values: object) -> str:
    """Run a statement and commit; give the database's refusal, fail if there is none."""
    with pytest.raises(DBAPIError) as refused:
        sql.execute(text(statement), values)
        sql.commit()
    sql.rollback()
    return str(refused.value.orig)


_PUBLICATION = """
    INSERT INTO publication (id, tenant_id, piece_id, revision_id, content_hash, decision_id,
        approval_no, audience_path, audience_tags, why, valid_from, valid_until, published_at, end_note)
    SELECT gen_random_uuid(), p.tenant_id, p.id, r.id, r.content_hash, :decision, :number, '/HQ/', '{}',
        '', now(), now() + interval '1 day', now(), ''
      FROM piece p JOIN piece_revision r ON r.id = p.current_revision_id WHERE p.id = :piece
"""


def forged_decision(sql: Connection, piece_id: UUID, by: UUID | None, **override: str) -> str:
    fields = {
        "review_id": "v.id",
        "revision_id": "r.id",
        "content_hash": "r.content_hash",
        "is_final": "true",
        **override,
    }
    return attempt(
        sql,
        f"""INSERT INTO decision (id, tenant_id, review_id, step_id, is_final, piece_id, revision_id,
                content_hash, outcome, reason, decided_by, decided_at, seal)
            SELECT gen_random_uuid(), p.tenant_id, {fields["review_id"]},
                (SELECT s.id FROM review_step s WHERE s.review_id = {fields["review_id"]}
                    AND s.state = 'open' AND cast(:by AS uuid) IS NOT NULL),
                {fields["is_final"]}, p.id, {fields["revision_id"]}, {fields["content_hash"]}, 'approve', '',
                :by, now(), repeat('0', 64)
              FROM piece p JOIN piece_revision r ON r.id = p.current_revision_id
              JOIN review v ON v.revision_id = r.id WHERE p.id = :piece""",
        by=by,
        piece=piece_id,
    )


def test_a_publication_without_a_decision_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    said = attempt(sql, _PUBLICATION, piece=piece_id, decision=uuid4(), number="X1")
    assert "approval" in said


def test_another_pieces_decision_does_not_open_the_gate(house: House, sql: Connection) -> None:
    house.published("advisor", **FREE)
    decision = sql.execute(select(Decision.id)).scalar_one()
    other = house.in_review("advisor_b", headline="另一句话\n另一件事")
    said = attempt(sql, _PUBLICATION, piece=other, decision=decision, number="X2")
    assert "approval of exactly this content" in said


def test_setting_a_piece_to_published_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    said = attempt(sql, "UPDATE piece SET state = 'published' WHERE id = :piece", piece=piece_id)
    assert "published only by a publication" in said


def test_the_content_of_a_revision_cannot_be_changed(house: House, sql: Connection) -> None:
    piece_id = house.published(**FREE)
    for change in (
        'UPDATE piece_revision SET values = values || \'{"headline": "稳赚不赔"}\' WHERE piece_id = :piece',
        "UPDATE piece_revision SET content_hash = repeat('0', 64) WHERE piece_id = :piece",
        "DELETE FROM piece_revision WHERE piece_id = :piece",
    ):
        assert "never changed" in attempt(sql, change, piece=piece_id)


def test_a_live_publication_cannot_be_pointed_at_other_content(house: House, sql: Connection) -> None:
    mine = house.published(**FREE)
    other = house.in_review("advisor_b", headline="另一句话\n另一件事")
    said = attempt(
        sql,
        """UPDATE publication SET revision_id = (SELECT current_revision_id FROM piece WHERE id = :other)
            WHERE piece_id = :mine""",
        mine=mine,
        other=other,
    )
    assert "not changed afterwards" in said


def test_a_publication_cannot_be_widened_lengthened_revived_or_removed(house: House, sql: Connection) -> None:
    piece_id = house.published(**FREE)
    for change in (
        "UPDATE publication SET audience_path = '/' WHERE piece_id = :piece",
        "UPDATE publication SET valid_until = valid_until + interval '1 year' WHERE piece_id = :piece",
        "DELETE FROM publication WHERE piece_id = :piece",
    ):
        attempt(sql, change, piece=piece_id)
    sql.execute(
        text("UPDATE publication SET ended_at = now(), end_reason = 'taken_down' WHERE piece_id = :piece"),
        {"piece": piece_id},
    )
    sql.commit()
    said = attempt(
        sql,
        "UPDATE publication SET ended_at = NULL, end_reason = NULL WHERE piece_id = :piece",
        piece=piece_id,
    )
    assert "stays ended" in said


def test_a_decision_cannot_be_changed_or_removed(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    house.decide(piece_id, Outcome.REJECT, reason="不合适")
    for change in (
        "UPDATE decision SET outcome = 'approve' WHERE piece_id = :piece",
        "DELETE FROM decision WHERE piece_id = :piece",
        "TRUNCATE decision CASCADE",
    ):
        assert "never changed" in attempt(sql, change, **({"piece": piece_id} if ":piece" in change else {}))


def test_a_forged_approval_by_nobody_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    assert "may not pass by itself" in forged_decision(sql, piece_id, None)


def test_a_forged_approval_by_its_own_author_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    assert "their own work" in forged_decision(sql, piece_id, house.people["advisor"].user_id)


def test_a_forged_approval_by_somebody_who_is_no_reviewer_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    assert "no active reviewer" in forged_decision(sql, piece_id, house.people["operator"].user_id)


def test_a_forged_approval_of_other_content_is_refused(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    said = forged_decision(sql, piece_id, house.people["reviewer"].user_id, content_hash="repeat('0', 64)")
    assert "does not match" in said


def test_an_approval_needs_a_completed_check(house: House, sql: Connection) -> None:
    piece_id = house.in_review(**FREE)
    said = _approve_unchecked(sql, piece_id, house.people["reviewer"].user_id)
    assert "completed check" in said


def _approve_unchecked(sql: Connection, piece_id: UUID, by: UUID | None) -> str:
    """Open a round on a check that never ran, and approve it."""
    run_id, review_id = uuid4(), uuid4()
    sql.execute(
        text(
            """INSERT INTO check_run (id, tenant_id, revision_id, content_hash, ruleset_version,
                   ruleset_digest, report, queued_at)
               SELECT :run, p.tenant_id, r.id, r.content_hash, '', '', '{}', now()
                 FROM piece p JOIN piece_revision r ON r.id = p.current_revision_id WHERE p.id = :piece"""
        ),
        {"run": run_id, "piece": piece_id},
    )
    sql.execute(
        text(
            """INSERT INTO review (id, tenant_id, piece_id, revision_id, check_run_id, round, route,
                   route_id, risk, reasons, carried, change_digest, alike_since, state, opened_at,
                   org_unit_id, template_id, template_version_id)
               SELECT :review, v.tenant_id, v.piece_id, v.revision_id, :run, 99, 'people', v.route_id, 'low',
                   '{}', '{}', v.change_digest, now(), 'open', now(), v.org_unit_id, v.template_id,
                   v.template_version_id
                 FROM review v WHERE v.piece_id = :piece"""
        ),
        {"run": run_id, "review": review_id, "piece": piece_id},
    )
    sql.execute(
        text(
            """INSERT INTO review_step (id, tenant_id, review_id, route_step_id, position, state)
               SELECT gen_random_uuid(), s.tenant_id, :review, s.route_step_id, s.position, 'open'
                 FROM review_step s JOIN review v ON v.id = s.review_id WHERE v.piece_id = :piece"""
        ),
        {"review": review_id, "piece": piece_id},
    )
    sql.commit()
    return forged_decision(sql, piece_id, by, review_id=f"'{review_id}'::uuid")


def test_a_row_that_passes_every_rule_of_the_database_still_lacks_the_seal(
    house: House, sql: Connection
) -> None:
    """Somebody who knows a reviewer's id can write a decision row; nothing is served on it."""
    piece_id = house.in_review(**FREE)
    sql.execute(
        text(
            """INSERT INTO decision (id, tenant_id, review_id, step_id, is_final, piece_id, revision_id,
                   content_hash, outcome, reason, decided_by, decided_at, seal)
               SELECT gen_random_uuid(), p.tenant_id, v.id, s.id, true, p.id, r.id, r.content_hash, 'approve',
                   '', :by, now(), repeat('0', 64)
                 FROM piece p JOIN piece_revision r ON r.id = p.current_revision_id
                 JOIN review v ON v.revision_id = r.id
                 JOIN review_step s ON s.review_id = v.id WHERE p.id = :piece"""
        ),
        {"by": house.people["reviewer"].user_id, "piece": piece_id},
    )
    decision = sql.execute(select(Decision.id).where(Decision.piece_id == piece_id)).scalar_one()
    sql.execute(text("UPDATE piece SET state = 'approved' WHERE id = :piece"), {"piece": piece_id})
    sql.commit()
    with pytest.raises(GateClosed), house.by("operator") as uow:
        piece = lock_piece(uow, piece_id)
        publish(
            uow,
            piece,
            audience=AudienceRule("/HQ/"),
            only_advisor=None,
            period=validity(valid_from=None, valid_until=None, at=uow.clock.now()),
        )
    sql.execute(text(_PUBLICATION), {"piece": piece_id, "decision": decision, "number": "FORGED"})
    sql.execute(text("UPDATE piece SET state = 'published' WHERE id = :piece"), {"piece": piece_id})
    sql.commit()
    assert sql.execute(select(Publication.approval_no)).scalars().all() == ["FORGED"]
    with pytest.raises(Ended), house.by("advisor") as uow:
        advisor = uow.session.get_one(Advisor, house.people["advisor"].advisor_id)
        require_public(uow, piece_id, advisor)


def test_an_audit_entry_cannot_be_changed_or_removed(house: House, sql: Connection) -> None:
    house.published(**FREE)
    for change in (
        "UPDATE audit_entry SET record = 'x'",
        "DELETE FROM audit_entry",
        "TRUNCATE audit_entry",
    ):
        assert "never changed" in attempt(sql, change)


def test_a_released_template_version_cannot_be_changed(house: House, sql: Connection) -> None:
    assert "never changes" in attempt(sql, "UPDATE template_version SET digest = repeat('0', 64)")


def test_a_decision_sealed_under_an_earlier_secret_stays_genuine(house: House) -> None:
    piece_id = house.published(**FREE)
    advisor_id = house.people["advisor"].advisor_id
    around = house.platform.surroundings
    house.platform.__dict__["surroundings"] = replace(around, seal_keys=(b"new" * 11, *around.seal_keys))
    with house.by("advisor") as uow:
        assert require_public(uow, piece_id, uow.session.get_one(Advisor, advisor_id))
    house.platform.__dict__["surroundings"] = replace(around, seal_keys=(b"new" * 11,))
    with pytest.raises(Ended), house.by("advisor") as uow:
        require_public(uow, piece_id, uow.session.get_one(Advisor, advisor_id))
