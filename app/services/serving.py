"""Whether an advisor's edition is public at this moment, and what is handed out of it.

Every serving path is decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session, joinedload

from app.domain.distribution import AudienceRule
from app.domain.edition import RenderSpec
from app.domain.errors import Ended, Missing, QualificationMissing
from app.domain.publication import Standing
from app.domain.review import Reason
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.recall import Recall, RecallItem
from app.models.review import Decision
from app.models.template import TemplateVersion
from app.queries.present import PresentEdition
from app.services.access import access_edition, access_present_edition, own_advisor
from app.services.edition import edition_of, ensure_edition, link_url
from app.services.profile import printed_digest, require_confirmed
from app.services.publication import LATEST_FIRST, WITH_CONTENT, is_approved_by, standing_of
from app.services.qualification import is_qualified, require_licence
from app.services.rendition import PictureFile, compiled_for, kept_picture, published_spec
from app.services.rollup import today
from app.services.sampling import record_auto_pass
from app.services.unit_of_work import UnitOfWork

# A longer document would push out many pictures.
_MOST_REMEMBERED_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Facts:
    """What decides whether one advisor's edition of a piece is public, read in one statement."""

    publication: Publication  # the latest
    decision: Decision | None
    recalled_at: datetime | None  # this edition alone, though the publication goes on for others
    ended_at: datetime | None  # an inspection took this edition out, while the piece goes on


_RECALLED_AT: Final = (
    select(Recall.confirmed_at)
    .join(RecallItem, RecallItem.recall_id == Recall.id)
    .where(RecallItem.publication_id == Publication.id, RecallItem.edition_id == Edition.id)
    .limit(1)
    .scalar_subquery()
)


_FACTS: Final = (
    select(Publication, Decision, _RECALLED_AT, Edition.ended_at)
    .outerjoin(Decision, Decision.id == Publication.decision_id)
    .outerjoin(
        Edition,
        and_(Edition.piece_id == Publication.piece_id, Edition.advisor_id == bindparam("advisor_id")),
    )
    .where(Publication.piece_id == bindparam("piece_id"))
    .order_by(*LATEST_FIRST)
    .options(*WITH_CONTENT)
    .limit(1)
)


def _facts(session: Session, piece_id: UUID, advisor: Advisor) -> _Facts | None:
    row = session.execute(_FACTS, {"piece_id": piece_id, "advisor_id": advisor.id}).first()
    return None if row is None else _Facts(*row)


def require_public(uow: UnitOfWork, piece_id: UUID, advisor: Advisor) -> Publication:
    """The publication under which this advisor's edition is public now; raises Ended otherwise.

    Every serving path is decided here: validity by the clock, the decision's seal, the advisor's
    state and licence (I7).
    """
    return _public(uow, _facts(uow.session, piece_id, advisor), piece_id, advisor)


@dataclass(frozen=True, slots=True)
class EditionFacts:
    """An edition with whatever its pages and pictures take, and what decides whether it is public.

    Remembered by the versions of its rows, so nobody may write to it.
    """

    edition: Edition
    facts: _Facts | None


@dataclass(frozen=True, slots=True)
class ShownEdition:
    """An edition that is public now; for reading only."""

    versions: str
    edition: Edition
    publication: Publication


_WHOLE_EDITION: Final = (
    select(Edition)
    .where(Edition.id == bindparam("edition_id"))
    .options(
        joinedload(Edition.tenant),
        joinedload(Edition.qr),
        joinedload(Edition.advisor).joinedload(Advisor.org_unit),
        joinedload(Edition.piece).joinedload(Piece.template_version).joinedload(TemplateVersion.template),
    )
)


def edition_facts(uow: UnitOfWork, present: PresentEdition) -> EditionFacts:
    """An edition in its present versions; each process reads it once."""
    known = uow.around.editions.get(present.versions)
    if known is not None:
        return known
    with uow.apart() as session:
        edition = session.execute(_WHOLE_EDITION, {"edition_id": present.id}).scalar_one()
        found = EditionFacts(edition, _facts(session, edition.piece_id, edition.advisor))
    # should a row have changed in between, this is newer than its versions say, and they never return
    return uow.around.editions.keep(present.versions, found)


def require_shown(uow: UnitOfWork, present: PresentEdition) -> ShownEdition:
    """As `require_public`, for an edition whose rows were just found to be in these versions.

    What is remembered is what the rows say; whether that is public is decided anew each time.
    """
    found = edition_facts(uow, present)
    edition = found.edition
    publication = _public(uow, found.facts, edition.piece_id, edition.advisor)
    return ShownEdition(present.versions, edition, publication)


def _public(uow: UnitOfWork, facts: _Facts | None, piece_id: UUID, advisor: Advisor) -> Publication:
    def ended(standing: Standing, since: datetime | None = None) -> Ended:
        when = {} if since is None else {"since": since}
        return Ended(standing=standing.value, **when, advisor_id=advisor.id, piece_id=piece_id)

    if facts is None:
        raise ended(Standing.NOT_YET)
    publication = facts.publication
    standing = standing_of(uow, publication)
    if standing is not Standing.LIVE:
        raise ended(standing, publication.ended_at or publication.valid_until)
    if not is_approved_by(uow, facts.decision, publication):
        raise ended(Standing.NOT_YET)
    if facts.recalled_at is not None:
        raise ended(Standing.RECALLED, facts.recalled_at)
    if facts.ended_at is not None:
        raise ended(Standing.TAKEN_DOWN, facts.ended_at)
    qualified = is_qualified(advisor, publication.piece.product_type, on=today(uow))
    if not (advisor.is_active and qualified):
        raise ended(Standing.TAKEN_DOWN)
    return publication


