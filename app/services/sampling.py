"""What passed by itself is kept with its reasons, and a share of it drawn to be looked at."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from app.domain.errors import InvalidInput
from app.domain.inspection import DEFAULT_SHARE_BP, LOTS, is_drawn, lot_of
from app.domain.organisation import Permission
from app.domain.text import clean_text
from app.models.inspection import AutoPass, Inspection, SamplingPolicy
from app.models.piece import Piece
from app.services.access import require_everywhere
from app.services.assignment import freest_holder, path_of
from app.services.unit_of_work import UnitOfWork

TERM: Final = timedelta(days=3)
_LONGEST_SEED: Final = 64


def sampling_policy(uow: UnitOfWork) -> SamplingPolicy:
    """The share and seed that hold now; an institution that has said nothing looks at one in twenty."""
    known = uow.session.scalar(select(SamplingPolicy).order_by(SamplingPolicy.number.desc()).limit(1))
    return known or SamplingPolicy(
        tenant_id=uow.tenant_id, number=0, share_bp=DEFAULT_SHARE_BP, seed=str(uow.tenant_id)
    )


def set_sampling(uow: UnitOfWork, *, share_bp: int, seed: str) -> SamplingPolicy:
    """Say how large a share is looked at afterwards, and under which seed it is drawn from now on."""
    require_everywhere(uow, Permission.ROUTE_MANAGE)
    seed = clean_text("seed", seed, longest=_LONGEST_SEED)
    if not 0 <= share_bp <= LOTS:
        raise InvalidInput.of("share", "range", "抽检比例为 0% 至 100%。")
    before = sampling_policy(uow)
    seed = seed or before.seed
    if (before.share_bp, before.seed) == (share_bp, seed):
        return before
    policy = SamplingPolicy(
        tenant_id=uow.tenant_id,
        number=before.number + 1,
        share_bp=share_bp,
        seed=seed,
        made_by=uow.actor.user_id,
        made_at=uow.clock.now(),
    )
    uow.session.add(policy)
    uow.session.flush()
    uow.audit.record("sampling:set", policy.id, share_bp=share_bp, seed=seed, before_bp=before.share_bp)
    return policy


def record_auto_pass(
    uow: UnitOfWork,
    piece: Piece,
    *,
    reasons: Collection[str],
    review_id: UUID | None = None,
    edition_id: UUID | None = None,
) -> AutoPass:
    """Keep why nobody had to look at it, draw its lot, and open an inspection where it is drawn."""
    item = review_id or edition_id
    if item is None:
        raise LookupError("a round or an edition passes by itself")
    policy = sampling_policy(uow)
    now = uow.clock.now()
    lot = lot_of(policy.seed, item)
    passed = AutoPass(
        tenant_id=uow.tenant_id,
        piece=piece,
        review_id=review_id,
        edition_id=edition_id,
        reasons=list(reasons),
        seed=policy.seed,
        share_bp=policy.share_bp,
        lot=lot,
        is_drawn=is_drawn(lot, policy.share_bp),
        passed_at=now,
    )
    uow.session.add(passed)
    uow.session.flush()
    if passed.is_drawn:
        inspection = Inspection(
            tenant_id=uow.tenant_id,
            auto_pass=passed,
            drawn_at=now,
            due_at=now + TERM,
            assigned_to=freest_holder(uow, Permission.INSPECT, item_path=path_of(uow, piece.id)),
        )
        uow.session.add(inspection)
        uow.session.flush()
        uow.audit.record(
            "inspection:draw", inspection.id, piece=str(piece.id), lot=lot, share_bp=policy.share_bp
        )
    return passed
