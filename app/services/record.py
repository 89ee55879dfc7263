"""Seal the record of what was shown: pictures, words and places, and how it came to be allowed."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import Enum
from importlib.metadata import version as installed_version
from typing import Any, Final
from uuid import UUID

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session, joinedload, selectinload, sessionmaker

from app.domain.archive import file_key, grams, record_key, search_form
from app.domain.errors import Missing
from app.domain.piece import canonical_json
from app.domain.retention import RecordClass, term_end
from app.domain.tracking import LinkChannel
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.base import Base
from app.models.check import CheckRun
from app.models.edition import Rendition
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.review import Decision, Review, ReviewStep
from app.models.template import TemplateVersion
from app.models.tenant import Tenant
from app.models.user import User
from app.services.archive import unnoted_editions
from app.services.check import reading_of
from app.services.draft import sample_advisor
from app.services.edition import edition_links
from app.services.rendition import (
    PictureFile,
    compiled_for,
    kept_picture,
    published_spec,
    rendition_key,
    slot_values,
    spec_for,
)
from app.services.retention import years_of
from app.services.routing import content_of
from app.services.shown import shown_values
from app.services.unit_of_work import UnitOfWork
from templates_lib import fonts
from templates_lib.fill import fill, without_omitted

FORMAT: Final = "imprimatur-record/1"
_DRAWN_BY: Final = ("imprimatur", "weasyprint", "pillow", "zxing-cpp")


def tenant_of_item(sessions: sessionmaker[Session], item_id: UUID) -> UUID | None:
    """Whose record a message speaks of; messages carry ids and nothing else."""
    with sessions() as session:
        return session.scalar(select(ArchiveItem.tenant_id).where(ArchiveItem.id == item_id))


def note_unopened_editions(uow: UnitOfWork) -> int:
    """Note editions that a new publication shows though nobody has opened them since."""
    found = unnoted_editions(uow)
    for shown in found:
        link = edition_links(uow, shown.edition.id).get(LinkChannel.QR)
        if link is not None:
            published_spec(uow, shown.publication, shown.edition.advisor, link=link)
    return len(found)


def seal_record(uow: UnitOfWork, item_id: UUID) -> bool:
    """Draw and write down what an item shows, and put all of it into the vault; false where it was done.

    The pictures go first, then the record, then the row: killed anywhere, it is done again to the
    same end.
    """
    item = uow.session.scalar(
        select(ArchiveItem).where(ArchiveItem.id == item_id).with_for_update(skip_locked=True)
    )
    if item is None or item.sealed_at is not None:
        return False
    subject = _subject(uow, item)
    shown = _shown(uow, subject)
    people = _People(uow)
    record = canonical_json(_record(uow, subject, shown, people))
    sha256 = hashlib.sha256(record).hexdigest()
    kept_until = term_end(subject.publication.valid_until, years_of(uow, RecordClass.PUBLICATION))
    for one in shown.files:
        uow.around.vault.keep(file_key(uow.tenant_id, one.picture.sha256), one.picture.data, until=kept_until)
    uow.around.vault.keep(record_key(uow.tenant_id, item.id), record, until=kept_until)
    words = "\n".join(line["text"] for line in shown.lines)
    item.sealed_at = uow.clock.now()
    item.record_sha256 = sha256
    item.title = subject.piece.title
    item.words = words
    item.form = search_form(words)
    item.grams = grams(item.form)
    item.people = "、".join(people.names())
    item.files = sorted({one.picture.sha256 for one in shown.files})
    item.kept_until = item.vault_until = kept_until
    uow.audit.record("archive:seal", item.id, record=sha256, publication=str(item.publication_id))
    return True


@dataclass(frozen=True, slots=True)
class _Subject:
    item: ArchiveItem
    publication: Publication
    piece: Piece
    revision: PieceRevision
    version: TemplateVersion
    advisor: Advisor | None
    sample: Advisor | None


def _subject(uow: UnitOfWork, item: ArchiveItem) -> _Subject:
    publication = uow.session.scalars(
        select(Publication)
        .where(Publication.id == item.publication_id)
        .options(
            joinedload(Publication.revision),
            joinedload(Publication.piece).options(
                joinedload(Piece.template_version).joinedload(TemplateVersion.template),
                joinedload(Piece.advisor).joinedload(Advisor.org_unit),
                joinedload(Piece.org_unit),
            ),
        )
    ).one()
    piece = publication.piece
    advisor = (
        uow.session.scalars(
            select(Advisor).where(Advisor.id == item.advisor_id).options(joinedload(Advisor.org_unit))
        ).one()
        if item.advisor_id
        else None
    )
    sample = sample_advisor(uow) if advisor is None else None
    return _Subject(item, publication, piece, publication.revision, piece.template_version, advisor, sample)


@dataclass(frozen=True, slots=True)
class _File:
    size: str
    page: int
    as_reviewed: bool
    picture: PictureFile

    def said(self) -> dict[str, Any]:
        return {
            "sha256": self.picture.sha256,
            "content_type": self.picture.content_type,
            "width_px": self.picture.width_px,
            "height_px": self.picture.height_px,
            "size_bytes": len(self.picture.data),
            "size": self.size,
            "page": self.page,
            "as_reviewed": self.as_reviewed,
        }


@dataclass(frozen=True, slots=True)
class _Shown:
    values: dict[str, str]
    lines: list[dict[str, Any]]
    places: list[dict[str, Any]]
    files: list[_File]


def _shown(uow: UnitOfWork, subject: _Subject) -> _Shown:
    """What the public saw: for a piece made for everybody, with the sample's name that reviewers saw."""
    version = subject.version
    if subject.advisor is None:
        values = dict(shown_values(uow, subject.piece, subject.revision))
    else:
        values = dict(subject.item.values)
    files = []
    for size in compiled_for(uow, version).manifest.sizes:
        compiled = compiled_for(uow, version, size)
        for page in range(compiled.manifest.pages):
            picture = kept_picture(uow, spec_for(version, values, page=page, size=size))
            files.append(_File(size, page, False, picture))
    reviewed = _as_reviewed(uow, subject)
    if reviewed is not None and reviewed.sha256 not in {one.picture.sha256 for one in files}:
        files.append(_File("", 0, True, reviewed))
    lines = [
        {"field": line.field, "slot": line.slot, "label": line.label, "text": line.text}
        for line in reading_of(uow, version, values)
    ]
    return _Shown(values, lines, _places(uow, version, values), files)