def successor_of(uow: UnitOfWork, piece: Piece, advisor: Advisor) -> Piece | None:
    """What an advisor's visitors are shown instead of an ended piece; None where nothing is public.

    A successor that has ended itself leads on to its own.
    """
    seen = {piece.id}
    while piece.successor_id is not None and piece.successor_id not in seen:
        seen.add(piece.successor_id)
        try:
            return offered_publication(uow, piece.successor_id, advisor).piece
        except (Missing, Ended, QualificationMissing):
            piece = uow.session.get_one(Piece, piece.successor_id)
    return None


def offered_publication(uow: UnitOfWork, piece_id: UUID, advisor: Advisor) -> Publication:
    """The live publication of a piece that was handed to this advisor.

    A piece meant for others answers as a missing one. Raises Missing, Ended, QualificationMissing.
    """
    facts = _facts(uow.session, piece_id, advisor)
    if facts is None or not _is_meant_for(facts.publication, advisor):
        raise Missing(noun="piece")
    publication = _public(uow, facts, piece_id, advisor)
    require_licence(uow, advisor, publication.piece.product_type)
    return publication


def _is_meant_for(publication: Publication, advisor: Advisor) -> bool:
    if publication.audience_advisor_id is not None:
        return publication.audience_advisor_id == advisor.id
    rule = AudienceRule(publication.audience_path, tuple(publication.audience_tags))
    return rule.includes(path=advisor.org_unit.path, tags=advisor.tags)


def open_edition(uow: UnitOfWork, piece_id: UUID) -> Edition:
    """The acting advisor's own edition of a live piece, made at first use, with all its links."""
    advisor = own_advisor(uow)
    publication = offered_publication(uow, piece_id, advisor)
    known = edition_of(uow, piece_id, advisor.id)
    if known is not None:
        return known
    require_confirmed(uow, advisor)
    edition = ensure_edition(uow, publication.piece, advisor)
    manifest = compiled_for(uow, publication.piece.template_version).manifest
    edition.profile_digest = printed_digest(uow, manifest, advisor)
    uow.audit.record("edition:open", edition.id, piece=str(piece_id))
    record_auto_pass(
        uow,
        publication.piece,
        reasons=[Reason.APPROVED_PIECE.value, Reason.VERIFIED_PROFILE.value],
        edition_id=edition.id,
    )
    return edition


def public_edition(uow: UnitOfWork, edition_id: UUID) -> tuple[Edition, Publication]:
    """An advisor's own edition and the publication under which it may be used now.

    Raises Missing, Ended, QualificationMissing.
    """
    edition = access_edition(uow, edition_id)
    publication = require_public(uow, edition.piece_id, edition.advisor)
    require_licence(uow, edition.advisor, edition.piece.product_type)
    return edition, publication


def edition_spec(
    uow: UnitOfWork,
    edition: Edition,
    publication: Publication,
    *,
    image_format: str = "jpeg",
    page: int = 0,
    size: str = "",
) -> RenderSpec:
    """What an edition looks like, with its own code in it, whichever way its visitor came."""
    return published_spec(
        uow,
        publication,
        edition.advisor,
        link=link_url(uow, edition.qr.code),
        image_format=image_format,
        page=page,
        size=size,
    )


def own_shown_edition(uow: UnitOfWork, edition_id: UUID) -> ShownEdition:
    """As `public_edition`, for handing it out: one question, and nothing that may be written to."""
    shown = require_shown(uow, access_present_edition(uow, edition_id))
    require_licence(uow, shown.edition.advisor, shown.edition.piece.product_type)
    return shown


def handed_out(
    uow: UnitOfWork, shown: ShownEdition, *, image_format: str = "jpeg", page: int = 0, size: str = ""
) -> PictureFile:
    """The picture of an edition that is public now, out of this process's memory where it is there."""
    remembered, key = uow.around.handed_out, (shown.versions, image_format, page, size)
    if (known := remembered.get(key)) is not None:
        return known
    spec = edition_spec(
        uow, shown.edition, shown.publication, image_format=image_format, page=page, size=size
    )
    picture = kept_picture(uow, spec)
    if len(picture.data) <= _MOST_REMEMBERED_BYTES:
        # before that nothing says for good that it was shown
        uow.once_committed(lambda: remembered.keep(key, picture))
    return picture


def edition_picture(
    uow: UnitOfWork, edition_id: UUID, *, image_format: str = "jpeg", page: int = 0, size: str = ""
) -> PictureFile:
    """The picture of the acting advisor's edition as it may be used now.

    Raises Missing, Ended, QualificationMissing.
    """
    shown = own_shown_edition(uow, edition_id)
    return handed_out(uow, shown, image_format=image_format, page=page, size=size)
