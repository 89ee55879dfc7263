"""What could not be finished is as it was before, and is finished later by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from app.domain.errors import AccessDenied, CheckBlocked, Ended, InvalidInput, SelfApproval
from app.domain.organisation import Actor, Permission
from app.domain.piece import PieceState
from app.domain.review import Outcome, Route
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.audit import AuditEntry
from app.models.check import CheckRun
from app.models.edition import Rendition
from app.models.piece import Piece, PieceRevision
from app.models.review import Decision, Review
from app.models.template import TemplateVersion
from app.models.tracking import ShortLink
from app.ports import ObjectStoreUnavailable, TaskName
from app.queries.vitals import vitals
from app.services.access import access_piece
from app.services.piece import lock_piece, save_piece
from app.services.rendition import kept_picture, revision_spec
from app.services.review import RulesTightened, decide, run_check
from app.services.serving import require_public
from app.services.submission import submit_for_review, withdraw_piece
from app.services.sweep import send_stale_checks
from app.services.template import clear_template, retire_template
from tests.factories import House
from tests.fakes import MemoryObjectStore, RecordingTaskQueue


def submitted(house: House, who: str = "operator") -> UUID:
    """A piece that waits for its check; gives the check's id."""
    piece_id = house.draft(who, "note")
    with house.by(who) as uow:
        submit_for_review(uow, piece_id)
    with house.platform.sessions() as session:
        return session.scalars(select(CheckRun.id).order_by(CheckRun.queued_at.desc())).first()  # type: ignore[return-value]


def check(house: House, run_id: UUID) -> None:
    with house.platform.unit_of_work(Actor.system("check", house.tenant_id)) as uow:
        run_check(uow, run_id)


def sweep(house: House) -> int:
    with house.platform.unit_of_work(Actor.system("sweep", house.tenant_id)) as uow:
        return send_stale_checks(uow)


def counted(house: House, *kinds: type) -> list[int]:
    with house.platform.sessions() as session:
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


def test_a_check_whose_picture_cannot_be_kept_waits_and_is_completed_later(
    small_house: House, store: MemoryObjectStore
) -> None:
    run_id = submitted(small_house)
    kinds = (Rendition, Review, Decision, AuditEntry)
    before = counted(small_house, *kinds)
    store.is_full = True
    with pytest.raises(ObjectStoreUnavailable):
        check(small_house, run_id)
    assert counted(small_house, *kinds) == before
    with small_house.platform.sessions() as session:
        assert session.get_one(CheckRun, run_id).completed_at is None
    store.is_full = False
    check(small_house, run_id)
    assert counted(small_house, Rendition, Review) == [1, 1]


def test_a_decision_whose_picture_cannot_be_kept_is_not_made(
    small_house: House, store: MemoryObjectStore
) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    store.objects.clear()
    store.is_full = True
    before = counted(house, Decision, AuditEntry)
    with pytest.raises(ObjectStoreUnavailable):
        house.decide(piece_id)
    assert counted(house, Decision, AuditEntry) == before
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    store.is_full = False
    house.decide(piece_id)
    assert house.piece(piece_id).state is PieceState.APPROVED


@pytest.mark.parametrize("damage", ["lost", "changed"])
def test_a_picture_that_was_lost_or_changed_in_the_store_is_made_good(
    small_house: House, store: MemoryObjectStore, damage: str
) -> None:
    house = small_house
    piece_id = house.published("advisor", "note")

    def served() -> bytes:
        with house.by("advisor") as uow:
            piece = lock_piece(uow, piece_id)
            revision = uow.session.get_one(PieceRevision, piece.current_revision_id)
            return kept_picture(uow, revision_spec(uow, piece.template_version, revision)).data

    approved = served()
    [key] = store.keys("renditions/")
    house.platform.surroundings.pictures._values.clear()
    if damage == "lost":
        del store.objects[key]
    else:
        store.objects[key] = b"something else"
    assert served() == approved
    assert store.objects[key] == approved


def test_the_sweep_sends_a_lost_check_again_and_ever_seldomer(
    small_house: House, queue: RecordingTaskQueue
) -> None:
    house = small_house
    run_id = submitted(house)
    queue.sent.clear()
    turns = 4 * 60 * 4  # four hours of beat, every fifteen seconds
    for _ in range(turns):
        house.platform.clock.advance(timedelta(seconds=15))  # type: ignore[attr-defined]
        sweep(house)
    sent = [task for task in queue.sent if task.name is TaskName.RUN_COMPLIANCE_CHECK]
    assert {task.args for task in sent} == {(str(run_id),)}
    assert 8 <= len(sent) <= 12
    check(house, run_id)
    queue.sent.clear()
    house.platform.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    assert sweep(house) == 0