def _as_reviewed(uow: UnitOfWork, subject: _Subject) -> PictureFile | None:
    """The very bytes the decision was made on, where a person made it."""
    row = uow.session.scalar(
        select(Rendition)
        .join(Decision, Decision.shown_sha256 == Rendition.sha256)
        .where(Decision.id == subject.publication.decision_id)
        .limit(1)
    )
    if row is None:
        return None
    data = uow.store.get(rendition_key(uow, row.sha256))
    return PictureFile(data, row.content_type, row.sha256, row.width_px, row.height_px)


def _places(uow: UnitOfWork, version: TemplateVersion, values: dict[str, str]) -> list[dict[str, Any]]:
    """Where each slot stands on the design's own size: each line with its type size, each picture."""
    compiled = compiled_for(uow, version)
    filled = fill(compiled.manifest, without_omitted(compiled.manifest, slot_values(uow, values)))
    laid_out = compiled.lay_out(filled, sizes=compiled.sizes(filled))
    places: list[dict[str, Any]] = [
        {
            "slot": name,
            "kind": "words",
            "page": line.page,
            "text": line.text,
            **_box(line.x, line.y, line.width, line.height),
            "font_px": round(line.font_px),
        }
        for name, slot in laid_out.slots.items()
        for line in slot.lines
    ]
    places.extend(
        {
            "slot": name,
            "kind": "picture",
            "page": box.page,
            **_box(box.x, box.y, box.width, box.height),
        }
        for name, box in laid_out.pictures.items()
    )
    return places


