"""Look afterwards at what was drawn from all that passed by itself."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.errors import AlreadyDecided, InvalidInput, Missing
from app.domain.inspection import InspectionOutcome
from app.domain.organisation import Permission
from app.domain.piece import PieceState
from app.domain.text import LONGEST_REMARK, clean_text
from app.models.edition import Edition
from app.models.inspection import AutoPass, Inspection
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.queries.scope import within
from app.services.access import require
from app.services.independence import require_another_person
from app.services.piece import lock_piece
from app.services.publication import take_down
from app.services.template import withdraw_clearance
from app.services.unit_of_work import UnitOfWork


def access_inspection(
    uow: UnitOfWork, inspection_id: UUID, *, may: Permission, for_update: bool = False
) -> Inspection:
    """A drawn item within the actor's reach; raises Missing, AccessDenied."""
    scope = require(uow, may)
    statement = (
        select(Inspection)
        .join(Inspection.auto_pass)
        .join(AutoPass.piece)
        .join(Piece.org_unit)
        .where(Inspection.id == inspection_id, within(scope, OrgUnit.path))
        .options(joinedload(Inspection.auto_pass))
    )
    if for_update:
        statement = statement.with_for_update(of=Inspection).execution_options(populate_existing=True)
    found = uow.session.scalar(statement)
    if found is None:
        raise Missing(noun="inspection")
    return found


def conclude_inspection(
    uow: UnitOfWork,
    inspection_id: UUID,
    outcome: InspectionOutcome,
    *,
    note: str = "",
    stop_design: bool = False,
) -> Inspection:
    """Say what was found. A finding makes it dark at once, and may end its design's free pass.

    Raises SelfApproval for whoever made it, AlreadyDecided, InvalidInput (a finding needs its words).
    """
    note = clean_text("note", note, longest=LONGEST_REMARK, lines=True)
    piece_id = access_inspection(uow, inspection_id, may=Permission.INSPECT).auto_pass.piece_id
    piece = lock_piece(uow, piece_id)
    inspection = access_inspection(uow, inspection_id, may=Permission.INSPECT, for_update=True)
    if inspection.outcome is not None:
        raise AlreadyDecided(state=inspection.outcome.value)
    makers = set(piece.current_revision.contributors) if piece.current_revision else set()
    require_another_person(
        uow,
        "inspection:refuse",
        inspection.id,
        {*makers, piece.advisor.user_id if piece.advisor else None},
    )
    if outcome is InspectionOutcome.FINDING and not note:
        raise InvalidInput.of("note", "required", "请写明问题，制作人和使用者会看到。")
    inspection.outcome = outcome
    inspection.note = note
    inspection.inspected_by = uow.actor.user_id
    inspection.inspected_at = uow.clock.now()
    uow.session.flush()
    uow.audit.record("inspection:conclude", inspection.id, piece=str(piece_id), outcome=outcome.value)
    if outcome is InspectionOutcome.FINDING:
        _draw_the_consequence(uow, piece, inspection.auto_pass, note)
        if stop_design:
            withdraw_clearance(uow, piece.template_version)
    return inspection


def _draw_the_consequence(uow: UnitOfWork, piece: Piece, passed: AutoPass, note: str) -> None:
    """What was found at fault is dark at once: a piece for all, an edition for its advisor alone."""
    if passed.edition_id is None:
        if piece.state is PieceState.PUBLISHED:
            take_down(uow, piece.id, note=note)
        return
    edition = uow.session.get_one(Edition, passed.edition_id, with_for_update=True)
    if edition.ended_at is None:
        edition.ended_at = uow.clock.now()
        uow.audit.record("edition:end", edition.id, piece=str(piece.id))
