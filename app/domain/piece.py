"""The life of a piece: one transition table, and the hash a decision is bound to."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from app.domain.errors import IllegalTransition

PieceId = NewType("PieceId", UUID)
RevisionId = NewType("RevisionId", UUID)


class PieceState(StrEnum):
    DRAFT = "draft"
    CHECKING = "checking"
    IN_REVIEW = "in_review"
    CHANGES_REQUESTED = "changes_requested"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    APPROVED = "approved"
    PUBLISHED = "published"
    EXPIRED = "expired"
    TAKEN_DOWN = "taken_down"
    RECALLED = "recalled"
    ARCHIVED = "archived"


class PieceAction(StrEnum):
    EDIT = "edit"
    SUBMIT = "submit"
    PASS_CHECK = "pass_check"  # noqa: S105 - an action's name
    FAIL_CHECK = "fail_check"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    PUBLISH = "publish"
    EXPIRE = "expire"
    TAKE_DOWN = "take_down"
    RECALL = "recall"
    ARCHIVE = "archive"
    CORRECT = "correct"
    DROP_CORRECTION = "drop_correction"


_S, _A = PieceState, PieceAction

# The only truth about the life of a piece. An edit after approval falls back to draft: what was
# approved was other content (gate invariant I4).
TRANSITIONS: dict[tuple[PieceState, PieceAction], PieceState] = {
    (_S.DRAFT, _A.EDIT): _S.DRAFT,
    (_S.DRAFT, _A.SUBMIT): _S.CHECKING,
    (_S.DRAFT, _A.ARCHIVE): _S.ARCHIVED,
    (_S.CHECKING, _A.PASS_CHECK): _S.IN_REVIEW,
    (_S.CHECKING, _A.FAIL_CHECK): _S.DRAFT,
    (_S.CHECKING, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.IN_REVIEW, _A.APPROVE): _S.APPROVED,
    (_S.IN_REVIEW, _A.REQUEST_CHANGES): _S.CHANGES_REQUESTED,
    (_S.IN_REVIEW, _A.REJECT): _S.REJECTED,
    (_S.IN_REVIEW, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.CHANGES_REQUESTED, _A.EDIT): _S.CHANGES_REQUESTED,
    (_S.CHANGES_REQUESTED, _A.SUBMIT): _S.CHECKING,
    (_S.CHANGES_REQUESTED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.REJECTED, _A.EDIT): _S.DRAFT,
    (_S.REJECTED, _A.ARCHIVE): _S.ARCHIVED,
    (_S.WITHDRAWN, _A.EDIT): _S.DRAFT,
    (_S.WITHDRAWN, _A.ARCHIVE): _S.ARCHIVED,
    (_S.APPROVED, _A.EDIT): _S.DRAFT,
    (_S.APPROVED, _A.PUBLISH): _S.PUBLISHED,
    (_S.APPROVED, _A.WITHDRAW): _S.WITHDRAWN,
    # a correction goes the whole way again while the version before it stays public; given up, the
    # piece stands where it stood (the database refuses that where nothing of it is public)
    (_S.PUBLISHED, _A.CORRECT): _S.DRAFT,
    (_S.DRAFT, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.CHECKING, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.IN_REVIEW, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.CHANGES_REQUESTED, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.REJECTED, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.WITHDRAWN, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.APPROVED, _A.DROP_CORRECTION): _S.PUBLISHED,
    (_S.PUBLISHED, _A.EXPIRE): _S.EXPIRED,
    (_S.PUBLISHED, _A.TAKE_DOWN): _S.TAKEN_DOWN,
    (_S.PUBLISHED, _A.RECALL): _S.RECALLED,
    (_S.EXPIRED, _A.ARCHIVE): _S.ARCHIVED,
    (_S.EXPIRED, _A.RECALL): _S.RECALLED,
    (_S.TAKEN_DOWN, _A.RECALL): _S.RECALLED,
    (_S.TAKEN_DOWN, _A.ARCHIVE): _S.ARCHIVED,
    (_S.RECALLED, _A.ARCHIVE): _S.ARCHIVED,
}

# How long something that was sent for review may rest in a state before it is closed on purpose.
LONGEST_REST: Final[dict[PieceState, timedelta]] = {
    _S.CHECKING: timedelta(days=3),
    _S.CHANGES_REQUESTED: timedelta(days=30),
    _S.APPROVED: timedelta(days=30),
}

EDITABLE = frozenset(state for (state, action) in TRANSITIONS if action is PieceAction.EDIT)


def next_state(state: PieceState, action: PieceAction) -> PieceState:
    """The state an action leads to; raises IllegalTransition where it leads nowhere."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(state=state.value, action=action.value) from None


