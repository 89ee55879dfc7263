"""What a recall covers, who had it in hand, how many people saw it, and what is still live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Subquery,
    Uuid,
    and_,
    any_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONPATH, distinct_on
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload

from app.domain.organisation import Scope
from app.domain.publication import EndReason
from app.domain.recall import Acknowledgement, RecallBy, RecallState, RecallTarget
from app.domain.tracking import ARRIVALS, HitClass
from app.models.advisor import Advisor
from app.models.asset import Asset
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.recall import Recall, RecallHolder, RecallItem
from app.models.template import Template, TemplateVersion
from app.models.tracking import Event
from app.models.user import User
from app.queries.page import Page, offset_of
from app.queries.scope import within

PAGE_SIZE = 30
_Owner = aliased(OrgUnit)  # the unit a piece belongs to
_Place = aliased(OrgUnit)  # the unit an advisor works in


@dataclass(frozen=True, slots=True)
class Covered:
    """One publication that goes dark, or one advisor's edition of it alone."""

    publication_id: UUID
    piece_id: UUID
    edition_id: UUID | None
    was_live: bool


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a recall covers, in the figures a person decides by."""

    pieces: int
    live: int
    editions: int  # advisors' editions that were taken
    advisors: int
    shared: int  # advisors on whose editions a person arrived
    people: int


@dataclass(frozen=True, slots=True)
class CoveredPiece:
    """A line of the list of what is covered."""

    piece_id: UUID
    title: str
    template_name: str
    maker: str | None  # None: head office, for everybody
    org_name: str
    one_edition_of: str | None  # the advisor whose edition alone goes dark
    valid_until: datetime
    is_live: bool


@dataclass(frozen=True, slots=True)
class HolderRow:
    """One advisor who had it: what they took, who saw it, and whether they have confirmed."""

    advisor_id: UUID
    name: str
    unit: str
    pieces: int
    people: int  # saw it through this advisor before the recall
    since: int  # came afterwards, and read the notice
    standing: Acknowledgement
    reminders: int
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecallRow:
    """A recall in the list."""

    id: UUID
    by: RecallBy
    subject_name: str
    reason: str
    state: RecallState
    proposed_by: UUID
    proposed_name: str
    proposed_at: datetime
    confirmed_at: datetime | None
    pieces: int
    holders: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class OwnRecall:
    """A recall an advisor has to confirm, with their own pieces in it."""

    id: UUID
    reason: str
    confirmed_at: datetime
    titles: tuple[str, ...]
    people: int
    reminders: int


def covered(
    session: Session,
    target: RecallTarget,
    scope: Scope,
    *,
    at: datetime,
    hit: Sequence[UUID] = (),
) -> list[Covered]:
    """Everything the target covers within the scope; `hit` are the revisions a rule hits.

    A piece goes as a whole where it is the target's own. What an advisor or a branch only took from
    head office goes for them alone: the others keep it.
    """
    latest = _latest(at, also_ended=target.also_ended)
    wholly = (
        select(latest.c.id, Piece.id, null(), latest.c.is_live)
        .select_from(latest)
        .join(Piece, Piece.id == latest.c.piece_id)
        .join(PieceRevision, PieceRevision.id == latest.c.revision_id)
        .join(TemplateVersion, TemplateVersion.id == PieceRevision.template_version_id)
        .join(Template, Template.id == TemplateVersion.template_id)
        .join(_Owner, _Owner.id == Piece.org_unit_id)
        .where(within(scope, _Owner.path), _wholly(target, hit))
    )
    found = [Covered(*row) for row in session.execute(wholly)]
    whole = {one.publication_id for one in found}
    if (theirs := _singly(target)) is not None:
        singly = (
            select(latest.c.id, Piece.id, Edition.id, latest.c.is_live)
            .select_from(latest)
            .join(Piece, Piece.id == latest.c.piece_id)
            .join(Edition, Edition.piece_id == Piece.id)
            .join(Advisor, Advisor.id == Edition.advisor_id)
            .join(_Place, _Place.id == Advisor.org_unit_id)
            .where(Piece.advisor_id.is_(None), within(scope, _Place.path), theirs)
            .where(~is_recalled(latest.c.id, Edition.id))
        )
        found += [
            one for row in session.execute(singly) if (one := Covered(*row)).publication_id not in whole
        ]
    return found


_Id = ColumnElement[UUID] | InstrumentedAttribute[UUID]


def is_recalled(publication_id: _Id, edition_id: _Id) -> ColumnElement[bool]:
    """Whether a recall made this edition dark though the publication goes on for others."""
    return exists(
        select(RecallItem.id).where(
            RecallItem.publication_id == publication_id, RecallItem.edition_id == edition_id
        )
    )


def _latest(at: datetime, *, also_ended: bool) -> Subquery:
    """The newest publication of each piece, unless that one was recalled already."""
    is_live = and_(Publication.ended_at.is_(None), Publication.valid_until > at)
    newest = (
        select(
            Publication.id,
            Publication.piece_id,
            Publication.revision_id,
            Publication.end_reason,
            is_live.label("is_live"),
        )
        .ext(distinct_on(Publication.piece_id))
        .order_by(
            Publication.piece_id, Publication.published_at.desc(), Publication.ended_at.desc().nulls_first()
        )
        .subquery("newest")
    )
    not_recalled = or_(newest.c.end_reason.is_(None), newest.c.end_reason != EndReason.RECALLED)
    statement = select(newest).where(not_recalled)
    return (statement if also_ended else statement.where(newest.c.is_live)).subquery("latest")


def _wholly(target: RecallTarget, hit: Sequence[UUID]) -> ColumnElement[bool]:
    """Which publications end for everybody."""
    match target.by:
        case RecallBy.PIECE:
            return Piece.id == UUID(target.subject)
        case RecallBy.TEMPLATE:
            slug, _, number = target.subject.partition("@")
            return and_(Template.slug == slug, TemplateVersion.number == int(number))
        case RecallBy.ASSET:
            return func.jsonb_path_exists(
                PieceRevision.values,
                cast("$.* ? (@ == $sought)", JSONPATH),
                func.jsonb_build_object("sought", f"asset:{target.subject}"),
            )
        case RecallBy.RULE:
            return among(PieceRevision.id, hit)
        case RecallBy.PRODUCT:
            return Piece.product_type == target.subject
        case RecallBy.ADVISOR:
            return Piece.advisor_id == UUID(target.subject)
        case RecallBy.BRANCH:
            return func.starts_with(_Owner.path, _path_of(target))


def _singly(target: RecallTarget) -> ColumnElement[bool] | None:
    """Which editions of head office's pieces end for their advisor alone; None: of no kind."""
    match target.by:
        case RecallBy.ADVISOR:
            return Edition.advisor_id == UUID(target.subject)
        case RecallBy.BRANCH:
            return func.starts_with(_Place.path, _path_of(target))
        case RecallBy.ASSET:
            # a portrait stands on every page of its advisor, and on every picture with a place for it
            return Advisor.photo_sha256 == target.subject
        case RecallBy.PIECE | RecallBy.TEMPLATE | RecallBy.RULE | RecallBy.PRODUCT:
            return None