def _box(x: float, y: float, width: float, height: float) -> dict[str, int]:
    return {"x": round(x), "y": round(y), "width": round(width), "height": round(height)}


class _People:
    """Names behind ids, each asked for once; whoever is named belongs to the record."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._named: dict[UUID, str] = {}
        self._listed: set[UUID] = set()
        self._more: list[str] = []

    def named(self, user_id: UUID | None, *, listed: bool = True) -> dict[str, str] | None:
        """An id with its name; one that is not listed does not make the record findable by it."""
        if user_id is None:
            return None
        if listed:
            self._listed.add(user_id)
        if user_id not in self._named:
            found = self._uow.session.scalar(select(User.name).where(User.id == user_id))
            self._named[user_id] = found or ""
        return {"id": str(user_id), "name": self._named[user_id]}

    def add(self, name: str) -> None:
        self._more.append(name)

    def names(self) -> list[str]:
        return list(
            dict.fromkeys(
                name
                for name in (*self._more, *(name for one, name in self._named.items() if one in self._listed))
                if name
            )
        )


def _record(uow: UnitOfWork, subject: _Subject, shown: _Shown, people: _People) -> dict[str, Any]:
    """Everything about it as plain values: whole numbers, words, lists. Nothing is left to look up."""
    tenant = uow.session.get_one(Tenant, uow.tenant_id)
    publication, piece, revision, version = (
        subject.publication,
        subject.piece,
        subject.revision,
        subject.version,
    )
    advisor = subject.advisor or subject.sample
    if subject.advisor is not None:
        people.add(subject.advisor.name)
    return {
        "format": FORMAT,
        "id": str(subject.item.id),
        "kind": subject.item.kind.value,
        "noted_at": _plain(subject.item.noted_at),
        "recorded_at": _plain(uow.clock.now()),
        "institution": {"id": str(tenant.id), "name": tenant.name},
        "piece": {
            **_facts(piece, "id", "title", "product_type", "tags", "created_at"),
            "unit": piece.org_unit.name,
            "made_for": "advisor" if piece.advisor_id else "everybody",
            "created_by": people.named(piece.created_by),
        },
        "publication": {
            **_facts(
                publication,
                "id",
                "approval_no",
                "content_hash",
                "audience_path",
                "audience_tags",
                "why",
                "valid_from",
                "valid_until",
                "published_at",
            ),
            "published_by": people.named(publication.published_by),
        },
        "revision": {
            **_facts(revision, "id", "number", "values", "disclosure", "content_hash", "created_at"),
            "contributors": [people.named(one) for one in revision.contributors],
        },
        "content": _content(version, revision),
        "shown": {
            "advisor": _advisor(advisor) if advisor else None,
            "is_sample": subject.advisor is None,
            "values": shown.values,
            "lines": shown.lines,
            "places": shown.places,
            "files": [one.said() for one in shown.files],
        },
        "checks": _checks(uow, revision),
        "reviews": _reviews(uow, revision, people),
        "template": {
            "slug": version.template.slug,
            "name": version.template.name,
            **_facts(version, "number", "digest", "product_type", "published_at", "cleared_at"),
            "published_by": people.named(version.published_by, listed=False),
            "cleared_by": people.named(version.cleared_by, listed=False),
        },
        "fonts": [asdict(face) for face in fonts.faces()],
        "drawn_by": {name: installed_version(name) for name in _DRAWN_BY},
    }


def _content(version: TemplateVersion, revision: PieceRevision) -> dict[str, Any]:
    """What the decision's hash was made of, so that it can be made again."""
    content = content_of(version, revision.values, revision.disclosure)
    return {
        "template": [content.template_slug, content.template_version, content.template_digest],
        "values": dict(content.values),
        "assets": sorted(content.asset_hashes),
        "disclosure": content.disclosure,
        "product_type": content.product_type,
        "landing": content.landing,
    }


