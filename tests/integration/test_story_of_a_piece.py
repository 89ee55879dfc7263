"""A piece from draft to public, through the services, on a real database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain.errors import (
    AlreadyDecided,
    CheckBlocked,
    Ended,
    GateClosed,
    IllegalTransition,
    InvalidInput,
    Missing,
    QualificationMissing,
    SelfApproval,
    StaleRevision,
)
from app.domain.organisation import Actor, Role
from app.domain.piece import PieceState
from app.domain.review import Outcome
from app.domain.tracking import EventKind, Hit, HitClass, LinkChannel
from app.models.advisor import Advisor
from app.models.piece import PieceRevision
from app.models.review import Decision
from app.models.tracking import Event
from app.services.edition import edition_links, edition_of
from app.services.piece import lock_piece, save_piece
from app.services.publication import publish_piece, take_down
from app.services.rendition import draw, kept_picture, revision_spec
from app.services.review import decide
from app.services.serving import require_public
from app.services.submission import submit_for_review, withdraw_piece
from app.services.template import clear_template
from app.services.tracking import Arrival, Caller, Landing, arrive, confirm_view, open_landing
from templates_lib.qr import decode_qr
from tests.factories import POSTER, House

PHONE = Hit("GET", "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50", "", signed_in=False)
FREE = {"headline": "时间会奖励\n耐心的人"}


def visitor(address: str = "203.0.113.7") -> Caller:
    return Caller(PHONE, address)


def test_an_untouched_piece_goes_to_a_person_while_its_template_is_not_cleared(house: House) -> None:
    piece_id = house.in_review()
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_an_untouched_piece_of_a_cleared_template_is_published_by_itself(house: House) -> None:
    with house.by("reviewer") as uow:
        clear_template(uow, POSTER, 1)
    piece_id = house.in_review()
    assert house.piece(piece_id).state is PieceState.PUBLISHED
    assert house.publication(piece_id).published_by is None


def test_the_date_on_a_daily_picture_is_nobodys_free_text(house: House) -> None:
    with house.by("reviewer") as uow:
        clear_template(uow, "daily-morning", 1)
    piece_id = house.in_review(slug="daily-morning")
    assert house.piece(piece_id).state is PieceState.PUBLISHED


def test_free_text_on_a_cleared_template_goes_to_a_person(house: House) -> None:
    with house.by("reviewer") as uow:
        clear_template(uow, POSTER, 1)
    piece_id = house.in_review(**FREE)
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_an_unverified_profile_field_sends_an_untouched_piece_to_a_person(house: House) -> None:
    house.people["new"] = house.advisor("赵新", "/HQ/SH/01/", verified_fields=["name"])
    with house.by("reviewer") as uow:
        clear_template(uow, POSTER, 1)
    assert house.piece(house.in_review("new")).state is PieceState.IN_REVIEW


def test_whoever_released_a_template_cannot_clear_it(house: House) -> None:
    both = house.person("both", Role.REVIEWER, "/HQ/")
    releaser = house.people["brand"]
    with (
        pytest.raises(SelfApproval),
        house.by(type(both)(both.tenant_id, "brand", releaser.user_id, grants=both.grants)) as uow,
    ):
        clear_template(uow, POSTER, 1)


def test_an_approved_piece_is_public_under_its_advisor_only(house: House) -> None:
    piece_id = house.published()
    publication = house.publication(piece_id)
    assert publication.audience_advisor_id == house.people["advisor"].advisor_id
    assert publication.content_hash == house.review_of(piece_id).revision.content_hash


def test_the_picture_that_was_shown_to_the_reviewer_is_the_one_that_is_public(house: House) -> None:
    piece_id = house.published()
    piece = house.piece(piece_id)
    with house.by("advisor") as uow:
        revision = uow.session.get_one(PieceRevision, piece.current_revision_id)
        version = lock_piece(uow, piece_id).template_version
        served = kept_picture(uow, revision_spec(uow, version, revision))
        drawn_again = draw(uow, revision_spec(uow, version, revision))
    assert served.sha256 == drawn_again.sha256
    with house.platform.sessions() as session:
        shown = session.scalars(select(Decision.shown_sha256)).one()
    assert served.sha256 == shown


def test_the_code_in_the_picture_leads_to_the_advisors_own_link(house: House) -> None:
    piece_id = house.published()
    with house.by("advisor") as uow:
        edition = edition_of(uow, piece_id, house.people["advisor"].advisor_id)
        links = edition_links(uow, edition.id)
        piece = lock_piece(uow, piece_id)
        picture = kept_picture(uow, revision_spec(uow, piece.template_version, piece.current_revision))
    assert decode_qr(picture.data) == (links[LinkChannel.QR],)
    assert len(set(links.values())) == len(LinkChannel)


def test_a_blocked_text_is_not_sent_for_review_and_says_what_to_write(house: House) -> None:
    piece_id = house.draft(headline="稳赚不赔\n安心之选")
    with pytest.raises(CheckBlocked) as refused, house.by("advisor") as uow:
        submit_for_review(uow, piece_id)
    assert house.piece(piece_id).state is PieceState.DRAFT
    [first, *_] = refused.value.data["report"].findings
    assert first.text == "稳赚不赔"
    assert first.suggestion


def test_saving_without_change_keeps_the_approval(house: House) -> None:
    piece_id = house.published(**FREE)
    with house.by("advisor") as uow:
        save_piece(uow, POSTER, FREE, piece_id=piece_id)
    assert house.piece(piece_id).state is PieceState.PUBLISHED


def test_a_published_piece_is_not_edited_in_place(house: House) -> None:
    piece_id = house.published(**FREE)
    with pytest.raises(IllegalTransition), house.by("advisor") as uow:
        save_piece(uow, POSTER, {"headline": "换一句"}, piece_id=piece_id)


def test_an_edit_after_approval_needs_a_new_approval(house: House) -> None:
    piece_id = house.in_review("operator", **FREE)
    house.decide(piece_id)
    assert house.piece(piece_id).state is PieceState.APPROVED
    with house.by("operator") as uow:
        save_piece(uow, POSTER, {"headline": "换一句"}, piece_id=piece_id)
    assert house.piece(piece_id).state is PieceState.DRAFT
    with pytest.raises((GateClosed, IllegalTransition)), house.by("operator") as uow:
        publish_piece(uow, piece_id)


def test_a_contributor_never_decides_on_their_own_work(house: House) -> None:
    made_by = house.people["advisor"]
    piece_id = house.in_review(**FREE)
    review = house.review_of(piece_id)
    reviewer_too = type(made_by)(
        made_by.tenant_id, made_by.name, made_by.user_id, grants=house.people["reviewer"].grants
    )
    with pytest.raises(SelfApproval), house.by(reviewer_too) as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash)
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_a_decision_on_other_content_than_the_current_is_refused(house: House) -> None:
    piece_id = house.in_review(**FREE)
    review = house.review_of(piece_id)
    with pytest.raises(StaleRevision), house.by("reviewer") as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash="0" * 64)


def test_a_round_is_decided_once(house: House) -> None:
    piece_id = house.in_review(**FREE)
    review = house.review_of(piece_id)
    house.decide(piece_id)
    with pytest.raises(AlreadyDecided), house.by("reviewer_b") as uow:
        decide(uow, review.id, Outcome.REJECT, content_hash=review.revision.content_hash, reason="晚了")


def test_a_refusal_needs_its_reason(house: House) -> None:
    piece_id = house.in_review(**FREE)
    with pytest.raises(InvalidInput):
        house.decide(piece_id, Outcome.REQUEST_CHANGES)


def test_after_changes_were_requested_the_same_piece_is_changed_and_sent_again(house: House) -> None:
    piece_id = house.in_review(**FREE)
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="标题换一种说法")
    with house.by("advisor") as uow:
        save_piece(uow, POSTER, {"headline": "慢一点\n也很好"}, piece_id=piece_id)
    house.submit("advisor", piece_id)
    house.decide(piece_id)
    assert house.piece(piece_id).state is PieceState.PUBLISHED


def test_a_withdrawn_piece_cannot_be_approved(house: House) -> None:
    piece_id = house.in_review(**FREE)
    review = house.review_of(piece_id)
    with house.by("advisor") as uow:
        withdraw_piece(uow, piece_id)
    with pytest.raises(AlreadyDecided), house.by("reviewer") as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash)


def test_an_advisor_without_the_licence_cannot_make_a_fund_piece(house: House) -> None:
    house.people["unlicensed"] = house.advisor("周行", "/HQ/SH/01/", licences=[])
    catalog = house.platform.surroundings.shelf.catalog
    fund = next((one for one in catalog.versions() if one.product_type == "fund"), None)
    assert fund is not None, "the library has a fund design"
    with pytest.raises(QualificationMissing), house.by("unlicensed") as uow:
        save_piece(uow, fund.slug, {})


def test_a_slot_of_head_office_is_closed_to_an_advisor(house: House) -> None:
    with pytest.raises(InvalidInput) as refused, house.by("advisor") as uow:
        save_piece(uow, POSTER, {"institution": "另一家银行"})
    assert [fault.code for fault in refused.value.faults] == ["locked"]


def test_a_foreign_piece_answers_as_a_missing_one(house: House) -> None:
    piece_id = house.draft()
    with pytest.raises(Missing), house.by("advisor_b") as uow:
        submit_for_review(uow, piece_id)


def test_another_tenants_piece_answers_as_a_missing_one(house: House) -> None:
    other = House.build(house.platform, slug="other", templates=False)
    piece_id = house.in_review()
    review = house.review_of(piece_id)
    with pytest.raises(Missing), other.by("reviewer") as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash)


def test_a_master_piece_waits_for_its_audience_after_approval(house: House) -> None:
    piece_id = house.in_review("operator", **FREE)
    house.decide(piece_id)
    assert house.piece(piece_id).state is PieceState.APPROVED
    with house.by("operator") as uow:
        publish_piece(uow, piece_id, path="/HQ/SH/", tags=("理财经理",))
    assert house.publication(piece_id).audience_path == "/HQ/SH/"


def test_a_scan_a_view_and_a_forward_are_told_apart_and_counted_once(house: House) -> None:
    piece_id = house.published()
    with house.by("advisor") as uow:
        edition = edition_of(uow, piece_id, house.people["advisor"].advisor_id)
        code = edition_links(uow, edition.id)[LinkChannel.QR].rsplit("/", 1)[-1]
    with house.platform.unit_of_work(Actor.system("public")) as uow:
        visit = arrive(uow, code, visitor())
    with house.platform.unit_of_work(Actor.system("public")) as uow:
        assert isinstance(open_landing(uow, visit.token, visitor()), Landing)
        confirm_view(uow, visit.token, visitor())
    with house.platform.unit_of_work(Actor.system("public")) as uow:
        confirm_view(uow, visit.token, visitor())
        assert isinstance(open_landing(uow, visit.token, visitor("198.51.100.9")), Arrival)
    with house.platform.sessions() as session:
        counts = dict(
            session.execute(
                select(Event.kind, func.count()).where(Event.hit_class == HitClass.HUMAN).group_by(Event.kind)
            ).all()
        )
    assert counts == {EventKind.SCAN: 1, EventKind.VIEW: 1, EventKind.FORWARD: 1}


def test_a_taken_down_piece_is_dark_at_once(house: House) -> None:
    piece_id = house.published()
    with house.by("operator") as uow:
        take_down(uow, piece_id, note="产品停售")
    with pytest.raises(Ended) as dark, house.by("advisor") as uow:
        advisor = uow.session.get_one(Advisor, house.people["advisor"].advisor_id)
        require_public(uow, piece_id, advisor)
    assert dark.value.data["standing"] == "taken_down"


def test_an_expired_piece_is_dark_by_the_clock_before_any_job_runs(house: House) -> None:
    piece_id = house.published()
    house.platform.clock.advance(timedelta(days=31))
    with pytest.raises(Ended) as dark, house.by("advisor") as uow:
        advisor = uow.session.get_one(Advisor, house.people["advisor"].advisor_id)
        require_public(uow, piece_id, advisor)
    assert dark.value.data["standing"] == "expired"