def _path_of(target: RecallTarget) -> ColumnElement[str]:
    return select(OrgUnit.path).where(OrgUnit.id == UUID(target.subject)).scalar_subquery()


def among(
    column: ColumnElement[UUID] | InstrumentedAttribute[UUID], ids: Iterable[UUID]
) -> ColumnElement[bool]:
    """One parameter however many ids there are."""
    return column == any_(literal(list(ids), ARRAY(Uuid)))


def subject_name(session: Session, target: RecallTarget, scope: Scope) -> str | None:
    """What the target is called; None where there is no such thing within the scope."""
    statement: Select[str] | Select[str, str]
    match target.by:
        case RecallBy.PIECE:
            statement = (
                select(Piece.title)
                .join(_Owner, _Owner.id == Piece.org_unit_id)
                .where(Piece.id == UUID(target.subject), within(scope, _Owner.path))
            )
        case RecallBy.TEMPLATE:
            slug, _, number = target.subject.partition("@")
            statement = (
                select(Template.name)
                .join(TemplateVersion, TemplateVersion.template_id == Template.id)
                .where(Template.slug == slug, TemplateVersion.number == int(number))
            )
        case RecallBy.ASSET:
            statement = select(Asset.sha256).where(Asset.sha256 == target.subject)
        case RecallBy.ADVISOR:
            statement = (
                select(Advisor.name)
                .join(_Place, _Place.id == Advisor.org_unit_id)
                .where(Advisor.id == UUID(target.subject), within(scope, _Place.path))
            )
        case RecallBy.BRANCH:
            statement = select(OrgUnit.name).where(
                OrgUnit.id == UUID(target.subject), within(scope, OrgUnit.path)
            )
        case RecallBy.RULE | RecallBy.PRODUCT:
            return target.subject
    return session.scalar(statement)


