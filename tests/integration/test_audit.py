"""The stored chain: nobody changes it through the database, and whoever does it anyway is seen."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import create_engine, make_url, select, text
from sqlalchemy.exc import IntegrityError

from app.bootstrap import Platform
from app.domain.errors import AccessDenied
from app.domain.organisation import Actor, Permission, Role
from app.domain.piece import PieceAction
from app.domain.review import Outcome
from app.domain.tracking import TENANT_ZONE
from app.models.audit import AuditEntry
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceStep
from app.queries.audit import AuditFilter
from app.services.access import require
from app.services.audit import verify_audit
from app.services.checkpoint import read_audit
from app.services.publication import expire_due, take_down
from app.services.serving import open_edition
from app.services.submission import withdraw_piece
from app.services.user import RoleOn, set_roles
from tests.audited import ENTRY_OF
from tests.factories import House


@pytest.fixture
def house(platform: Platform) -> House:
    """People only: what is tried here needs no template."""
    built = House.build(platform, templates=False)
    for at in range(6):
        with built.by("administrator") as uow:
            uow.audit.record("user:enable", f"person {at}")
    return built


@pytest.fixture
def tampering(postgres, database_url):
    """A superuser's connection that turns the triggers off: the worst the owner of a server can do."""
    url = make_url(postgres.superuser_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg", database=make_url(database_url).database))
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        yield connection
    engine.dispose()


_SWAP = (
    "UPDATE audit_entry SET seq = CASE seq WHEN 2 THEN 102 ELSE 103 END WHERE seq IN (2, 3);"
    "UPDATE audit_entry SET seq = CASE seq WHEN 102 THEN 3 ELSE 2 END WHERE seq > 100"
)


def verdict(house: House):
    with house.platform.sessions() as session:
        return verify_audit(session, house.tenant_id)


def test_an_untouched_chain_is_whole(house):
    assert verdict(house) == (6, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'somebody else'",
        "DELETE FROM audit_entry WHERE seq = 2",
        "TRUNCATE audit_entry",
    ],
)
def test_the_database_refuses_to_change_an_entry(house, statement):
    with house.platform.engine.connect() as connection, pytest.raises(IntegrityError, match="never changed"):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit_entry SET record = set_byte(record, 9, get_byte(record, 9) # 1) WHERE seq = 3", 3),
        ("UPDATE audit_entry SET hash = repeat('0', 64) WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 6", 6),
        (_SWAP, 2),
    ],
    ids=["flipped bit", "other hash", "deleted", "cut short", "swapped"],
)
def test_whoever_tampers_below_the_platform_is_seen_where_it_happened(house, tampering, statement, broken_at):
    for one in statement.split(";"):
        tampering.execute(text(one))
    tampering.commit()
    _, fault = verdict(house)
    assert fault is not None
    assert fault.seq == broken_at


def test_an_entry_of_one_tenant_does_not_pass_in_the_chain_of_another(platform, house, tampering):
    other = House.build(platform, slug="other", templates=False)
    with other.by("administrator") as uow:
        uow.audit.record("user:enable", "a stranger")
    tampering.execute(
        text(
            "UPDATE audit_entry AS mine SET record = theirs.record, hash = theirs.hash "
            "FROM audit_entry AS theirs WHERE mine.tenant_id = :mine AND theirs.tenant_id = :theirs "
            "AND mine.seq = 2 AND theirs.seq = 1"
        ),
        {"mine": house.tenant_id, "theirs": other.tenant_id},
    )
    tampering.commit()
    assert verdict(house)[1] is not None


def test_what_is_refused_leaves_no_entry(house):
    before = verdict(house)[0]
    with pytest.raises(AccessDenied), house.by("auditor") as uow:
        uow.audit.record("user:enable", "myself")
        require(uow, Permission.USER_MANAGE)
    assert verdict(house)[0] == before


class TestNoChangeWithoutItsEntry:
    """Every step of a piece, by whichever hand, under the watch; and that the watch is awake."""

    def test_the_whole_life_of_pieces_leaves_one_entry_a_step(self, small_house, clock):
        house = small_house
        refused = house.in_review("advisor", "note", headline="第一句")
        house.decide(refused, Outcome.REJECT, reason="不合适")
        returned = house.in_review("advisor", "note", headline="第二句")
        house.decide(returned, Outcome.REQUEST_CHANGES, reason="改一改")
        house.revise("advisor", returned, headline="第三句")
        house.withdraw("advisor", returned)
        ended = house.published("advisor_b", "note", headline="第四句")
        with house.by("reviewer") as uow:
            take_down(uow, ended, note="下架")
        piece_id = house.published("operator", "note", headline="第五句")
        with house.by("advisor") as uow:
            open_edition(uow, piece_id)
        clock.advance(timedelta(days=60))
        with house.platform.unit_of_work(Actor.system("expire", house.tenant_id)) as uow:
            assert expire_due(uow) == 1
        with house.platform.sessions() as session:
            taken = set(session.scalars(select(PieceStep.action)))
        elsewhere = {
            PieceAction.FAIL_CHECK,
            PieceAction.RECALL,
            PieceAction.CORRECT,
            PieceAction.DROP_CORRECTION,
        }
        assert taken >= set(ENTRY_OF) - elsewhere

    def test_a_change_that_nobody_recorded_is_refused(self, small_house):
        with pytest.raises(AssertionError, match="OrgUnit"), small_house.by("administrator") as uow:
            uow.session.get_one(OrgUnit, small_house.units["/HQ/"]).name = "别的名字"

    def test_a_step_without_its_entry_is_refused(self, small_house):
        piece_id = small_house.draft("advisor", "note")
        with pytest.raises(AssertionError, match="piece:submit"), small_house.by("advisor") as uow:
            piece = uow.session.get_one(Piece, piece_id)
            piece.apply(PieceAction.SUBMIT, actor="somebody", at=uow.clock.now())
            uow.audit.record("piece:create", piece.id)

    def test_a_step_with_two_entries_is_refused(self, small_house):
        piece_id = small_house.in_review("advisor", "note")
        with pytest.raises(AssertionError, match="2 entries"), small_house.by("advisor") as uow:
            withdraw_piece(uow, piece_id)
            uow.audit.record("piece:withdraw", piece_id)

    def test_an_entry_without_its_step_is_refused(self, small_house):
        piece_id = small_house.draft("advisor", "note")
        with pytest.raises(AssertionError, match="without a step"), small_house.by("advisor") as uow:
            uow.audit.record("piece:approve", piece_id)

    def test_every_step_that_can_be_taken_owes_an_entry(self):
        archived = {PieceAction.ARCHIVE}  # nothing takes this step yet
        assert set(ENTRY_OF) == set(PieceAction) - archived


def test_roles_are_recorded_as_they_were_and_as_they_became(house):
    user = house.people["operator"].user_id
    with house.by("administrator") as uow:
        set_roles(uow, user, [RoleOn(Role.BRAND, house.units["/HQ/SH/"])])
    with house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "user:set_roles")).one()
    details = json.loads(entry.record)["details"]
    assert details["before"] == ["operator DEMOHQ"]
    assert details["after"] == ["brand DEMOHQ-SH"]


def test_whoever_reads_the_trail_is_in_it(house):
    with house.by("auditor") as uow:
        read_audit(uow, AuditFilter(actor="李知遥", subject_kind="user"), zone=TENANT_ZONE)
    with house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "audit:read")).one()
    assert entry.actor == str(house.people["auditor"].user_id)
    assert "李知遥" not in entry.record.decode()
    assert json.loads(entry.record)["details"]["by"] == {"actor": "given", "kind": "user"}
