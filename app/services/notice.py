"""Tell people what concerns them: the audit trail says what happened, the table says whom to tell.

The trail is the outbox. It is appended in the transaction of the act and never loses one, so telling
can be late but nothing is left out, and nothing is told twice however often this runs.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert

from app.domain.notice import NOTICES, Audience, NoticeRule, Reach, rules_for
from app.domain.organisation import ROLE_PERMISSIONS, Permission
from app.domain.piece import PieceState
from app.models.advisor import Advisor
from app.models.audit import AuditEntry, AuditHead
from app.models.edition import Edition
from app.models.evidence_pack import EvidencePack
from app.models.notice import Notice, NoticeMark
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.recall import Recall, RecallHolder
from app.models.review import Review
from app.models.template import Template, TemplateVersion
from app.models.user import Membership, User
from app.ports import Message, NotifierUnavailable
from app.services.unit_of_work import UnitOfWork

log = structlog.get_logger(__name__)

_AT_ONCE: Final = 500
_FIRST_WAIT: Final = timedelta(minutes=1)
_MOST_TRIES: Final = 8  # the last about two hours after the first; the page shows it all the same


def tell_what_happened(uow: UnitOfWork) -> int:
    """Write notices for the acts since the last time; say how many there were."""
    mark = _locked_mark(uow)
    entries = uow.session.scalars(
        select(AuditEntry).where(AuditEntry.seq > mark.audit_seq).order_by(AuditEntry.seq).limit(_AT_ONCE)
    ).all()
    told = 0
    for entry in entries:
        if entry.tag in NOTICES:
            told += _tell(uow, entry)
    if entries:
        mark.audit_seq = entries[-1].seq
    return told


def _locked_mark(uow: UnitOfWork) -> NoticeMark:
    """Where telling has got to. An institution that never told begins with what happens from now on."""
    head = select(func.coalesce(func.max(AuditHead.seq), 0)).where(AuditHead.tenant_id == uow.tenant_id)
    uow.session.execute(
        insert(NoticeMark)
        .values(tenant_id=uow.tenant_id, audit_seq=head.scalar_subquery())
        .on_conflict_do_nothing()
    )
    return uow.session.scalars(
        select(NoticeMark).with_for_update().execution_options(populate_existing=True)
    ).one()


def _tell(uow: UnitOfWork, entry: AuditEntry) -> int:
    details: Mapping[str, Any] = json.loads(entry.record)["details"]
    actor = _uuid(entry.actor)
    about = _Subject(uow, entry, details)
    told = 0
    for rule in rules_for(entry.tag, by_machine=actor is None):
        known = about.facts(rule.audience)
        if known is None:
            continue
        words = rule.words.format(title=known["title"])
        link = rule.link.format(subject=entry.subject_id, piece=known.get("piece", ""))
        listeners: set[UUID | None] = {one for one in about.listeners(rule.audience) if one != actor}
        if rule.to_team:
            listeners.add(None)
        told += sum(_write(uow, entry, rule, user_id, words, link) for user_id in listeners)
    return told


def _write(
    uow: UnitOfWork, entry: AuditEntry, rule: NoticeRule, user_id: UUID | None, words: str, link: str
) -> int:
    now = uow.clock.now()
    goes_out = user_id is None or rule.reach is Reach.LOUD
    written = uow.session.scalar(
        insert(Notice)
        .values(
            tenant_id=uow.tenant_id,
            user_id=user_id,
            audit_seq=entry.seq,
            tag=entry.tag,
            words=words,
            link=link,
            made_at=now,
            next_try_at=now if goes_out else None,
        )
        .on_conflict_do_nothing()
        .returning(Notice.id)
    )
    return int(written is not None)


class _Subject:
    """What an act is about, and whom that concerns."""

    def __init__(self, uow: UnitOfWork, entry: AuditEntry, details: Mapping[str, Any]) -> None:
        self._uow, self._entry, self._details = uow, entry, details
        self._id = _uuid(entry.subject_id)

    def facts(self, audience: Audience) -> dict[str, str] | None:
        """The title to name and the piece to lead to; None where the subject is gone."""
        if audience in {Audience.ADVISOR, Audience.CHANGER}:
            return {"title": ""}
        if audience is Audience.ASKER:
            words = self._uow.session.scalar(select(EvidencePack.words).where(EvidencePack.id == self._id))
            return None if words is None else {"title": words}
        if self._entry.tag.startswith("recall:"):
            name = self._uow.session.scalar(select(Recall.subject_name).where(Recall.id == self._id))
            return None if name is None else {"title": name}
        if audience is Audience.USERS:
            name = self._uow.session.scalar(
                select(Template.name).join(TemplateVersion).where(TemplateVersion.id == self._id)
            )
            return None if name is None else {"title": name}
        piece_id = self._piece_id()
        title = self._uow.session.scalar(select(Piece.title).where(Piece.id == piece_id))
        return None if title is None else {"title": title, "piece": str(piece_id)}

    def _piece_id(self) -> UUID | None:
        session = self._uow.session
        match self._entry.tag.partition(":")[0]:
            case "review":
                return session.scalar(select(Review.piece_id).where(Review.id == self._id))
            case "publication":
                return session.scalar(select(Publication.piece_id).where(Publication.id == self._id))
            case _:
                return self._id

    def listeners(self, audience: Audience) -> Iterable[UUID]:
        """The accounts an act concerns, those alone that are in use."""
        session = self._uow.session
        match audience:
            case Audience.ASSIGNED:
                named = (self._details.get(name) for name in ("assigned", "to_user", "owner"))
                wanted = {_uuid(str(one)) for one in named}
            case Audience.MAKER:
                wanted = set(self._makers())
            case Audience.HOLDERS:
                wanted = set(
                    session.scalars(
                        select(Advisor.user_id)
                        .join(Edition, Edition.advisor_id == Advisor.id)
                        .where(Edition.piece_id == self._piece_id())
                    )
                )
            case Audience.USERS:
                wanted = set(
                    session.scalars(
                        select(Advisor.user_id)
                        .join(Piece, Piece.advisor_id == Advisor.id)
                        .where(Piece.template_version_id == self._id, Piece.state == PieceState.PUBLISHED)
                    )
                )
            case Audience.CONFIRMERS:
                wanted = set(self._confirmers())
            case Audience.PROPOSER | Audience.ASKER:
                asked = (
                    select(Recall.proposed_by).where(Recall.id == self._id)
                    if audience is Audience.PROPOSER
                    else select(EvidencePack.asked_by).where(EvidencePack.id == self._id)
                )
                wanted = set(session.scalars(asked))
            case Audience.RECALL_HOLDERS:
                wanted = set(
                    session.scalars(
                        select(Advisor.user_id)
                        .join(RecallHolder, RecallHolder.advisor_id == Advisor.id)
                        .where(RecallHolder.recall_id == self._id, RecallHolder.acknowledged_at.is_(None))
                    )
                )
            case Audience.REMINDED | Audience.ADVISOR | Audience.CHANGER:
                advisor = self._id
                if audience is not Audience.ADVISOR:
                    advisor = _uuid(str(self._details.get("advisor")))
                wanted = set(session.scalars(select(Advisor.user_id).where(Advisor.id == advisor)))
        in_use = select(User.id).where(User.is_active, User.id.in_(wanted - {None}))
        return session.scalars(in_use).all()

    def _makers(self) -> Iterable[UUID | None]:
        piece = self._uow.session.scalar(select(Piece).where(Piece.id == self._piece_id()))
        if piece is None:
            return ()
        if piece.advisor_id is not None:
            return self._uow.session.scalars(select(Advisor.user_id).where(Advisor.id == piece.advisor_id))
        contributors = self._uow.session.scalar(
            select(PieceRevision.contributors).where(PieceRevision.id == piece.current_revision_id)
        )
        return tuple(contributors or ())

    def _confirmers(self) -> Iterable[UUID]:
        """Whoever holds the permission somewhere, and is another person than the proposer."""
        roles = [role for role, may in ROLE_PERMISSIONS.items() if Permission.RECALL in may]
        person = (
            select(User.person_id)
            .join(Recall, Recall.proposed_by == User.id)
            .where(Recall.id == self._id)
            .scalar_subquery()
        )
        return self._uow.session.scalars(
            select(User.id)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.role.in_(roles), User.person_id != person)
        )


def send_out(uow: UnitOfWork) -> int:
    """Send by mail and to the group chat what goes out; say how many were sent.

    What cannot be sent now is tried again, ever later, and given up in the end: it stands on the
    page in any case.
    """
    now = uow.clock.now()
    due = uow.session.execute(
        select(Notice, User.email)
        .outerjoin(User, User.id == Notice.user_id)
        .where(Notice.next_try_at <= now)
        .order_by(Notice.next_try_at)
        .limit(_AT_ONCE)
        .with_for_update(of=Notice, skip_locked=True)
    ).all()
    sent = 0
    for notice, email in due:
        message = Message(notice.words, f"{uow.around.public_url}{notice.link}", to=email)
        if notice.user_id is not None and not email:
            notice.next_try_at = None  # nobody said where to: the page has it
            continue
        try:
            uow.around.notifier.send(message)
        except NotifierUnavailable as error:
            notice.tries += 1
            given_up = notice.tries >= _MOST_TRIES
            notice.next_try_at = None if given_up else now + _FIRST_WAIT * 2 ** (notice.tries - 1)
            log.warning("notice_not_sent", tag=notice.tag, tries=notice.tries, reason=str(error))
            continue
        notice.next_try_at, notice.sent_at = None, now
        sent += 1
    return sent


def see_notices(uow: UnitOfWork) -> None:
    """One has looked at one's notices: none of them is new any more."""
    uow.session.execute(
        update(Notice)
        .where(Notice.user_id == uow.actor.user_id, Notice.seen_at.is_(None))
        .values(seen_at=uow.clock.now())
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