def live_revisions(
    session: Session, scope: Scope, *, at: datetime, also_ended: bool
) -> list[tuple[Piece, PieceRevision]]:
    """Every published revision that a rule could hit, with what judging it needs."""
    latest = _latest(at, also_ended=also_ended)
    statement = (
        select(Piece, PieceRevision)
        .join(latest, latest.c.piece_id == Piece.id)
        .join(PieceRevision, PieceRevision.id == latest.c.revision_id)
        .join(_Owner, _Owner.id == Piece.org_unit_id)
        .where(within(scope, _Owner.path))
        .options(joinedload(Piece.template_version).joinedload(TemplateVersion.template))
    )
    return [(piece, revision) for piece, revision in session.execute(statement)]


def items_of(session: Session, recall_id: UUID) -> list[Covered]:
    """What a confirmed recall made dark, and whether anything of it could still be opened."""
    return [Covered(*row) for row in session.execute(_items(recall_id))]


def _items(recall_id: UUID) -> Select[UUID, UUID, UUID | None, bool]:
    return (
        select(
            RecallItem.publication_id,
            RecallItem.piece_id,
            RecallItem.edition_id,
            and_(RecallItem.edition_id.is_(None), Publication.ended_at.is_(None)),
        )
        .join(Publication, Publication.id == RecallItem.publication_id)
        .where(RecallItem.recall_id == recall_id)
    )


def still_live(session: Session, recall_id: UUID) -> int:
    """How much of a confirmed recall could be opened at this instant, by what serving reads."""
    live = _items(recall_id).subquery()
    return session.scalar(select(func.count()).select_from(live).where(list(live.c)[-1])) or 0


def extent_of(session: Session, items: Sequence[Covered], *, before: datetime) -> Extent:
    """The figures of what is covered; people are those who came before that instant."""
    editions = _editions(items)
    taken, advisors = session.execute(
        select(func.count(), func.count(editions.c.advisor_id.distinct())).select_from(editions)
    ).one()
    came = _came(editions, Event.occurred_at < before)
    shared, people = session.execute(
        select(func.count(came.c.advisor_id.distinct()), func.count(came.c.person.distinct()))
    ).one()
    return Extent(
        pieces=len({one.piece_id for one in items}),
        live=sum(one.was_live for one in items),
        editions=taken,
        advisors=advisors,
        shared=shared,
        people=people,
    )


def holders_by_pieces(session: Session, items: Sequence[Covered]) -> list[tuple[UUID, int]]:
    """Every advisor who took something of what is covered, and how many pieces."""
    editions = _editions(items)
    return [
        (advisor_id, pieces)
        for advisor_id, pieces in session.execute(
            select(editions.c.advisor_id, func.count())
            .group_by(editions.c.advisor_id)
            .order_by(editions.c.advisor_id)
        )
    ]


def _editions(items: Sequence[Covered]) -> Subquery:
    """Advisors' editions among what is covered. An own piece that never left its desk has one as well."""
    return (
        select(Edition.id, Edition.advisor_id, Edition.piece_id)
        .where(
            or_(
                among(Edition.piece_id, {one.piece_id for one in items if one.edition_id is None}),
                among(Edition.id, [one.edition_id for one in items if one.edition_id is not None]),
            )
        )
        .subquery("editions")
    )


def _came(editions: Subquery, *when: ColumnElement[bool]) -> Subquery:
    """People who arrived on those editions, told apart as the reach board does: by day and visitor."""
    return (
        select(
            Event.advisor_id,
            func.concat(Event.occurred_on, Event.visitor).label("person"),
        )
        .join(editions, editions.c.id == Event.edition_id)
        # an index leads from the advisor to their events
        .where(Event.advisor_id == editions.c.advisor_id)
        .where(Event.kind.in_(ARRIVALS), Event.hit_class == HitClass.HUMAN, *when)
        .subquery("came")
    )