def _advisor(advisor: Advisor) -> dict[str, Any]:
    return {
        **_facts(advisor, "id", "staff_no", "name", "title", "licence_no", "verified_fields", "photo_sha256"),
        "unit": advisor.org_unit.name,
    }


def _checks(uow: UnitOfWork, revision: PieceRevision) -> list[dict[str, Any]]:
    runs = uow.session.scalars(
        select(CheckRun)
        .where(CheckRun.revision_id == revision.id, CheckRun.completed_at.is_not(None))
        .order_by(CheckRun.completed_at)
        .options(joinedload(CheckRun.findings))
    ).unique()
    return [
        {
            **_facts(
                run, "id", "content_hash", "ruleset_version", "ruleset_digest", "verdict", "completed_at"
            ),
            "findings": [_facts(one, but=("id", "run_id", "position")) for one in run.findings],
        }
        for run in runs
    ]


def _reviews(uow: UnitOfWork, revision: PieceRevision, people: _People) -> list[dict[str, Any]]:
    """Every round on this revision with all that was decided in it."""
    rounds = []
    for review in uow.session.scalars(
        select(Review)
        .where(Review.revision_id == revision.id)
        .order_by(Review.round)
        .options(selectinload(Review.steps).joinedload(ReviewStep.route_step))
    ):
        decisions = uow.session.scalars(
            select(Decision).where(Decision.review_id == review.id).order_by(Decision.decided_at)
        )
        rounds.append(
            {
                **_facts(
                    review,
                    but=(
                        *("piece_id", "revision_id", "org_unit_id", "template_version_id"),
                        *("waits_in", "claimed_by", "claimed_at"),
                    ),
                ),
                "steps": [
                    {
                        **_facts(step, "id", "position", "state", "opened_at", "due_at", "closed_at"),
                        "name": step.route_step.name,
                        "quorum": step.route_step.quorum,
                    }
                    for step in review.steps
                ],
                "decisions": [
                    {
                        **_facts(one, but=("review_id", "piece_id", "decided_by")),
                        "decided_by": people.named(one.decided_by),
                    }
                    for one in decisions
                ],
            }
        )
    return rounds


def _facts(row: Base, *names: str, but: tuple[str, ...] = ()) -> dict[str, Any]:
    """Columns of a row as plain values: those named, or all that are not left out."""
    columns = names or tuple(
        one.key for one in inspect(type(row)).column_attrs if one.key not in {"tenant_id", *but}
    )
    return {name: _plain(getattr(row, name)) for name in columns}


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int():
            return value
        case Enum():
            return value.value
        case str():
            return str(value)
        case datetime():
            return value.isoformat()
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_plain(one) for one in value]
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A record as the vault gives it back."""

    data: bytes
    # whether it is, byte for byte, what was sealed
    is_genuine: bool

    @property
    def said(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.data)
        return found


def kept_record(uow: UnitOfWork, item: ArchiveItem) -> KeptRecord | None:
    """The record of an item from the vault; None while it is not sealed."""
    if item.sealed_at is None:
        return None
    data = uow.around.vault.read(record_key(uow.tenant_id, item.id))
    return KeptRecord(data, hashlib.sha256(data).hexdigest() == item.record_sha256)


def kept_file(uow: UnitOfWork, item: ArchiveItem, sha256: str) -> bytes:
    """A picture of an item from the vault; raises Missing for one that is not its own or was changed."""
    if sha256 not in item.files:
        raise Missing(noun="rendition")
    data = uow.around.vault.read(file_key(uow.tenant_id, sha256))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Missing(noun="rendition")
    return data
