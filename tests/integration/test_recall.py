"""Recall: two people take something back, everything it covers is dark, and who had it is known."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from app.domain.errors import AccessDenied, Ended, IllegalTransition, InvalidInput, Missing
from app.domain.organisation import Permission, Role
from app.domain.piece import PieceState
from app.domain.publication import EndReason
from app.domain.recall import RecallBy, RecallState, RecallTarget, SelfConfirmation
from app.domain.template import TemplateState
from app.models.advisor import Advisor
from app.models.audit import AuditEntry
from app.models.check import Finding
from app.models.piece import Piece
from app.models.recall import Recall, RecallHolder
from app.models.template import TemplateVersion
from app.models.user import User
from app.queries.recall import Extent, extent_of, holders, recalls_to_acknowledge, still_live
from app.services.access import require
from app.services.audit import verify_audit
from app.services.publication import expire_due, publish_piece, take_down
from app.services.recall import (
    access_recall,
    acknowledge_recall,
    cancel_recall,
    confirm_recall,
    propose_recall,
    remind_holders,
    what_is_covered,
)
from app.services.serving import open_edition, require_public
from tests.factories import House
from tests.fakes import FixedClock
from tests.visitors import keep_event

NOTE = "note"


def master(house: House, headline: str = "早安") -> UUID:
    return house.published("operator", NOTE, headline=headline)


def own(house: House, who: str = "advisor", headline: str = "平安") -> UUID:
    return house.published(who, NOTE, headline=headline)


def taken(house: House, piece_id: UUID, who: str = "advisor") -> UUID:
    with house.by(who) as uow:
        return open_edition(uow, piece_id).id


def proposed(house: House, by: RecallBy, subject: object, *, also_ended: bool = False) -> UUID:
    with house.by("operator") as uow:
        target = RecallTarget.of(by, str(subject), also_ended=also_ended)
        return propose_recall(uow, target, reason="利率写错", public_note="请以新版为准").id


def recalled(house: House, by: RecallBy, subject: object, *, also_ended: bool = False) -> UUID:
    recall_id = proposed(house, by, subject, also_ended=also_ended)
    with house.by("reviewer") as uow:
        confirm_recall(uow, recall_id)
    return recall_id


def is_public(house: House, piece_id: UUID, who: str = "advisor") -> bool:
    with house.by("operator") as uow:
        advisor = uow.session.get_one(Advisor, house.people[who].advisor_id)
        try:
            require_public(uow, piece_id, advisor)
        except Ended:
            return False
    return True


def test_nothing_goes_dark_before_a_second_person_confirms(small_house: House) -> None:
    piece_id = own(small_house)
    recall_id = proposed(small_house, RecallBy.PIECE, piece_id)
    assert is_public(small_house, piece_id)
    with small_house.by("reviewer") as uow:
        confirm_recall(uow, recall_id)
    assert not is_public(small_house, piece_id)
    assert small_house.piece(piece_id).state is PieceState.RECALLED
    assert small_house.publication(piece_id).end_reason is EndReason.RECALLED


def test_whoever_proposed_a_recall_does_not_confirm_it(small_house: House) -> None:
    piece_id = own(small_house)
    recall_id = proposed(small_house, RecallBy.PIECE, piece_id)
    with pytest.raises(SelfConfirmation), small_house.by("operator") as uow:
        confirm_recall(uow, recall_id)
    assert is_public(small_house, piece_id)


def test_a_second_account_of_the_proposer_is_no_second_person(small_house: House) -> None:
    piece_id = own(small_house)
    recall_id = proposed(small_house, RecallBy.PIECE, piece_id)
    again = small_house.person("operator-again", Role.OPERATOR, "/HQ/")
    with small_house.platform.sessions.begin() as session:
        person_id = session.get_one(User, small_house.people["operator"].user_id).person_id
        session.get_one(User, again.user_id).person_id = person_id
    with pytest.raises(SelfConfirmation), small_house.by(again) as uow:
        confirm_recall(uow, recall_id)
    assert is_public(small_house, piece_id)
    with small_house.platform.sessions() as session:
        refused = session.scalars(select(AuditEntry.tag).where(AuditEntry.tag == "recall:refuse")).all()
    assert len(refused) == 1


def test_the_database_itself_keeps_the_two_apart(small_house: House) -> None:
    recall_id = proposed(small_house, RecallBy.PIECE, own(small_house))
    with (
        pytest.raises(IntegrityError, match="another person"),
        small_house.platform.sessions.begin() as session,
    ):
        session.execute(
            update(Recall)
            .where(Recall.id == recall_id)
            .values(state="confirmed", confirmed_at=func.now(), confirmed_by=Recall.proposed_by)
        )


def test_a_confirmed_recall_is_a_record_that_nobody_changes(small_house: House) -> None:
    recall_id = recalled(small_house, RecallBy.PIECE, own(small_house))
    for change in (
        f"UPDATE recall SET state = 'cancelled', confirmed_at = NULL WHERE id = '{recall_id}'",
        "DELETE FROM recall_item",
        "DELETE FROM recall_holder",
    ):
        with pytest.raises(IntegrityError), small_house.platform.engine.begin() as connection:
            connection.execute(text(change))


@pytest.mark.parametrize("who", ["advisor", "brand", "branch_head", "administrator", "auditor"])
def test_only_reviewers_and_operators_recall(small_house: House, who: str) -> None:
    piece_id = own(small_house)
    with pytest.raises(AccessDenied), small_house.by(who) as uow:
        propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(piece_id)), reason="x")
    recall_id = proposed(small_house, RecallBy.PIECE, piece_id)
    with pytest.raises(AccessDenied), small_house.by(who) as uow:
        confirm_recall(uow, recall_id)


def test_a_recall_is_confirmed_or_cancelled_once(small_house: House) -> None:
    recall_id = proposed(small_house, RecallBy.PIECE, own(small_house))
    with small_house.by("reviewer") as uow:
        cancel_recall(uow, recall_id)
    with pytest.raises(IllegalTransition), small_house.by("reviewer") as uow:
        confirm_recall(uow, recall_id)


def test_a_recall_needs_a_reason_and_something_to_recall(small_house: House) -> None:
    piece_id = own(small_house)
    with pytest.raises(InvalidInput), small_house.by("operator") as uow:
        propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(piece_id)), reason=" ")
    draft = small_house.draft("advisor", NOTE)
    with pytest.raises(InvalidInput), small_house.by("operator") as uow:
        propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(draft)), reason="写错")


@pytest.mark.parametrize(
    ("by", "subject"),
    [
        (RecallBy.PIECE, "nothing"),
        (RecallBy.TEMPLATE, "note"),
        (RecallBy.ASSET, "abc"),
        (RecallBy.PRODUCT, "gold"),
        (RecallBy.RULE, "a rule"),
    ],
)
def test_a_subject_of_the_wrong_kind_is_refused(by: RecallBy, subject: str) -> None:
    with pytest.raises(InvalidInput):
        RecallTarget.of(by, subject)


def test_a_template_version_takes_every_piece_made_from_it_and_leaves_the_shelf(small_house: House) -> None:
    pieces = [own(small_house), own(small_house, "advisor_b"), master(small_house)]
    recalled(small_house, RecallBy.TEMPLATE, "note@1")
    assert not any(is_public(small_house, one) for one in pieces)
    with small_house.platform.sessions() as session:
        assert session.scalars(select(TemplateVersion.state)).one() is TemplateState.RETIRED


def test_a_product_takes_every_piece_of_it(small_house: House) -> None:
    pieces = [own(small_house), master(small_house)]
    with small_house.by("operator") as uow:
        _name, items = what_is_covered(uow, RecallTarget.of(RecallBy.PRODUCT, "fund"))
        assert items == []
    recalled(small_house, RecallBy.PRODUCT, "none")
    assert not any(is_public(small_house, one) for one in pieces)


def test_a_rule_takes_the_pieces_it_hits_and_no_other(small_house: House) -> None:
    fine, hit = own(small_house), own(small_house, headline="金牛基金经理")
    with small_house.platform.sessions() as session:
        rule = session.scalars(select(Finding.rule)).first()
    recalled(small_house, RecallBy.RULE, rule)
    assert not is_public(small_house, hit)
    assert is_public(small_house, fine)


def test_an_unknown_rule_or_a_foreign_thing_is_missing(small_house: House) -> None:
    with small_house.by("operator") as uow:
        for by, subject in ((RecallBy.RULE, "no-such-rule"), (RecallBy.PIECE, str(small_house.tenant_id))):
            with pytest.raises(Missing):
                what_is_covered(uow, RecallTarget.of(by, subject))


def test_an_advisor_takes_their_own_pieces_and_their_editions_while_others_keep_theirs(
    small_house: House,
) -> None:
    theirs, other, shared = own(small_house), own(small_house, "advisor_b"), master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    recalled(small_house, RecallBy.ADVISOR, small_house.people["advisor"].advisor_id)
    assert not is_public(small_house, theirs)
    assert not is_public(small_house, shared)
    assert is_public(small_house, other, "advisor_b")
    assert is_public(small_house, shared, "advisor_b")
    with pytest.raises(Ended), small_house.by("advisor") as uow:
        open_edition(uow, shared)


def test_a_branch_takes_what_its_people_made_and_shared(small_house: House) -> None:
    theirs, other, shared = own(small_house), own(small_house, "advisor_b"), master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    recalled(small_house, RecallBy.BRANCH, small_house.units["/HQ/SH/"])
    assert [is_public(small_house, theirs), is_public(small_house, shared)] == [False, False]
    assert is_public(small_house, other, "advisor_b")
    assert is_public(small_house, shared, "advisor_b")


def test_a_portrait_takes_its_advisors_editions_and_is_no_longer_verified(small_house: House) -> None:
    shared = master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    sha256 = "a" * 64
    with small_house.platform.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO asset (id, tenant_id, sha256, kind, content_type, size_bytes, width_px,"
                " height_px, rights, uploaded_at) VALUES (gen_random_uuid(), :tenant, :sha, 'portrait',"
                " 'image/jpeg', 1, 1, 1, '', now())"
            ),
            {"tenant": small_house.tenant_id, "sha": sha256},
        )
        session.execute(
            update(Advisor)
            .where(Advisor.id == small_house.people["advisor"].advisor_id)
            .values(photo_sha256=sha256)
        )
    recalled(small_house, RecallBy.ASSET, sha256)
    assert not is_public(small_house, shared)
    assert is_public(small_house, shared, "advisor_b")
    with small_house.platform.sessions() as session:
        advisor = session.get_one(Advisor, small_house.people["advisor"].advisor_id)
        assert "photo" not in advisor.verified_fields


def test_what_ended_already_is_recalled_only_where_that_was_asked_for(
    small_house: House, clock: FixedClock
) -> None:
    expired, down = own(small_house), own(small_house, headline="下架")
    with small_house.by("operator") as uow:
        take_down(uow, down, note="旧了")
    clock.advance(timedelta(days=31))
    with small_house.by("operator") as uow:
        expire_due(uow)
    live = own(small_house, headline="新的")
    recalled(small_house, RecallBy.PRODUCT, "none")
    states = [small_house.piece(one).state for one in (expired, down, live)]
    assert states == [PieceState.EXPIRED, PieceState.TAKEN_DOWN, PieceState.RECALLED]
    recalled(small_house, RecallBy.PRODUCT, "none", also_ended=True)
    assert {small_house.piece(one).state for one in (expired, down)} == {PieceState.RECALLED}


def test_what_was_published_after_the_proposal_is_recalled_as_well(small_house: House) -> None:
    own(small_house)
    recall_id = proposed(small_house, RecallBy.PRODUCT, "none")
    later = own(small_house, headline="后来的")
    with small_house.by("reviewer") as uow:
        confirm_recall(uow, recall_id)
    assert not is_public(small_house, later)


def test_a_recalled_piece_is_published_by_nobody_again(small_house: House) -> None:
    piece_id = master(small_house)
    recalled(small_house, RecallBy.PIECE, piece_id)
    with pytest.raises(IllegalTransition), small_house.by("operator") as uow:
        publish_piece(uow, piece_id)


def test_a_recall_reaches_no_further_than_its_proposer(small_house: House) -> None:
    far = own(small_house, "advisor_b")
    near = own(small_house)
    shanghai = small_house.person("sh-reviewer", Role.REVIEWER, "/HQ/SH/")
    with small_house.by(shanghai) as uow:
        recall = propose_recall(uow, RecallTarget.of(RecallBy.PRODUCT, "none"), reason="本行停用")
    with small_house.by("reviewer") as uow:
        confirm_recall(uow, recall.id)
    assert not is_public(small_house, near)
    assert is_public(small_house, far, "advisor_b")
    hq = proposed(small_house, RecallBy.PRODUCT, "none")
    with pytest.raises((AccessDenied, Missing)), small_house.by(shanghai) as uow:
        confirm_recall(uow, hq)


def test_the_preview_counts_pieces_advisors_and_people(small_house: House, clock: FixedClock) -> None:
    shared = master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    for _ in range(3):
        keep_event(small_house, shared, "advisor", clock.now() - timedelta(minutes=1))
    with small_house.by("operator") as uow:
        _name, items = what_is_covered(uow, RecallTarget.of(RecallBy.PIECE, str(shared)))
        seen = extent_of(uow.session, items, before=clock.now())
    assert seen == Extent(pieces=1, live=1, editions=2, advisors=2, shared=1, people=3)


def test_everybody_who_had_it_is_asked_reminded_and_heard(small_house: House, clock: FixedClock) -> None:
    shared = master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    keep_event(small_house, shared, "advisor_b", clock.now() - timedelta(minutes=1))
    recall_id = recalled(small_house, RecallBy.PIECE, shared)
    keep_event(small_house, shared, "advisor_b", clock.now() + timedelta(minutes=1))
    with small_house.by("advisor") as uow:
        (waiting,) = recalls_to_acknowledge(uow.session, uow.actor.advisor_id)
        assert (waiting.reason, waiting.titles) == ("利率写错", ("便签",))
        acknowledge_recall(uow, recall_id)
        acknowledge_recall(uow, recall_id)  # a second tap changes nothing
    with small_house.by("advisor") as uow:
        assert recalls_to_acknowledge(uow.session, uow.actor.advisor_id) == []
    with small_house.by("operator") as uow:
        assert remind_holders(uow, recall_id) == 1
    with small_house.by("auditor") as uow:
        recall = access_recall(uow, recall_id, may=Permission.RECALL_VIEW)
        rows = holders(uow.session, recall, require(uow, Permission.RECALL_VIEW))
    assert [(row.name, row.people, row.since, row.reminders, row.standing.is_missing) for row in rows] == [
        ("欧阳𠮷", 1, 1, 1, True),
        ("李知遥", 0, 0, 0, False),
    ]


def test_an_advisor_who_never_had_it_is_not_asked(small_house: House) -> None:
    recall_id = recalled(small_house, RecallBy.PIECE, own(small_house))
    with pytest.raises(Missing), small_house.by("advisor_b") as uow:
        acknowledge_recall(uow, recall_id)


def test_a_branch_head_sees_a_recall_of_their_people_and_those_people_alone(small_house: House) -> None:
    shared = master(small_house)
    taken(small_house, shared)
    taken(small_house, shared, "advisor_b")
    recall_id = recalled(small_house, RecallBy.PIECE, shared)
    elsewhere = recalled(small_house, RecallBy.PIECE, own(small_house, "advisor_b"))
    with small_house.by("branch_head") as uow:
        recall = access_recall(uow, recall_id, may=Permission.RECALL_VIEW)
        assert [row.name for row in holders(uow.session, recall, require(uow, Permission.RECALL_VIEW))] == [
            "李知遥"
        ]
        with pytest.raises(Missing):
            access_recall(uow, elsewhere, may=Permission.RECALL_VIEW)


def test_every_act_is_on_record_and_the_chain_is_whole(small_house: House) -> None:
    pieces = [own(small_house), own(small_house, "advisor_b")]
    recall_id = recalled(small_house, RecallBy.TEMPLATE, "note@1")
    with small_house.platform.sessions() as session:
        tags = session.scalars(
            select(AuditEntry.tag).where(AuditEntry.tag.like("%recall%")).order_by(AuditEntry.seq)
        ).all()
        assert verify_audit(session, small_house.tenant_id)[1] is None
        steps = session.scalar(text("SELECT count(*) FROM piece_step WHERE action = 'recall'"))  # type: ignore[call-overload]
        assert still_live(session, recall_id) == 0
        assert session.get_one(Recall, recall_id).state is RecallState.CONFIRMED
        assert session.scalar(select(func.count(RecallHolder.id))) == 2
    assert sorted(tags) == ["publication:recalled"] * 2 + ["recall:confirm", "recall:propose"]
    assert steps == len(pieces)


def test_the_number_of_statements_does_not_grow_with_the_pieces(small_house: House, count_queries) -> None:
    def statements(pieces: int) -> int:
        for number in range(pieces):
            own(small_house, headline=f"第{number}件")
        recall_id = proposed(small_house, RecallBy.PRODUCT, "none")

        def confirmed() -> None:
            with small_house.by("reviewer") as uow:
                confirm_recall(uow, recall_id)

        return count_queries(confirmed)

    assert statements(2) == statements(6)
    with small_house.platform.sessions() as session:
        left = session.scalar(select(func.count(Piece.id)).where(Piece.state == PieceState.PUBLISHED))
    assert left == 0