@dataclass(frozen=True, slots=True)
class RevisionContent:
    """All that a decision covers. Two contents with one hash are the same content."""

    template_slug: str
    template_version: int
    template_digest: str
    values: Mapping[str, str]
    asset_hashes: Sequence[str]
    disclosure: str | None
    product_type: str
    landing: str


def canonical_json(record: Mapping[str, Any]) -> bytes:
    """One byte string for one record: sorted keys, no blanks, UTF-8.

    Equal to RFC 8785 for what we store: strings, whole numbers, booleans, null, ASCII keys.
    """
    return json.dumps(
        record, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def revision_hash(content: RevisionContent) -> str:
    """SHA-256 of everything a reviewer decides on, as hex."""
    return hashlib.sha256(
        canonical_json(
            {
                **_frame(content),
                "values": dict(content.values),
                "assets": sorted(content.asset_hashes),
            }
        )
    ).hexdigest()


def _frame(content: RevisionContent) -> dict[str, Any]:
    """What surrounds the slots: the same words in another frame are another statement."""
    return {
        "template": [
            content.template_slug,
            content.template_version,
            content.template_digest,
        ],
        "disclosure": content.disclosure,
        "product_type": content.product_type,
        "landing": content.landing,
    }


def carried_slots(content: RevisionContent, approved: Iterable[RevisionContent]) -> frozenset[str]:
    """The slots whose value stands as it was approved before, in the very same frame.

    A change voids the approval of the revision, and the wording of what was not changed keeps its
    own: whoever reviews sees only the rest.
    """
    frame = _frame(content)
    same_frame = (before.values for before in approved if _frame(before) == frame)
    read = {(slot, value) for values in same_frame for slot, value in values.items()}
    return frozenset(slot for slot, value in content.values.items() if (slot, value) in read)


def wording_digest(text: str) -> str:
    """What a text is found by again: the SHA-256 of its UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def change_digest(template_digest: str, changed: Mapping[str, str]) -> str:
    """The same for all pieces that change one design in the same way.

    `changed` holds every slot value that a person must read. SHA-256, hexadecimal.
    """
    return hashlib.sha256(canonical_json({"design": template_digest, "changed": dict(changed)})).hexdigest()


@dataclass(frozen=True, slots=True)
class SlotChange:
    """One slot where a revision departs from what it is compared with."""

    slot: str
    label: str
    before: str
    after: str


def changed_slots(
    labels: Mapping[str, str], before: Mapping[str, str], after: Mapping[str, str]
) -> tuple[SlotChange, ...]:
    """What differs, slot by slot, in the template's own order."""
    return tuple(
        SlotChange(slot, label, before.get(slot, ""), after.get(slot, ""))
        for slot, label in labels.items()
        if before.get(slot, "") != after.get(slot, "")
    )


class ChangeKind(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    ADDED = "added"


# Fewer equal signs in a row than this are chance, not a kept word: "稳" in both sentences.
_KEPT_RUN: Final = 2
# Below this likeness the text is another text, and marks inside it would only confuse.
_ALIKE: Final = 0.4


def inline_change(before: str, after: str) -> tuple[tuple[ChangeKind, str], ...]:
    """What was struck out and put in, as runs of text in reading order.

    The runs that are not removed spell `after`, those that are not added spell `before`.
    """
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    if matcher.ratio() < _ALIKE:
        whole = ((ChangeKind.REMOVED, before), (ChangeKind.ADDED, after))
        return tuple((kind, words) for kind, words in whole if words)
    return tuple(_runs(matcher.get_opcodes(), before, after))


def _runs(
    opcodes: Sequence[tuple[str, int, int, int, int]], before: str, after: str
) -> Iterator[tuple[ChangeKind, str]]:
    removed = added = ""
    for tag, start, end, new_start, new_end in opcodes:
        at_edge = start == 0 or end == len(before)
        if tag == "equal" and (at_edge or end - start >= _KEPT_RUN):
            yield from _changed(removed, added)
            removed = added = ""
            yield ChangeKind.SAME, before[start:end]
        else:
            removed += before[start:end]
            added += after[new_start:new_end]
    yield from _changed(removed, added)


def _changed(removed: str, added: str) -> Iterator[tuple[ChangeKind, str]]:
    if removed:
        yield ChangeKind.REMOVED, removed
    if added:
        yield ChangeKind.ADDED, added
