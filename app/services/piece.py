"""Make a piece and change it; a save without change changes nothing."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.errors import Missing
from app.domain.organisation import Permission
from app.domain.piece import (
    PieceAction,
    PieceState,
    revision_hash,
)
from app.domain.route import UseChannel
from app.domain.text import LONGEST_TAG, LONGEST_TITLE, clean_tags, clean_text
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.template import TemplateVersion
from app.queries.scope import within
from app.services.access import access_piece, own_advisor, require
from app.services.draft import Draft, draft_of, sampled
from app.services.edition import edition_links, edition_of, ensure_edition
from app.services.profile import require_confirmed
from app.services.qualification import require_licence
from app.services.rendition import (
    PictureFile,
    compiled_for,
    draw,
    require_fits,
    spec_for,
)
from app.services.repeat import already_done, remember_done
from app.services.routing import content_of
from app.services.shown import shown_picture
from app.services.template import usable_version
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import SlotSource


def save_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None = None,
    piece_id: UUID | None = None,
    qr_code: str | None = None,
    title: str | None = None,
    tags: tuple[str, ...] = (),
    channel: UseChannel | None = None,
    idempotency_key: str | None = None,
) -> Piece:
    """Save what was entered as the piece's current revision; make the piece if there is none.

    Saving without change makes no revision and voids no approval. Another channel is a change: the
    way to an approval depends on where a piece is shown. Raises InvalidInput naming each
    slot, QualificationMissing where the advisor may not promote the product, IllegalTransition
    where the piece can no longer be edited.
    """
    title = title and clean_text("title", title, longest=LONGEST_TITLE)
    tags = clean_tags("tags", tags)
    if piece_id is None and idempotency_key is not None:
        idempotency_key = clean_text("idempotency_key", idempotency_key, longest=LONGEST_TAG)
        # two taps at once: the second waits here and then finds the piece of the first
        uow.session.execute(
            select(func.pg_advisory_xact_lock(func.hashtext(f"piece:{uow.tenant_id}:{idempotency_key}")))
        )
        piece_id = uow.session.scalar(select(Piece.id).where(Piece.idempotency_key == idempotency_key))
    if uow.actor.advisor_id is not None:
        return _save_own_piece(
            uow,
            slug,
            entered,
            number=number,
            piece_id=piece_id,
            qr_code=qr_code,
            title=title,
            channel=channel,
            idempotency_key=idempotency_key,
        )
    return _save_master_piece(
        uow,
        slug,
        entered,
        number=number,
        piece_id=piece_id,
        title=title,
        tags=tags,
        channel=channel,
        idempotency_key=idempotency_key,
    )


def _save_own_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None,
    piece_id: UUID | None,
    qr_code: str | None,
    title: str | None,
    channel: UseChannel | None,
    idempotency_key: str | None,
) -> Piece:
    require(uow, Permission.PIECE_MAKE)
    advisor = own_advisor(uow)
    if piece_id is None:
        version = usable_version(uow, slug, number)
        require_licence(uow, advisor, version.product_type)
        require_confirmed(uow, advisor)
        piece = _new_piece(
            uow, version, org_unit_id=advisor.org_unit_id, advisor=advisor, key=idempotency_key
        )
        edition = ensure_edition(uow, piece, advisor, qr_code=qr_code)
    else:
        piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PIECE_MAKE).id)
        version = piece.template_version
        require_licence(uow, advisor, version.product_type)
        found = edition_of(uow, piece.id, advisor.id)
        edition = found if found is not None else ensure_edition(uow, piece, advisor)
    link = edition_links(uow, edition.id)[LinkChannel.QR]
    draft = draft_of(uow, version, entered, qr_code=link.rsplit("/", 1)[-1])
    _revise(uow, piece, draft, title=title, channel=channel)
    return piece


def _save_master_piece(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    number: int | None,
    piece_id: UUID | None,
    title: str | None,
    tags: tuple[str, ...],
    channel: UseChannel | None,
    idempotency_key: str | None,
) -> Piece:
    scope = require(uow, Permission.PIECE_MAKE_MASTER)
    if piece_id is None:
        version = usable_version(uow, slug, number)
        unit = uow.session.scalars(
            select(OrgUnit).where(within(scope, OrgUnit.path)).order_by(func.length(OrgUnit.path))
        ).first()
        if unit is None:
            raise Missing(noun="org_unit")
        piece = _new_piece(uow, version, org_unit_id=unit.id, advisor=None, key=idempotency_key)
    else:
        piece = lock_piece(uow, access_piece(uow, piece_id, may=Permission.PIECE_MAKE_MASTER).id)
        version = piece.template_version
    if tags:
        piece.tags = list(tags)
    _revise(uow, piece, draft_of(uow, version, entered, qr_code=""), title=title, channel=channel)
    return piece


def _new_piece(
    uow: UnitOfWork,
    version: TemplateVersion,
    *,
    org_unit_id: UUID,
    advisor: Advisor | None,
    key: str | None,
) -> Piece:
    now = uow.clock.now()
    piece = Piece(
        tenant_id=uow.tenant_id,
        title=version.template.name,
        state=PieceState.DRAFT,
        template_version=version,
        advisor=advisor,
        org_unit_id=org_unit_id,
        product_type=version.product_type,
        channel=UseChannel.MOMENTS,
        tags=list(version.tags),
        idempotency_key=key,
        created_by=uow.actor.user_id,
        created_at=now,
        state_since=now,
        current_revision=None,
    )
    uow.session.add(piece)
    uow.session.flush()
    uow.audit.record("piece:create", piece.id, template=version.template.slug)
    return piece


def _revise(
    uow: UnitOfWork, piece: Piece, draft: Draft, *, title: str | None, channel: UseChannel | None
) -> None:
    """Make the draft the current revision, unless it is the same content for the same channel."""
    version = draft.version
    manifest = compiled_for(uow, version).manifest
    # drawing it is the check that it can be drawn: overflow and missing glyphs are refused here
    checked = draft if piece.advisor_id else sampled(uow, draft)
    draw(uow, spec_for(version, checked.values))
    require_fits(uow, version, checked.values)
    content = content_of(version, draft.values, manifest.disclosure)
    content_hash = revision_hash(content)
    if title:
        piece.title = title
    before = piece.current_revision
    is_moved = channel is not None and channel is not piece.channel
    is_same = before is not None and before.content_hash == content_hash
    if is_same and not is_moved:
        return
    piece.apply(PieceAction.EDIT, actor=acting_name(uow), at=uow.clock.now())
    piece.channel = channel or piece.channel
    if is_same:
        uow.audit.record("piece:edit", piece.id, content=content_hash, channel=piece.channel.value)
        return
    contributors = set(before.contributors if before else ())
    if uow.actor.user_id is not None:
        contributors.add(uow.actor.user_id)
    revision = PieceRevision(
        tenant_id=uow.tenant_id,
        piece_id=piece.id,
        number=_next_number(uow, piece),
        template_version_id=version.id,
        values=dict(draft.values),
        disclosure=manifest.disclosure,
        content_hash=content_hash,
        contributors=sorted(contributors),
        created_at=uow.clock.now(),
    )
    uow.session.add(revision)
    uow.session.flush()
    piece.current_revision = revision
    uow.audit.record(
        "piece:edit",
        piece.id,
        revision=str(revision.id),
        content=content_hash,
        channel=piece.channel.value,
    )


def _next_number(uow: UnitOfWork, piece: Piece) -> int:
    """One more than the highest: a correction that was given up leaves its revisions on record."""
    numbers = select(func.max(PieceRevision.number)).where(PieceRevision.piece_id == piece.id)
    return 1 + (uow.session.scalar(numbers) or 0)


def make_piece_once(
    uow: UnitOfWork,
    slug: str,
    entered: Mapping[str, str],
    *,
    key: str,
    request_digest: str,
    number: int | None = None,
    title: str | None = None,
    tags: tuple[str, ...] = (),
    channel: UseChannel | None = None,
) -> UUID:
    """Make a piece under a key of the caller's; the same request again gives the same piece.

    Raises DifferentRepeat, and what save_piece raises.
    """
    made = already_done(uow, "piece:create", key=key, request_digest=request_digest)
    if made is not None:
        return access_piece(uow, made, may=making_permission(uow)).id
    piece = save_piece(uow, slug, entered, number=number, title=title, tags=tags, channel=channel)
    remember_done(uow, "piece:create", key=key, subject_id=piece.id)
    return piece.id


def change_piece(
    uow: UnitOfWork,
    piece_id: UUID,
    *,
    changed: Mapping[str, str],
    title: str | None = None,
    tags: tuple[str, ...] = (),
    channel: UseChannel | None = None,
) -> Piece:
    """Change some slots of a piece and leave the others as they are. Raises as save_piece does."""
    piece = lock_piece(uow, access_piece(uow, piece_id, may=making_permission(uow)).id)
    manifest = compiled_for(uow, piece.template_version).manifest
    open_to = {SlotSource.ADVISOR} if piece.advisor_id else {SlotSource.ADVISOR, SlotSource.HEAD_OFFICE}
    standing = piece.current_revision.values if piece.current_revision else {}
    kept = {
        slot.name: str(standing[slot.name])
        for slot in manifest.slots
        if slot.source in open_to and not slot.locked and slot.name in standing
    }
    slug = piece.template_version.template.slug
    return save_piece(
        uow, slug, {**kept, **changed}, piece_id=piece.id, title=title, tags=tags, channel=channel
    )


def open_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """A piece to read: an advisor's own; for others, what their scope holds beside advisors' drafts.

    A draft is its maker's own desk until it is submitted. Raises Missing, AccessDenied.
    """
    if uow.actor.advisor_id is not None:
        return access_piece(uow, piece_id, may=Permission.PIECE_MAKE)
    piece = access_piece(uow, piece_id, may=Permission.PIECE_VIEW)
    if piece.advisor_id is not None and piece.state is PieceState.DRAFT:
        raise Missing(noun="piece")
    return piece


def piece_picture(
    uow: UnitOfWork, piece_id: UUID, *, image_format: str = "jpeg", page: int = 0, size: str = ""
) -> PictureFile:
    """A piece's current picture as its reviewer sees it: an advisor's own is what goes out."""
    piece = open_piece(uow, piece_id)
    if piece.current_revision is None:
        raise Missing(noun="piece_revision")
    return shown_picture(uow, piece, piece.current_revision, image_format=image_format, page=page, size=size)


def lock_piece(uow: UnitOfWork, piece_id: UUID) -> Piece:
    """The piece with all a decision needs, locked first in every service that changes its life.

    Locked by one statement and read by the next: a statement that had to wait for the lock would
    see the piece as it is now beside its revision as it was before, which is no revision at all.
    """
    uow.session.execute(select(Piece.id).where(Piece.id == piece_id).with_for_update())
    return uow.session.scalars(
        select(Piece)
        .where(Piece.id == piece_id)
        .options(
            joinedload(Piece.org_unit),
            joinedload(Piece.advisor).joinedload(Advisor.org_unit),
            joinedload(Piece.template_version).joinedload(TemplateVersion.template),
            joinedload(Piece.current_revision),
        )
        .execution_options(populate_existing=True)
    ).one()


def making_permission(uow: UnitOfWork) -> Permission:
    """What making takes: advisors make their own, head office makes for everybody."""
    return Permission.PIECE_MAKE if uow.actor.advisor_id else Permission.PIECE_MAKE_MASTER


def acting_name(uow: UnitOfWork) -> str:
    """Who acts, as the record of a piece names them."""
    return str(uow.actor.user_id or uow.actor.name)