def covered_pieces(
    session: Session, items: Sequence[Covered], *, at: datetime, page: int = 1
) -> Page[CoveredPiece]:
    """What is covered, piece by piece, for whoever decides."""
    shown = sorted(items, key=lambda one: (not one.was_live, str(one.publication_id), str(one.edition_id)))
    start = offset_of(page, PAGE_SIZE)
    part = shown[start : start + PAGE_SIZE]
    maker = aliased(Advisor)
    facts = {
        row[0]: row[1:]
        for row in session.execute(
            select(
                Publication.id,
                Piece.id,
                Piece.title,
                Template.name,
                maker.name,
                _Owner.name,
                Publication.valid_until,
            )
            .join(Piece, Piece.id == Publication.piece_id)
            .join(TemplateVersion, TemplateVersion.id == Piece.template_version_id)
            .join(Template, Template.id == TemplateVersion.template_id)
            .join(_Owner, _Owner.id == Piece.org_unit_id)
            .outerjoin(maker, maker.id == Piece.advisor_id)
            .where(Publication.id.in_({one.publication_id for one in part}))
        )
    }
    named = session.execute(
        select(Edition.id, Advisor.name)
        .join(Advisor, Advisor.id == Edition.advisor_id)
        .where(Edition.id.in_([one.edition_id for one in part if one.edition_id is not None]))
    )
    names: dict[UUID, str] = dict(named.all())
    rows = []
    for one in part:
        piece_id, title, template_name, made_by, org_name, valid_until = facts[one.publication_id]
        rows.append(
            CoveredPiece(
                piece_id=piece_id,
                title=title,
                template_name=template_name,
                maker=made_by,
                org_name=org_name,
                one_edition_of=names[one.edition_id] if one.edition_id is not None else None,
                valid_until=valid_until,
                is_live=one.was_live and valid_until > at,
            )
        )
    return Page(rows, max(1, page), PAGE_SIZE, len(items))


def holders(session: Session, recall: Recall, scope: Scope) -> list[HolderRow]:
    """Who had it, those within the scope; who is still waited for comes first."""
    if recall.confirmed_at is None:
        return []
    editions = _editions(items_of(session, recall.id))
    before = case((Event.occurred_at < recall.confirmed_at, 1), else_=0)
    came = (
        select(
            Event.advisor_id,
            func.concat(Event.occurred_on, Event.visitor).label("person"),
            before.label("before"),
        )
        .join(editions, editions.c.id == Event.edition_id)
        .where(Event.advisor_id == editions.c.advisor_id)
        .where(Event.kind.in_(ARRIVALS), Event.hit_class == HitClass.HUMAN)
        .subquery("came")
    )
    people = {
        advisor_id: (saw, since)
        for advisor_id, saw, since in session.execute(
            select(
                came.c.advisor_id,
                func.count(came.c.person.distinct()).filter(came.c.before == 1),
                func.count(came.c.person.distinct()).filter(came.c.before == 0),
            ).group_by(came.c.advisor_id)
        )
    }
    rows = [
        HolderRow(
            advisor_id=holder.advisor_id,
            name=name,
            unit=unit,
            pieces=holder.pieces,
            people=people.get(holder.advisor_id, (0, 0))[0],
            since=people.get(holder.advisor_id, (0, 0))[1],
            standing=Acknowledgement(holder.asked_at, holder.acknowledged_at, is_active),
            reminders=holder.reminders,
            reminded_at=holder.reminded_at,
        )
        for holder, name, is_active, unit in session.execute(
            select(RecallHolder, Advisor.name, Advisor.is_active, _Place.name)
            .join(Advisor, Advisor.id == RecallHolder.advisor_id)
            .join(_Place, _Place.id == Advisor.org_unit_id)
            .where(RecallHolder.recall_id == recall.id, within(scope, _Place.path))
        )
    ]
    return sorted(rows, key=lambda row: (not row.standing.is_missing, -row.people, row.name, row.advisor_id))


def sees(scope: Scope) -> ColumnElement[bool]:
    """Whoever governs all of it sees a recall; a branch also where an advisor of theirs had it."""
    covers = [
        Recall.scope_paths.contained_by(
            select(func.array_agg(OrgUnit.path)).where(within(scope, OrgUnit.path)).scalar_subquery()
        )
    ]
    holds = exists(
        select(RecallHolder.id)
        .join(Advisor, Advisor.id == RecallHolder.advisor_id)
        .join(_Place, _Place.id == Advisor.org_unit_id)
        .where(RecallHolder.recall_id == Recall.id, within(scope, _Place.path))
    )
    return or_(false(), *covers, holds)


def recalls(session: Session, scope: Scope, *, page: int = 1) -> Page[RecallRow]:
    """The recalls, the one that waits for its confirmation first, then the newest."""
    counted = _counts()
    total = session.scalar(select(func.count()).select_from(Recall).where(sees(scope))) or 0
    rows = session.execute(
        select(Recall, User.name, *counted)
        .join(User, User.id == Recall.proposed_by)
        .where(sees(scope))
        .order_by((Recall.state != RecallState.PROPOSED), Recall.proposed_at.desc(), Recall.id)
        .offset(offset_of(page, PAGE_SIZE))
        .limit(PAGE_SIZE)
    )
    shown = [_row(recall, name, *counts) for recall, name, *counts in rows]
    return Page(shown, max(1, page), PAGE_SIZE, total)


