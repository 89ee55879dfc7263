"""资料变更: before and after of a profile side by side, decided by a second person."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.advisor import ProfileField
from app.domain.errors import IllegalTransition, InvalidInput, Missing, SelfApproval
from app.domain.organisation import Permission
from app.domain.profile import ProfileChangeState
from app.queries.profile import profile_changes
from app.queries.review import FoundHit, names_of
from app.services.access import require
from app.services.advisor import kept_portrait
from app.services.check import PORTRAIT_FIELD, judge_portrait
from app.services.independence import persons_of
from app.services.profile import access_change, decide_change
from app.services.reading import crops_of
from app.web.edge import actor, render_page, unit_of_work
from app.web.errors import said
from app.web.forms.people import errors_by_field, page_number
from app.web.i18n import translate as _
from app.web.people_words import FIELDS
from app.web.pictures import in_page, picture_answer
from compliance.finding import Severity

bp = Blueprint("profile", __name__)

STATE_WORDS: Final[dict[ProfileChangeState, str]] = {
    ProfileChangeState.OPEN: "待审核",
    ProfileChangeState.APPROVED: "已通过",
    ProfileChangeState.REJECTED: "已驳回",
    ProfileChangeState.WITHDRAWN: "已撤回",
}


@bp.get("/profile-changes")
def list_changes() -> ResponseReturnValue:
    asked = request.args.get("state", "")
    state = ProfileChangeState(asked) if asked in set(ProfileChangeState) else ProfileChangeState.OPEN
    with unit_of_work() as uow:
        scope = require(uow, Permission.REVIEW_VIEW)
        found = profile_changes(uow.session, scope, state=state, page=page_number(request.args.get("page")))
    return render_page(
        "profile/list.html",
        found=found,
        field_words={field.value: _(words) for field, words in FIELDS.items()},
        tabs=[
            (_(words), url_for("profile.list_changes", state=key.value), key is state, None)
            for key, words in STATE_WORDS.items()
        ],
        previous_url=url_for("profile.list_changes", state=state.value, page=found.number - 1)
        if found.has_previous
        else None,
        next_url=url_for("profile.list_changes", state=state.value, page=found.number + 1)
        if found.has_next
        else None,
    )


@bp.get("/profile-changes/<uuid:change_id>")
def show_change(change_id: UUID) -> ResponseReturnValue:
    return _change(change_id)


@bp.get("/profile-changes/<uuid:change_id>/<side>.jpg")
def show_photo(change_id: UUID, side: str) -> ResponseReturnValue:
    """The portrait before, or the one asked for."""
    with unit_of_work() as uow:
        change = access_change(uow, change_id, may=Permission.REVIEW_VIEW)
        values = {"before": change.before, "after": change.after}.get(side, {})
        sha256 = values.get(ProfileField.PHOTO.value)
        if not sha256:
            raise Missing(noun="portrait")
        picture = kept_portrait(uow, str(sha256))
    return picture_answer(picture)


@bp.post("/profile-changes/<uuid:change_id>/decision")
def decide(change_id: UUID) -> ResponseReturnValue:
    approve = request.form.get("outcome") == "approve"
    try:
        with unit_of_work() as uow:
            change = decide_change(uow, change_id, approve=approve, reason=request.form.get("reason", ""))
            name = change.advisor.name
    except SelfApproval as refused:
        return _change(change_id, refused=said(refused)), 403
    except IllegalTransition as refused:
        return _change(change_id, refused=said(refused)), 409
    except InvalidInput as error:
        return _change(change_id, errors=errors_by_field(error)), 422
    words = (
        _("已通过，{name}的新资料即刻生效；在用的图会提示刷新。")
        if approve
        else _("已驳回，{name}的原资料照常使用。")
    )
    flash(words.format(name=name), "good" if approve else "info")
    return redirect(url_for("profile.list_changes"), 303)


def _change(change_id: UUID, *, refused: str | None = None, errors: dict[str, str] | None = None) -> Response:
    me = actor()
    with unit_of_work() as uow:
        change = access_change(uow, change_id, may=Permission.REVIEW_VIEW)
        hands = [one for one in (*change.proposers, change.advisor.user_id) if one is not None]
        persons = persons_of(uow, [*hands, *([me.user_id] if me.user_id else [])])
        own = me.user_id is not None and persons.get(me.user_id) in {persons.get(one) for one in hands}
        people = names_of(
            uow.session, [*change.proposers, *([change.decided_by] if change.decided_by else [])]
        )
        photo = str(change.after.get(ProfileField.PHOTO.value) or "")
        found = (
            [
                FoundHit.of(one)
                for one in judge_portrait(uow, photo).findings
                if one.severity is not Severity.NOTE
            ]
            if photo
            else []
        )
        crops = in_page(crops_of(uow, {PORTRAIT_FIELD: photo}, found))
    is_open = change.state is ProfileChangeState.OPEN
    return render_page(
        "profile/change.html",
        change=change,
        fields=[
            (field.value, _(words), str(change.before.get(field.value, "")), str(change.after[field.value]))
            for field, words in FIELDS.items()
            if field.value in change.after
        ],
        people=people,
        found=found,
        crops=crops,
        own=own,
        may_decide=is_open and not own and me.may(Permission.REVIEW_DECIDE),
        refused=refused,
        errors=errors or {},
        state_words=_(STATE_WORDS[change.state]),
    )
