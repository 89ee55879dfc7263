"""我的: the profile a picture is made from, what of it is verified, and the licence."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.advisor import ProfileField
from app.domain.errors import DomainError, InvalidInput, Missing, UnsupportedFile
from app.domain.profile import ProfileChangeState
from app.domain.template import REQUIRED_LICENCE
from app.services.access import own_advisor
from app.services.advisor import (
    change_own_profile,
    kept_portrait,
    portrait_of,
    remove_portrait,
    upload_portrait,
)
from app.services.profile import confirm_profile, last_change, open_change, term_of, value_of, withdraw_change
from app.services.rollup import today
from app.web.edge import actor, platform, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import errors_by_field
from app.web.i18n import translate as _
from app.web.people_words import FIELDS
from app.web.pictures import picture_answer

bp = Blueprint("me", __name__)

_WARN_BEFORE: Final = timedelta(days=30)
_TOLD_FOR: Final = timedelta(days=14)


@bp.get("/me")
def show_me() -> ResponseReturnValue:
    if actor().advisor_id is None:
        return redirect(url_for("account.show_account"), 303)
    return _page()


@bp.post("/me/portrait")
def keep_portrait() -> ResponseReturnValue:
    """A new photo of one's own; it needs to be verified before it passes without a person."""
    file = request.files.get("photo")
    try:
        with unit_of_work() as uow:
            upload_portrait(
                uow,
                file.read() if file else b"",
                attested=request.form.get("attested") == "1",
                most_pixels=platform().settings.limits.image_pixels,
            )
    except (InvalidInput, UnsupportedFile) as refused:
        page = _page(faults=_faults(refused))
        page.status_code = 422
        return page
    flash(_("照片已提交审核。通过之前，图上仍用原来的。"), "good")
    return redirect("/me", 303)


@bp.post("/me/profile")
def ask_for_change() -> ResponseReturnValue:
    """Other words for one's own pictures; the old ones stay until somebody else agrees."""
    form = request.form
    try:
        with unit_of_work() as uow:
            change = change_own_profile(
                uow,
                title=form.get("title", ""),
                phone=form.get("phone", ""),
                licence_no=form.get("licence_no", ""),
            )
    except InvalidInput as refused:
        page = _page(faults=errors_by_field(refused), typed=form)
        page.status_code = 422
        return page
    if change is None:
        flash(_("没有变化，无须审核。"), "info")
    else:
        flash(_("已提交审核。通过之前，图上仍用原来的资料。"), "good")
    return redirect("/me", 303)


@bp.post("/me/profile/withdraw")
def take_change_back() -> ResponseReturnValue:
    with unit_of_work() as uow:
        withdraw_change(uow)
    flash(_("已撤回，资料保持不变。"), "info")
    return redirect("/me", 303)


@bp.post("/me/confirm")
def confirm() -> ResponseReturnValue:
    """Say that all of it is still right."""
    with unit_of_work() as uow:
        confirm_profile(uow)
    flash(_("已确认，谢谢。"), "good")
    return redirect("/me", 303)


@bp.get("/me/portrait/pending.jpg")
def show_pending_portrait() -> ResponseReturnValue:
    """The portrait one asked for and nobody has decided on."""
    with unit_of_work() as uow:
        change = open_change(uow, own_advisor(uow).id)
        sha256 = change.after.get(ProfileField.PHOTO.value) if change else None
        if not sha256:
            raise Missing(noun="portrait")
        picture = kept_portrait(uow, str(sha256))
    return picture_answer(picture)


@bp.post("/me/portrait/remove")
def drop_portrait() -> ResponseReturnValue:
    with unit_of_work() as uow:
        remove_portrait(uow)
    flash(_("照片已移除，图上会显示您的姓氏。"), "good")
    return redirect("/me", 303)


@bp.get("/me/portrait.jpg")
def show_portrait() -> ResponseReturnValue:
    with unit_of_work() as uow:
        picture = portrait_of(uow, own_advisor(uow))
    if picture is None:
        raise Missing(noun="portrait")
    return picture_answer(picture)


def _faults(refused: DomainError) -> dict[str, str]:
    if isinstance(refused, InvalidInput):
        return errors_by_field(refused)
    return {"photo": said(refused)}


def _page(*, faults: Mapping[str, str] | None = None, typed: Mapping[str, str] | None = None) -> Response:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        day = today(uow)
        until = advisor.licence_until
        term = term_of(uow, advisor)
        change = last_change(uow, advisor.id)
        # a form that is sent again does not take back what waits
        asked = change.after if change is not None and change.state is ProfileChangeState.OPEN else {}
        now = uow.clock.now()
        return render_page(
            "me/me.html",
            advisor=advisor,
            branch=advisor.org_unit.name,
            fields=[
                (_("姓名"), advisor.name, ProfileField.NAME in advisor.verified_fields),
                (_("职务"), advisor.title, ProfileField.TITLE in advisor.verified_fields),
                (_("执业编号"), advisor.licence_no, ProfileField.LICENCE_NO in advisor.verified_fields),
                (_("电话"), advisor.phone, ProfileField.PHONE in advisor.verified_fields),
            ],
            photo_is_verified=ProfileField.PHOTO in advisor.verified_fields,
            faults=faults or {},
            typed=typed
            or {
                field.value: str(asked.get(field.value, value_of(advisor, field)))
                for field in (ProfileField.TITLE, ProfileField.PHONE, ProfileField.LICENCE_NO)
            },
            change=change if change is not None and (change.decided_at or now) > now - _TOLD_FOR else None,
            changed=[
                (
                    field.value,
                    _(words),
                    str(change.before.get(field.value, "")),
                    str(change.after[field.value]),
                )
                for field, words in FIELDS.items()
                if change is not None and field.value in change.after
            ],
            expired=term.has_ended(at=now),
            days_left=term.days_left(at=now),
            notice=term.notice(at=now),
            confirmed_at=advisor.profile_confirmed_at or advisor.created_at,
            licences=advisor.licences,
            lacking=sorted(set(REQUIRED_LICENCE.values()) - set(advisor.licences)),
            lapsed=until is not None and until < day,
            lapses_soon=until is not None and day <= until <= day + _WARN_BEFORE,
        )
