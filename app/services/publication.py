"""The one gate, and the ways something stops being public."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.archive import ItemKind
from app.domain.distribution import AudienceRule
from app.domain.errors import GateClosed, IllegalTransition, InvalidInput, Missing
from app.domain.organisation import Permission
from app.domain.piece import PieceAction, revision_hash
from app.domain.publication import (
    EndReason,
    Standing,
    Validity,
    new_approval_no,
    normal_approval_no,
    validity,
)
from app.domain.review import DecisionFacts, Outcome, seal_holds
from app.domain.text import LONGEST_REMARK, clean_tags, clean_text, unprintable
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Decision
from app.models.template import TemplateVersion
from app.services.access import access_piece, access_publication, require
from app.services.archive import note_shown
from app.services.correction import CorrectionNote, correction_note, end_correction, live_publication
from app.services.piece import lock_piece
from app.services.qualification import require_licence
from app.services.routing import content_of
from app.services.unit_of_work import UnitOfWork


def publish(
    uow: UnitOfWork,
    piece: Piece,
    *,
    audience: AudienceRule,
    only_advisor: Advisor | None,
    period: Validity,
    why: str = "",
) -> Publication:
    """The gate: make the piece's current revision public. Nothing else ever writes a publication.

    The caller has locked the piece. Raises GateClosed unless an approving decision, sealed by this
    platform, covers exactly the content that is now stored. The database checks it once more.
    """
    revision = piece.current_revision
    if revision is None:
        raise GateClosed(detail="没有内容")
    decision = uow.session.scalar(
        select(Decision).where(
            Decision.revision_id == revision.id, Decision.outcome == Outcome.APPROVE, Decision.is_final
        )
    )
    if decision is None:
        raise GateClosed(detail="当前内容尚未审核通过")
    if not decision_is_genuine(uow, decision):
        raise GateClosed(detail="审核记录的印信不符")
    version = piece.template_version
    found = revision_hash(content_of(version, revision.values, revision.disclosure))
    if not (found == revision.content_hash == decision.content_hash):
        raise GateClosed(detail="内容与审核通过时不一致")
    if only_advisor is not None:
        require_licence(uow, only_advisor, piece.product_type)
    now = uow.clock.now()
    corrected = live_publication(uow, piece.id)
    if corrected is not None:
        # the links are the piece's own: from this moment they lead to the new version
        _end(uow, corrected, EndReason.REPLACED, "")
        uow.session.flush()
    publication = Publication(
        tenant_id=uow.tenant_id,
        piece=piece,
        revision=revision,
        content_hash=revision.content_hash,
        decision_id=decision.id,
        approval_no=new_approval_no(now),
        audience_path=audience.path,
        audience_tags=list(audience.tags),
        audience_advisor_id=only_advisor.id if only_advisor else None,
        why=why,
        valid_from=period.valid_from,
        valid_until=period.valid_until,
        published_by=uow.actor.user_id,
        published_at=now,
        corrects_id=corrected.id if corrected is not None else None,
        correction=piece.correcting,
    )
    piece.correcting = None
    uow.session.add(publication)
    piece.apply(PieceAction.PUBLISH, actor=str(uow.actor.user_id or uow.actor.name), at=now)
    uow.session.flush()
    note_shown(
        uow,
        publication,
        ItemKind.PUBLICATION,
        advisor_id=only_advisor.id if only_advisor else None,
        values=revision.values,
    )
    uow.audit.record(
        "publication:publish",
        publication.id,
        piece=str(piece.id),
        content=revision.content_hash,
        decision=str(decision.id),
        approval_no=publication.approval_no,
    )
    return publication


def publish_approved(uow: UnitOfWork, piece: Piece) -> Publication | None:
    """Publish what an approval publishes by itself; None where a piece waits for its audience.

    An advisor's own piece goes out to them, and a correction takes the place of what it corrects.
    """
    corrected = live_publication(uow, piece.id)
    now = uow.clock.now()
    if corrected is not None and corrected.valid_until > now:
        return publish(
            uow,
            piece,
            audience=AudienceRule(corrected.audience_path, tuple(corrected.audience_tags)),
            only_advisor=piece.advisor,
            # nobody approved a longer time than the first version was given
            period=Validity(max(now, corrected.valid_from), corrected.valid_until),
            why=corrected.why,
        )
    if piece.advisor is None:
        return None
    return publish(
        uow,
        piece,
        audience=AudienceRule(piece.org_unit.path),
        only_advisor=piece.advisor,
        period=validity(valid_from=None, valid_until=None, at=now),
    )


def publish_piece(
    uow: UnitOfWork,
    piece_id: UUID,
    *,
    path: str | None = None,
    tags: tuple[str, ...] = (),
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    why: str = "",
) -> Publication:
    """Hand an approved piece to an audience: a subtree of the organisation and tags.

    Raises GateClosed, IllegalTransition, InvalidInput, AccessDenied.
    """
    scope = require(uow, Permission.PUBLISH)
    why = clean_text("why", why, longest=LONGEST_REMARK, lines=True)
    tags = clean_tags("tags", tags)
    piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PUBLISH).id)
    chosen = path or piece.org_unit.path
    if (
        unprintable(chosen)
        or not scope.covers(chosen)
        or not uow.session.scalar(select(OrgUnit.id).where(OrgUnit.path == chosen))
    ):
        raise InvalidInput.of("path", "unknown_unit", "受众机构不存在，或不在您的范围内。")
    period = validity(valid_from=valid_from, valid_until=valid_until, at=uow.clock.now())
    return publish(
        uow,
        piece,
        audience=AudienceRule(chosen, tags),
        only_advisor=None,
        period=period,
        why=why,
    )


def take_down(uow: UnitOfWork, piece_id: UUID, *, note: str) -> Publication:
    """End a publication now, by decision of a person who says why."""
    note = clean_text("note", note, longest=LONGEST_REMARK, lines=True)
    if not note:
        raise InvalidInput.of("note", "required", "请写明下架原因，使用者会看到。")
    piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.TAKE_DOWN).id)
    publication = live_publication(uow, piece.id)
    end_correction(uow, piece)
    piece.apply(
        PieceAction.TAKE_DOWN,
        actor=str(uow.actor.user_id or uow.actor.name),
        at=uow.clock.now(),
        note=note,
    )
    if publication is None:
        raise Missing(noun="publication")
    _end(uow, publication, EndReason.TAKEN_DOWN, note)
    return publication


def expire_due(uow: UnitOfWork) -> int:
    """Close the books on publications whose time is over, and say how many there were.

    Links went dark by the clock already.
    """
    closed = 0
    due = uow.session.scalars(
        select(Publication)
        .where(Publication.ended_at.is_(None), Publication.valid_until <= uow.clock.now())
        .order_by(Publication.piece_id)
    ).all()
    for publication in due:
        piece = lock_piece(uow, publication.piece_id)
        uow.session.refresh(publication, with_for_update=True)
        if publication.ended_at is not None:
            continue
        end_correction(uow, piece)
        piece.apply(PieceAction.EXPIRE, actor=uow.actor.name, at=uow.clock.now())
        _end(uow, publication, EndReason.EXPIRED, "")
        closed += 1
    return closed


def _end(uow: UnitOfWork, publication: Publication, reason: EndReason, note: str) -> None:
    publication.ended_at = uow.clock.now()
    publication.ended_by = uow.actor.user_id
    publication.end_reason = reason
    publication.end_note = note
    uow.audit.record(f"publication:{reason.value}", publication.id, piece=str(publication.piece_id))


def decision_is_genuine(uow: UnitOfWork, decision: Decision) -> bool:
    """Whether this platform made the decision: a row written by other hands has no valid seal."""
    facts = DecisionFacts(
        decision_id=decision.id,
        revision_id=decision.revision_id,
        content_hash=decision.content_hash,
        outcome=decision.outcome,
        decided_by=decision.decided_by,
        decided_at=decision.decided_at,
        step_id=decision.step_id,
        is_final=decision.is_final,
    )
    return any(seal_holds(facts, key, decision.seal) for key in uow.around.seal_keys)


# a correction and what it corrects may bear the same instant: the one that has not ended is it
LATEST_FIRST: Final = (Publication.published_at.desc(), Publication.ended_at.desc().nulls_first())


WITH_CONTENT: Final = (
    joinedload(Publication.piece).joinedload(Piece.template_version).joinedload(TemplateVersion.template),
    joinedload(Publication.revision),
)


def latest_publication(uow: UnitOfWork, piece_id: UUID) -> Publication | None:
    return uow.session.scalars(
        select(Publication)
        .where(Publication.piece_id == piece_id)
        .order_by(*LATEST_FIRST)
        .options(*WITH_CONTENT)
        .limit(1)
    ).first()


def standing_of(uow: UnitOfWork, publication: Publication) -> Standing:
    return Validity(publication.valid_from, publication.valid_until).standing(
        ended=publication.end_reason, at=uow.clock.now()
    )


def publication_is_genuine(uow: UnitOfWork, publication: Publication) -> bool:
    """Whether a sealed approval covers exactly the content that this publication names."""
    return is_approved_by(uow, uow.session.get(Decision, publication.decision_id), publication)


def is_approved_by(uow: UnitOfWork, decision: Decision | None, publication: Publication) -> bool:
    """Whether this decision is a genuine final approval of exactly what the publication names."""
    return (
        decision is not None
        and decision.outcome is Outcome.APPROVE
        and decision.is_final
        and decision.revision_id == publication.revision_id
        and decision.content_hash == publication.content_hash == publication.revision.content_hash
        and decision_is_genuine(uow, decision)
    )


@dataclass(frozen=True, slots=True)
class Verification:
    """What anybody may learn who reads an approval number off a picture."""

    publication: Publication
    standing: Standing
    advisor: Advisor | None  # None: made by head office for its advisors
    note: CorrectionNote | None = None  # where it corrects an earlier one
    replaced_by: str | None = None  # the number of the version that corrected it


def verify_publication(uow: UnitOfWork, approval_no: str) -> Verification:
    """Look an approval number up, as somebody copied it; raises Missing unless it is genuine."""
    wanted = normal_approval_no(approval_no)
    publication = wanted and uow.session.scalar(
        select(Publication)
        .where(Publication.approval_no == wanted)
        .options(
            joinedload(Publication.piece).options(
                joinedload(Piece.advisor).joinedload(Advisor.org_unit),
                joinedload(Piece.template_version).joinedload(TemplateVersion.template),
            ),
            joinedload(Publication.revision),
        )
    )
    if not publication or not publication_is_genuine(uow, publication):
        raise Missing(noun="publication")
    return Verification(
        publication,
        standing_of(uow, publication),
        publication.piece.advisor,
        correction_note(uow, publication),
        uow.session.scalar(select(Publication.approval_no).where(Publication.corrects_id == publication.id)),
    )


def set_successor(uow: UnitOfWork, piece_id: UUID, successor_id: UUID | None) -> Piece:
    """Name the piece that a visitor is shown instead once this one has ended; None names none.

    Raises InvalidInput for a piece that is not for everybody, or is this one; Missing, AccessDenied.
    """
    piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PUBLISH).id)
    if successor_id is not None:
        successor = access_piece(uow, successor_id, may=Permission.PUBLISH)
        if successor.id == piece.id or successor.advisor_id is not None:
            raise InvalidInput.of("successor", "not_offered", "请选择另一份面向全员的作品。")
    if piece.successor_id != successor_id:
        piece.successor_id = successor_id
        uow.audit.record("piece:successor", piece.id, successor=str(successor_id) if successor_id else None)
    return piece


def take_down_publication(uow: UnitOfWork, publication_id: UUID, *, note: str) -> Publication:
    """End exactly this publication. Raises IllegalTransition where it has ended already."""
    found = access_publication(uow, publication_id, may=Permission.TAKE_DOWN)
    lock_piece(uow, found.piece_id)
    uow.session.refresh(found)
    if found.end_reason is not None:
        raise IllegalTransition(state=found.end_reason.value, action=PieceAction.TAKE_DOWN.value)
    return take_down(uow, found.piece_id, note=note)


def access_live_publication(uow: UnitOfWork, publication_id: UUID) -> Publication:
    return access_publication(uow, publication_id, may=Permission.TAKE_DOWN, for_update=True)
