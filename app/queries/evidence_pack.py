"""The evidence packs of the last days, as their page lists them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.organisation import Scope
from app.models.evidence_pack import EvidencePack
from app.models.user import User

_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class PackLine:
    pack: EvidencePack
    asked_by: str


def packs_within(session: Session, scope: Scope) -> list[PackLine]:
    """The packs gathered from nothing beyond these subtrees, the newest first."""
    rows = session.execute(
        select(EvidencePack, User.name)
        .join(User, User.id == EvidencePack.asked_by)
        .order_by(EvidencePack.asked_at.desc(), EvidencePack.id)
    )
    lines = [PackLine(pack, name) for pack, name in rows if all(map(scope.covers, pack.reach))]
    return lines[:_MOST]