def test_a_check_whose_piece_was_taken_back_is_neither_sent_nor_counted(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")
    with house.by("operator") as uow:
        submit_for_review(uow, piece_id)
    with house.by("operator") as uow:
        withdraw_piece(uow, piece_id)
    house.platform.clock.advance(timedelta(hours=2))  # type: ignore[attr-defined]
    assert sweep(house) == 0
    with house.platform.sessions() as session:
        assert vitals(session, at=house.platform.clock.now()).checks_waiting == 0


def route_of(house: House, piece_id: UUID) -> Route:
    return house.review_of(piece_id).route


def test_whoever_cleared_a_design_does_not_pass_their_own_piece_by_it(small_house: House) -> None:
    """The database would refuse it, and the check would be tried for ever."""
    house = small_house
    with house.by("reviewer") as uow:
        clear_template(uow, "note", 1)
    with house.platform.sessions.begin() as session:
        session.get_one(Advisor, house.people["advisor"].advisor_id)
        version = session.scalars(select(TemplateVersion)).one()
        version.cleared_by = house.people["advisor"].user_id
    assert route_of(house, house.in_review("advisor", "note")) is Route.PEOPLE
    assert route_of(house, house.in_review("advisor_b", "note")) is Route.AUTO


def test_a_piece_of_a_design_that_is_off_the_shelf_goes_to_a_person(small_house: House) -> None:
    house = small_house
    with house.by("reviewer") as uow:
        clear_template(uow, "note", 1)
    piece_id = house.draft("advisor", "note")
    with house.by("brand") as uow:
        retire_template(uow, "note", 1)
    house.submit("advisor", piece_id)
    assert route_of(house, piece_id) is Route.PEOPLE


def test_whoever_sent_a_piece_does_not_decide_on_it(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")
    house.submit("both", piece_id)
    with pytest.raises(SelfApproval):
        house.decide(piece_id, who="both")
    house.decide(piece_id)


def test_the_system_decides_nothing_in_a_persons_place(small_house: House) -> None:
    review = small_house.review_of(small_house.in_review("operator", "note"))
    with (
        pytest.raises(AccessDenied),
        small_house.platform.unit_of_work(Actor.system("check", small_house.tenant_id)) as uow,
    ):
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash)


def test_an_approval_rests_on_the_rules_of_its_day(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    around = house.platform.surroundings
    stricter = replace(around.ruleset, digest="f" * 64)
    house.platform.__dict__["surroundings"] = replace(around, rules=lambda: stricter)
    house.decide(piece_id)
    with house.platform.sessions() as session:
        review = session.scalars(select(Review)).one()
        run = session.get_one(CheckRun, review.check_run_id)
    assert run.ruleset_digest == "f" * 64
    assert counted(house, CheckRun) == [2]


def test_what_the_rules_have_come_to_forbid_is_not_approved(small_house: House) -> None:
    house = small_house
    around = house.platform.surroundings
    lenient = type(around.ruleset).of("lenient", "0" * 64, [])
    house.platform.__dict__["surroundings"] = replace(around, rules=lambda: lenient)
    piece_id = house.in_review("operator", "note", headline="稳赚不赔")
    house.platform.__dict__["surroundings"] = around
    with pytest.raises(RulesTightened) as refused:
        house.decide(piece_id)
    assert isinstance(refused.value, CheckBlocked)
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="规则已更新")


def test_a_lapsed_licence_takes_an_advisors_material_dark_on_the_day_of_its_customers(house: House) -> None:
    """The last valid day ends at midnight in China, which is four in the afternoon in UTC."""
    catalog = house.platform.surroundings.shelf.catalog
    fund = next(one for one in catalog.versions() if one.product_type == "fund")
    piece_id = house.published("advisor", fund.slug)
    with house.platform.sessions.begin() as session:
        advisor = session.get_one(Advisor, house.people["advisor"].advisor_id)
        advisor.licence_until = house.platform.clock.now().date()

    def show() -> None:
        with house.by("advisor") as uow:
            require_public(uow, piece_id, uow.session.get_one(Advisor, advisor.id))

    house.platform.clock.at = house.platform.clock.now().replace(hour=15, minute=59)  # type: ignore[attr-defined]
    show()
    house.platform.clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    with pytest.raises(Ended):
        show()


def test_a_link_code_that_somebody_has_is_refused_and_makes_nothing(small_house: House) -> None:
    """The code in a poster is public: anybody can send it back as their own."""
    house = small_house
    with house.by("advisor") as uow:
        save_piece(uow, "note", {}, qr_code="2345678923")
    with pytest.raises(InvalidInput) as refused, house.by("advisor_b") as uow:
        save_piece(uow, "note", {}, qr_code="2345678923")
    assert refused.value.faults[0].code == "taken"
    assert counted(house, Piece, ShortLink) == [1, len(LinkChannel)]


def test_the_role_of_an_advisor_without_the_person_reaches_no_piece(small_house: House) -> None:
    house = small_house
    piece_id = house.draft("operator", "note")
    former = replace(house.people["advisor"], advisor_id=None)
    with pytest.raises(AccessDenied), house.by(former) as uow:
        access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
