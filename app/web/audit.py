"""The audit trail: who did what, and whether the chain is whole."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.tracking import TENANT_ZONE
from app.queries.audit import AuditFilter, chain_end, last_checkpoint, subject_kinds
from app.services.checkpoint import read_audit, verify_own_audit
from app.web.edge import platform, render_page, unit_of_work
from app.web.forms.people import day_of, errors_by_field, page_number
from app.web.i18n import translate as _
from app.web.people_words import SUBJECTS

bp = Blueprint("audit", __name__, url_prefix="/audit")


@bp.get("")
def show_audit() -> ResponseReturnValue:
    asked: dict[str, Any] = {
        name: value.strip()[:64]
        for name in ("kind", "actor", "subject", "since", "until")
        if (value := request.args.get(name, "")).strip()
    }
    sought, errors = _filter(asked)
    with unit_of_work() as uow:
        found = read_audit(uow, sought, zone=TENANT_ZONE, number=page_number(request.args.get("page")))
        end = chain_end(uow.session, uow.tenant_id)
        checkpoint = last_checkpoint(uow.session, uow.tenant_id)
        kinds = subject_kinds(uow.session, uow.tenant_id)
    return render_page(
        "audit/list.html",
        block="results",
        found=found,
        end=end,
        checkpoint=checkpoint,
        key_id=platform().signer.key_id,
        asked=asked,
        errors=errors,
        kinds=[("", _("全部")), *((kind, _(SUBJECTS.get(kind, kind))) for kind in kinds)],
        previous_url=url_for("audit.show_audit", **asked, page=found.number - 1)
        if found.has_previous
        else None,
        next_url=url_for("audit.show_audit", **asked, page=found.number + 1) if found.has_next else None,
    )


@bp.post("/verify")
def verify() -> ResponseReturnValue:
    with unit_of_work() as uow:
        verdict = verify_own_audit(uow)
    if verdict.is_whole:
        flash(
            _(
                "已逐条核验 {count} 条记录，链条完整；其中 {covered} 条与保险库中的 {points} 个检查点一致。"
            ).format(
                count=f"{verdict.entries:,}",
                covered=f"{verdict.covered:,}",
                points=f"{verdict.checkpoints:,}",
            ),
            "good",
        )
    if verdict.fault is not None:
        flash(
            _(
                "链条在第 {seq} 条断开，记录可能被改动。请保留现场，不要继续操作，并立即联系安全负责人。"
            ).format(seq=verdict.fault.seq),
            "stop",
        )
    if verdict.checkpoint_fault is not None:
        flash(
            _(
                "保险库中的第 {number} 个检查点缺失或被改动。请保留现场，不要继续操作，并立即联系安全负责人。"
            ).format(number=verdict.checkpoint_fault.number),
            "stop",
        )
    return redirect(url_for("audit.show_audit"), 303)


def _filter(asked: dict[str, str]) -> tuple[AuditFilter, dict[str, str]]:
    """What was asked for; a day that is none is left out and said."""
    errors: dict[str, str] = {}
    days = {}
    for name in ("since", "until"):
        try:
            days[name] = day_of(asked.get(name), name)
        except InvalidInput as error:
            errors |= errors_by_field(error)
    return (
        AuditFilter(
            subject_kind=asked.get("kind", ""),
            actor=asked.get("actor", ""),
            subject_id=asked.get("subject", ""),
            since=days.get("since"),
            until=days.get("until"),
        ),
        errors,
    )
