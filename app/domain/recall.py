"""Recall 召回: take something back everywhere at once, and know who has heard of it."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from app.domain.errors import IllegalTransition, InvalidInput, SelfApproval
from app.domain.template import ProductType

RecallId = NewType("RecallId", UUID)

_TEMPLATE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,56}@[1-9][0-9]{0,5}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_RULE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,63}")


class RecallBy(StrEnum):
    """What a recall is aimed at; everything public that belongs to it goes dark."""

    PIECE = "piece"
    TEMPLATE = "template"
    ASSET = "asset"
    RULE = "rule"
    PRODUCT = "product"
    ADVISOR = "advisor"
    BRANCH = "branch"


class RecallState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class RecallAction(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"


_TRANSITIONS: Final = {
    (RecallState.PROPOSED, RecallAction.CONFIRM): RecallState.CONFIRMED,
    (RecallState.PROPOSED, RecallAction.CANCEL): RecallState.CANCELLED,
}


class SelfConfirmation(SelfApproval):
    """Whoever proposed a recall tried to confirm it as well."""

    code = "self_confirmation"
    reason = "四眼原则：召回须由发起人以外的另一个人确认。"
    remedy = "请另一位有召回权限的同事打开这个页面确认。"


def next_recall_state(state: RecallState, action: RecallAction) -> RecallState:
    try:
        return _TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(state=state.value, action=action.value) from None


@dataclass(frozen=True, slots=True)
class RecallTarget:
    """What is taken back. `subject` is spelled by kind:

    an id for a piece, an advisor or a unit; `slug@number` for a template version; a SHA-256 for an
    asset; a rule's id; a product type.
    """

    by: RecallBy
    subject: str
    also_ended: bool = False  # also what ran out or was taken down already, but is still in phones

    @classmethod
    def of(cls, by: RecallBy, subject: str, *, also_ended: bool = False) -> "RecallTarget":
        """Read what was entered; raises InvalidInput where the subject is not of that kind."""
        subject = subject.strip()
        if not _is_spelled(by, subject):
            raise InvalidInput.of("subject", "malformed", "请选择要召回的对象。")
        return cls(by, subject.lower() if by in _BY_ID else subject, also_ended)


_BY_ID: Final = frozenset({RecallBy.PIECE, RecallBy.ADVISOR, RecallBy.BRANCH})


def _is_spelled(by: RecallBy, subject: str) -> bool:
    match by:
        case RecallBy.PIECE | RecallBy.ADVISOR | RecallBy.BRANCH:
            try:
                return str(UUID(subject)) == subject.lower()
            except ValueError:
                return False
        case RecallBy.TEMPLATE:
            return _TEMPLATE.fullmatch(subject) is not None
        case RecallBy.ASSET:
            return _SHA256.fullmatch(subject) is not None
        case RecallBy.RULE:
            return _RULE.fullmatch(subject) is not None
        case RecallBy.PRODUCT:
            return subject in set(ProductType)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """How one advisor stands towards a recall: asked, reminded, and whether they have confirmed."""

    asked_at: datetime
    acknowledged_at: datetime | None
    is_active: bool

    @property
    def is_missing(self) -> bool:
        """Whoever left cannot confirm any more and is not waited for."""
        return self.acknowledged_at is None and self.is_active
