"""The audit trail: who did what, and whether the chain is whole."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.domain.tracking import TENANT_ZONE
from app.queries.audit import AuditFilter, audit_lines, chain_end, subject_kinds
from app.services.access import require_everywhere
from app.services.audit import verify_audit
from app.web.edge import render_page, unit_of_work
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
        require_everywhere(uow, Permission.AUDIT_VIEW)
        found = audit_lines(
            uow.session, uow.tenant_id, sought, zone=TENANT_ZONE, number=page_number(request.args.get("page"))
        )
        end = chain_end(uow.session, uow.tenant_id)
        kinds = subject_kinds(uow.session, uow.tenant_id)
    return render_page(
        "audit/list.html",
        block="results",
        found=found,
        end=end,
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
        require_everywhere(uow, Permission.AUDIT_VIEW)
        count, fault = verify_audit(uow.session, uow.tenant_id)
    if fault is None:
        flash(_("已逐条核验 {count} 条记录，链条完整。").format(count=f"{count:,}"), "good")
    else:
        flash(
            _(
                "链条在第 {seq} 条断开，记录可能被改动。请保留现场，不要继续操作，并立即联系安全负责人。"
            ).format(seq=fault.seq),
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
