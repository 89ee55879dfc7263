"""A correction takes the place of what it corrects: at the same links, with its note, both on record."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain.errors import IllegalTransition
from app.domain.piece import PieceState
from app.domain.publication import CorrectionKind, EndReason
from app.domain.recall import RecallBy, RecallTarget
from app.domain.review import Outcome, ReviewState
from app.models.advisor import Advisor
from app.models.piece import PieceRevision
from app.models.publication import Publication
from app.models.review import Review
from app.services.correction import correction_note, drop_correction, start_correction
from app.services.piece import save_piece
from app.services.publication import expire_due, publish_piece, take_down, verify_publication
from app.services.recall import confirm_recall, propose_recall
from app.services.serving import open_edition, require_public
from tests.factories import House
from tests.fakes import FixedClock

NOTE = "note"


def correcting(house: House, piece_id: UUID, who: str = "advisor", headline: str | None = "更正后") -> None:
    with house.by(who) as uow:
        start_correction(uow, piece_id, CorrectionKind.FIGURES)
    if headline is not None:
        with house.by(who) as uow:
            save_piece(uow, NOTE, {"headline": headline}, piece_id=piece_id)


def shown(house: House, piece_id: UUID, who: str = "advisor") -> str:
    """The headline that a visitor of this advisor's link is shown now."""
    with house.by("operator") as uow:
        advisor = uow.session.get_one(Advisor, house.people[who].advisor_id)
        return str(require_public(uow, piece_id, advisor).revision.values["headline"])


def publications(house: House, piece_id: UUID) -> list[Publication]:
    with house.platform.sessions() as session:
        found = session.scalars(select(Publication).where(Publication.piece_id == piece_id)).all()
    return sorted(found, key=lambda one: (one.ended_at is None, one.corrects_id is not None))


def test_the_old_version_is_public_until_the_new_one_is_approved(small_house: House) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="写错了")
    correcting(small_house, piece_id)
    small_house.submit("advisor", piece_id)
    assert shown(small_house, piece_id) == "写错了"
    small_house.decide(piece_id)
    assert shown(small_house, piece_id) == "更正后"
    assert small_house.piece(piece_id).state is PieceState.PUBLISHED


def test_both_versions_stay_on_record_and_know_of_each_other(small_house: House, clock: FixedClock) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="写错了")
    clock.advance(timedelta(days=2))
    correcting(small_house, piece_id)
    small_house.submit("advisor", piece_id)
    small_house.decide(piece_id)
    old, new = publications(small_house, piece_id)
    assert (old.end_reason, old.corrects_id) == (EndReason.REPLACED, None)
    assert (new.corrects_id, new.correction) == (old.id, CorrectionKind.FIGURES)
    assert new.valid_until == old.valid_until  # nobody approved a longer time
    with small_house.by("operator") as uow:
        found = verify_publication(uow, old.approval_no)
        assert (found.standing, found.replaced_by) == ("replaced", new.approval_no)
        note = correction_note(uow, verify_publication(uow, new.approval_no).publication)
    assert note is not None
    assert (note.labels, note.former_no) == (("一句话",), old.approval_no)


def test_a_correction_for_everybody_needs_no_second_publishing(small_house: House) -> None:
    piece_id = small_house.in_review("operator", NOTE, headline="写错了")
    small_house.decide(piece_id)
    with small_house.by("operator") as uow:
        publish_piece(uow, piece_id, path="/HQ/SH/", why="今天发")
    with small_house.by("advisor") as uow:
        edition_id = open_edition(uow, piece_id).id
    correcting(small_house, piece_id, "operator")
    small_house.submit("operator", piece_id)
    small_house.decide(piece_id)
    _old, new = publications(small_house, piece_id)
    assert (new.audience_path, new.why) == ("/HQ/SH/", "今天发")
    with small_house.by("advisor") as uow:
        assert open_edition(uow, piece_id).id == edition_id
    assert shown(small_house, piece_id) == "更正后"


def test_a_refused_correction_leaves_the_old_version_public(small_house: House) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="照旧")
    correcting(small_house, piece_id)
    small_house.submit("advisor", piece_id)
    small_house.decide(piece_id, Outcome.REJECT, reason="不必改")
    assert shown(small_house, piece_id) == "照旧"
    with small_house.by("advisor") as uow:
        drop_correction(uow, piece_id)
    assert small_house.piece(piece_id).state is PieceState.PUBLISHED


def test_a_correction_given_up_can_be_begun_again(small_house: House) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="照旧")
    correcting(small_house, piece_id)
    small_house.submit("advisor", piece_id)
    with small_house.by("advisor") as uow:
        drop_correction(uow, piece_id)
    with small_house.platform.sessions() as session:
        rounds = session.scalars(select(Review.state).where(Review.piece_id == piece_id)).all()
        assert ReviewState.OPEN not in rounds
    correcting(small_house, piece_id, headline="第二次")
    small_house.submit("advisor", piece_id)
    small_house.decide(piece_id)
    assert shown(small_house, piece_id) == "第二次"
    with small_house.platform.sessions() as session:
        numbers = session.scalars(
            select(PieceRevision.number)
            .where(PieceRevision.piece_id == piece_id)
            .order_by(PieceRevision.number)
        ).all()
    assert numbers == [1, 2, 3]


@pytest.mark.parametrize("end", ["take down", "recall", "expire"])
def test_what_ends_while_it_is_corrected_ends_with_its_correction(
    small_house: House, clock: FixedClock, end: str
) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="写错了")
    correcting(small_house, piece_id)
    small_house.submit("advisor", piece_id)
    match end:
        case "take down":
            with small_house.by("reviewer") as uow:
                take_down(uow, piece_id, note="先停")
        case "recall":
            with small_house.by("operator") as uow:
                recall = propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(piece_id)), reason="先停")
            with small_house.by("reviewer") as uow:
                confirm_recall(uow, recall.id)
        case "expire":
            clock.advance(timedelta(days=31))
            with small_house.by("operator") as uow:
                expire_due(uow)
    piece = small_house.piece(piece_id)
    states = {
        "take down": PieceState.TAKEN_DOWN,
        "recall": PieceState.RECALLED,
        "expire": PieceState.EXPIRED,
    }
    assert piece.state is states[end]
    assert piece.correcting is None
    with small_house.platform.sessions() as session:
        assert ReviewState.OPEN not in session.scalars(select(Review.state)).all()


def test_what_is_not_public_is_not_corrected(small_house: House, clock: FixedClock) -> None:
    draft = small_house.draft("advisor", NOTE)
    with pytest.raises(IllegalTransition), small_house.by("advisor") as uow:
        start_correction(uow, draft, CorrectionKind.WORDING)
    piece_id = small_house.published("advisor", NOTE)
    clock.advance(timedelta(days=31))
    with pytest.raises(IllegalTransition), small_house.by("advisor") as uow:
        start_correction(uow, piece_id, CorrectionKind.WORDING)


def test_a_correction_is_corrected_again_at_the_same_link(small_house: House) -> None:
    piece_id = small_house.published("advisor", NOTE, headline="一")
    for words in ("二", "三"):
        correcting(small_house, piece_id, headline=words)
        small_house.submit("advisor", piece_id)
        small_house.decide(piece_id)
        assert shown(small_house, piece_id) == words
