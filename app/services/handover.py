"""Somebody leaves or moves: their work stops or goes along, their visitors and leads go on to a colleague."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select, update

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission, Role
from app.domain.piece import PieceAction, PieceState
from app.domain.review import ReviewState
from app.models.advisor import Advisor
from app.models.piece import Piece
from app.models.review import Review
from app.models.tracking import Lead
from app.models.user import Membership
from app.services.access import access_advisor, access_org_unit
from app.services.correction import end_correction
from app.services.piece import acting_name, lock_piece
from app.services.rounds import end_round
from app.services.sign_in import end_all_sign_ins
from app.services.unit_of_work import UnitOfWork


def leave(uow: UnitOfWork, advisor_id: UUID, *, successor_no: str = "") -> Advisor:
    """Note that somebody left, and who carries on for them; without anybody, the branch does.

    They are signed out, nothing public carries their name from this commit on, what they had in
    review is taken back, their leads go on. Said again, it names another successor. Raises
    InvalidInput for a successor who is not on duty here, Missing, AccessDenied.
    """
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    successor = _successor(uow, advisor, successor_no)
    if advisor.is_active:
        advisor.is_active = False
        if advisor.user_id is not None:
            end_all_sign_ins(uow, advisor.user_id)
        uow.audit.record("advisor:leave", advisor.id)
        stop_work(uow, [advisor.id])
    name_successor(uow, advisor, successor)
    return advisor


def come_back(uow: UnitOfWork, advisor_id: UUID) -> Advisor:
    """Note that somebody is on duty again; what was handed over stays with whom it was handed to."""
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    if not advisor.is_active:
        advisor.is_active, advisor.successor_id = True, None
        uow.audit.record("advisor:return", advisor.id)
    return advisor


def name_successor(uow: UnitOfWork, advisor: Advisor, successor: Advisor | None) -> None:
    """Let a colleague carry on: scans of a leaver's codes and their leads are theirs from now on."""
    if successor is None or advisor.successor_id == successor.id:
        return
    advisor.successor_id = successor.id
    hand_over_leads(uow, advisor.id, successor.id)
    uow.audit.record("advisor:hand_over", advisor.id, successor=str(successor.id))


def hand_over_leads(uow: UnitOfWork, advisor_id: UUID, successor_id: UUID) -> None:
    """Everything that is with the leaver now, their own and what was once handed to them."""
    uow.session.execute(
        update(Lead)
        .where(
            (Lead.advisor_id == advisor_id) & Lead.handed_to_id.is_(None) | (Lead.handed_to_id == advisor_id)
        )
        .values(handed_to_id=successor_id)
        .execution_options(synchronize_session=False)
    )


def stop_work(uow: UnitOfWork, advisor_ids: Collection[UUID]) -> None:
    """Take back what people who left had on its way: nobody would answer for its approval."""
    under_way = uow.session.scalars(
        select(Piece.id)
        .where(
            Piece.advisor_id.in_(advisor_ids),
            Piece.state.in_((PieceState.CHECKING, PieceState.IN_REVIEW)) | Piece.correcting.is_not(None),
        )
        .order_by(Piece.id)
    ).all()
    for piece_id in under_way:
        piece = lock_piece(uow, piece_id)
        if piece.correcting is not None:
            end_correction(uow, piece)
            continue
        piece.apply(PieceAction.WITHDRAW, actor=acting_name(uow), at=uow.clock.now())
        for review in uow.session.scalars(
            select(Review).where(Review.piece_id == piece.id, Review.state == ReviewState.OPEN)
        ):
            end_round(uow, review, ReviewState.CLOSED)
        uow.audit.record("piece:withdraw", piece.id, left=str(piece.advisor_id))


def transfer(uow: UnitOfWork, advisor_id: UUID, unit_id: UUID) -> Advisor:
    """Move somebody to another unit: their role and their pieces go along, what happened stays where it was.

    Raises Missing, AccessDenied.
    """
    advisor = access_advisor(uow, advisor_id, may=Permission.ORGANISATION_MANAGE)
    unit = access_org_unit(uow, unit_id, may=Permission.ORGANISATION_MANAGE)
    if advisor.org_unit_id == unit.id:
        return advisor
    former = advisor.org_unit
    advisor.org_unit = unit
    if advisor.user_id is not None:
        uow.session.execute(
            update(Membership)
            .where(Membership.user_id == advisor.user_id, Membership.role == Role.ADVISOR)
            .values(org_unit_id=unit.id)
            .execution_options(synchronize_session=False)
        )
    uow.session.execute(
        update(Piece)
        .where(Piece.advisor_id == advisor.id)
        .values(org_unit_id=unit.id)
        .execution_options(synchronize_session=False)
    )
    uow.audit.record("advisor:transfer", advisor.id, before=former.code, after=unit.code)
    return advisor


def _successor(uow: UnitOfWork, advisor: Advisor, staff_no: str) -> Advisor | None:
    if not staff_no.strip():
        return None
    found = uow.session.scalar(select(Advisor).where(Advisor.staff_no == staff_no.strip(), Advisor.is_active))
    if found is None or found.id == advisor.id:
        raise InvalidInput.of("successor", "not_on_duty", "接任人须是在岗的另一位客户经理，请核对工号。")
    return found