def _row(recall: Recall, proposed_name: str, pieces: int, asked: int, acknowledged: int) -> RecallRow:
    return RecallRow(
        id=recall.id,
        by=recall.by,
        subject_name=recall.subject_name,
        reason=recall.reason,
        state=recall.state,
        proposed_by=recall.proposed_by,
        proposed_name=proposed_name,
        proposed_at=recall.proposed_at,
        confirmed_at=recall.confirmed_at,
        pieces=pieces,
        holders=asked,
        acknowledged=acknowledged,
    )


def _counts() -> tuple[ColumnElement[int], ...]:
    """By recall: pieces covered, advisors waited for, advisors who confirmed."""
    pieces = (
        select(func.count(RecallItem.piece_id.distinct()))
        .where(RecallItem.recall_id == Recall.id)
        .correlate(Recall)
        .scalar_subquery()
    )
    asked = (
        select(func.count())
        .select_from(RecallHolder)
        .join(Advisor, Advisor.id == RecallHolder.advisor_id)
        .where(
            RecallHolder.recall_id == Recall.id,
            or_(Advisor.is_active, RecallHolder.acknowledged_at.is_not(None)),
        )
        .correlate(Recall)
        .scalar_subquery()
    )
    acknowledged = (
        select(func.count(RecallHolder.acknowledged_at))
        .where(RecallHolder.recall_id == Recall.id)
        .correlate(Recall)
        .scalar_subquery()
    )
    return pieces, asked, acknowledged


def recalls_to_acknowledge(session: Session, advisor_id: UUID) -> list[OwnRecall]:
    """What an advisor has not confirmed yet, the oldest first."""
    rows = session.execute(
        select(Recall, RecallHolder)
        .join(RecallHolder, RecallHolder.recall_id == Recall.id)
        .where(RecallHolder.advisor_id == advisor_id, RecallHolder.acknowledged_at.is_(None))
        .order_by(Recall.confirmed_at)
    ).all()
    ids = [recall.id for recall, _holder in rows]
    titles: dict[UUID, list[str]] = {one: [] for one in ids}
    people: dict[UUID, int] = dict.fromkeys(ids, 0)
    mine = (
        select(RecallItem.recall_id, Piece.title, Edition.id.label("edition_id"))
        .join(Piece, Piece.id == RecallItem.piece_id)
        .join(Edition, and_(Edition.piece_id == Piece.id, Edition.advisor_id == advisor_id))
        .where(
            RecallItem.recall_id.in_(ids),
            or_(RecallItem.edition_id.is_(None), RecallItem.edition_id == Edition.id),
        )
    )
    if ids:
        for recall_id, title, _edition_id in session.execute(mine.order_by(Piece.title)):
            titles[recall_id].append(title)
        own = mine.subquery()
        seen = session.execute(
            select(own.c.recall_id, func.count(func.concat(Event.occurred_on, Event.visitor).distinct()))
            .join(Event, Event.edition_id == own.c.edition_id)
            .where(
                Event.advisor_id == advisor_id,
                Event.kind.in_(ARRIVALS),
                Event.hit_class == HitClass.HUMAN,
            )
            .group_by(own.c.recall_id)
        )
        people |= dict(seen.all())
    return [
        OwnRecall(
            id=recall.id,
            reason=recall.reason,
            confirmed_at=recall.confirmed_at,
            titles=tuple(titles[recall.id]),
            people=people[recall.id],
            reminders=holder.reminders,
        )
        for recall, holder in rows
        if recall.confirmed_at is not None
    ]


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen as the target of a recall, within the scope."""

    templates: tuple[tuple[str, str], ...]
    units: tuple[tuple[str, str], ...]


def options(session: Session, scope: Scope) -> Options:
    templates = session.execute(
        select(Template.slug, TemplateVersion.number, Template.name)
        .join(TemplateVersion, TemplateVersion.template_id == Template.id)
        .where(TemplateVersion.published_at.is_not(None))
        .order_by(Template.name, TemplateVersion.number.desc())
    )
    units = session.execute(
        select(OrgUnit.id, OrgUnit.name, OrgUnit.path)
        .where(within(scope, OrgUnit.path))
        .order_by(OrgUnit.path)
    )
    return Options(
        tuple((f"{slug}@{number}", f"{name} · {number}") for slug, number, name in templates),
        tuple((str(unit_id), "　" * (path.count("/") - 2) + name) for unit_id, name, path in units),
    )
