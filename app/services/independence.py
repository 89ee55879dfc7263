"""Four eyes: who had a hand in a work, by person, whatever account or token they come with."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import SelfApproval
from app.models.asset import ASSET_PREFIX, Asset
from app.models.check import CheckRun
from app.models.piece import PieceRevision
from app.models.review import Decision, Review
from app.models.template import TemplateVersion
from app.models.user import User
from app.services.unit_of_work import UnitOfWork


class Hand(StrEnum):
    """In what way somebody had a hand in what is decided."""

    MADE = "made"  # created or changed it
    UPLOADED = "uploaded"  # a picture in it
    SUBMITTED = "submitted"
    RELEASED = "released"  # the design it is made from
    VOTED = "voted"  # decided in an earlier step of the same round


class OneVote(SelfApproval):
    """Somebody who already voted in a round tried to vote in another of its steps."""

    code = "one_vote"
    reason = "四眼原则：同一个人不能在一轮审核中作两次决定。"


def person_of(uow: UnitOfWork, user_id: UUID) -> UUID:
    """The person behind an account."""
    return uow.session.scalars(select(User.person_id).where(User.id == user_id)).one()


def persons_of(uow: UnitOfWork, user_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The persons behind accounts, by account; an unknown account is left out."""
    if not user_ids:
        return {}
    found = uow.session.execute(select(User.id, User.person_id).where(User.id.in_(user_ids)))
    return dict(iter(found))


def hands_in(uow: UnitOfWork, review: Review) -> Mapping[UUID, Hand]:
    """The accounts that had a hand in what a round is about, and which hand."""
    revision = review.revision
    hands: dict[UUID, Hand] = {}
    version = uow.session.get_one(TemplateVersion, revision.template_version_id)
    if version.published_by is not None:
        hands[version.published_by] = Hand.RELEASED
    for uploader in _uploaders(uow, revision):
        hands[uploader] = Hand.UPLOADED
    submitter = uow.session.scalar(select(CheckRun.submitted_by).where(CheckRun.id == review.check_run_id))
    if submitter is not None:
        hands[submitter] = Hand.SUBMITTED
    hands.update(dict.fromkeys(revision.contributors, Hand.MADE))
    return hands


def votes_in(uow: UnitOfWork, review: Review) -> Mapping[UUID, UUID | None]:
    """Who has voted in a round so far, by account, and in which step."""
    votes = uow.session.execute(
        select(Decision.decided_by, Decision.step_id).where(
            Decision.review_id == review.id, Decision.decided_by.is_not(None)
        )
    )
    return {user_id: step_id for user_id, step_id in votes if user_id is not None}


def has_hand_in(uow: UnitOfWork, review: Review, user_id: UUID | None) -> bool:
    """Whether this person had a hand in the work: they look at it, and others decide."""
    return user_id is not None and _hand_of(uow, user_id, hands_in(uow, review)) is not None


def require_independence(uow: UnitOfWork, review: Review, user_id: UUID) -> None:
    """Raise SelfApproval, and keep the attempt on record, for whoever had a hand in the work (I2)."""
    hand = _hand_of(uow, user_id, hands_in(uow, review))
    if hand is not None:
        uow.audit.record_refusal("review:refuse", review.id, hand=hand.value, piece=str(review.piece_id))
        raise SelfApproval(hand=hand.value)


def require_one_vote(uow: UnitOfWork, review: Review, user_id: UUID, votes: Collection[UUID]) -> None:
    """Raise OneVote, and keep the attempt on record, for whoever voted in this round before."""
    if _hand_of(uow, user_id, dict.fromkeys(votes, Hand.VOTED)) is not None:
        uow.audit.record_refusal(
            "review:refuse", review.id, hand=Hand.VOTED.value, piece=str(review.piece_id)
        )
        raise OneVote(hand=Hand.VOTED.value)


def require_another_person(
    uow: UnitOfWork, tag: str, subject_id: UUID | str, authors: Collection[UUID | None]
) -> None:
    """For whatever else needs a second pair of eyes: templates, rules, recalls.

    Raises SelfApproval, and keeps the attempt on record, where the actor is one of the authors.
    """
    user_id = uow.actor.user_id
    if user_id is None:
        return
    named = {author: Hand.MADE for author in authors if author is not None}
    if _hand_of(uow, user_id, named) is not None:
        uow.audit.record_refusal(tag, subject_id, hand=Hand.MADE.value)
        raise SelfApproval(hand=Hand.MADE.value)


def _hand_of(uow: UnitOfWork, user_id: UUID, hands: Mapping[UUID, Hand]) -> Hand | None:
    """The hand a person had, through whichever of their accounts."""
    if not hands:
        return None
    persons = persons_of(uow, {user_id, *hands})
    me = persons.get(user_id)
    return next((hand for one, hand in hands.items() if persons.get(one) == me), None)


def _uploaders(uow: UnitOfWork, revision: PieceRevision) -> set[UUID]:
    hashes = [
        text.removeprefix(ASSET_PREFIX)
        for text in map(str, revision.values.values())
        if text.startswith(ASSET_PREFIX)
    ]
    if not hashes:
        return set()
    found = uow.session.scalars(select(Asset.uploaded_by).where(Asset.sha256.in_(hashes)))
    return {one for one in found if one is not None}
