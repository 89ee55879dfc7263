"""Bring people in from a file: look at what it would do, then say yes."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import ImportRefused, Missing
from app.domain.organisation import Permission
from app.domain.roster import COLUMNS, RosterKind
from app.domain.tracking import TENANT_ZONE
from app.queries.audit import AuditFilter, audit_lines
from app.services.access import require
from app.services.roster_import import drop_upload, import_roster, keep_upload, kept_upload, plan_import
from app.services.sheet import roster_template
from app.web.edge import platform, render_page, unit_of_work
from app.web.i18n import translate as _

bp = Blueprint("roster_import", __name__, url_prefix="/imports")

_WORDS: Final = {RosterKind.ORGANISATION: "机构", RosterKind.ADVISORS: "客户经理"}
_SHOWN: Final = 200
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("")
def show_imports() -> ResponseReturnValue:
    with unit_of_work() as uow:
        require(uow, Permission.ORGANISATION_MANAGE)
        recent = audit_lines(
            uow.session,
            uow.tenant_id,
            AuditFilter(subject_kind="roster", actor=str(uow.actor.user_id)),
            zone=TENANT_ZONE,
        )
    return render_page(
        "roster_import/imports.html",
        kinds=[(kind.value, _(words), COLUMNS[kind]) for kind, words in _WORDS.items()],
        words={kind.value: _(words) for kind, words in _WORDS.items()},
        recent=recent.rows[:10],
        most_rows=platform().settings.limits.import_rows,
        most_mib=platform().settings.limits.upload_bytes // (1024 * 1024),
    )


@bp.get("/<kind>/template.xlsx")
def download_template(kind: str) -> ResponseReturnValue:
    chosen = _kind(kind)
    with unit_of_work() as uow:
        require(uow, Permission.ORGANISATION_MANAGE)
    response = make_response(roster_template(chosen))
    response.content_type = _XLSX
    response.headers["Content-Disposition"] = f'attachment; filename="imprimatur-{chosen.value}.xlsx"'
    return response


@bp.post("/<kind>/upload")
def upload(kind: str) -> ResponseReturnValue:
    chosen = _kind(kind)
    file = request.files.get("file")
    if file is None or not file.filename:
        flash(_("请先选择一个文件。"), "attention")
        return redirect(url_for("roster_import.show_imports"), 303)
    with unit_of_work() as uow:
        require(uow, Permission.ORGANISATION_MANAGE)
        sha256 = keep_upload(uow, chosen, file.read())
    name = file.filename.replace("\\", "/").rpartition("/")[2][-60:]
    return redirect(url_for("roster_import.preview", kind=kind, file=sha256, name=name or None), 303)


@bp.get("/<kind>/preview")
def preview(kind: str) -> ResponseReturnValue:
    chosen, sha256 = _kind(kind), request.args.get("file", "")
    plan, refused = None, None
    try:
        with unit_of_work() as uow:
            require(uow, Permission.ORGANISATION_MANAGE)
            data = kept_upload(uow, chosen, sha256)
            plan = plan_import(uow, chosen, data, most_rows=platform().settings.limits.import_rows)
    except ImportRefused as error:
        refused = error
    return render_page(
        "roster_import/preview.html",
        kind=kind,
        words=_(_WORDS[chosen]),
        file_name=request.args.get("name", "")[:60],
        sha256=sha256,
        plan=plan,
        refused=refused,
        shown=_SHOWN,
    )


@bp.post("/<kind>")
def carry_out(kind: str) -> ResponseReturnValue:
    chosen, sha256 = _kind(kind), request.form.get("file", "")
    try:
        with unit_of_work() as uow:
            require(uow, Permission.ORGANISATION_MANAGE)
            data = kept_upload(uow, chosen, sha256)
            plan = import_roster(uow, chosen, data, most_rows=platform().settings.limits.import_rows)
    except ImportRefused:
        # what is stored has changed since the preview: look again at the same file
        return redirect(url_for("roster_import.preview", kind=kind, file=sha256), 303)
    with unit_of_work() as uow:
        drop_upload(uow, chosen)
    flash(
        _("导入完成：新增 {created}，更新 {updated}，不变 {unchanged}。").format(
            created=plan.created, updated=plan.updated, unchanged=plan.unchanged
        ),
        "good",
    )
    return redirect(url_for("organisation.show_organisation"), 303)


def _kind(text: str) -> RosterKind:
    try:
        return RosterKind(text)
    except ValueError as error:
        raise Missing(noun="import") from error
