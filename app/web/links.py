"""The public edge: short links, the page they lead to, and whether an approval number is genuine.

Whoever comes here may be anybody. Nothing is shown that was not published, nothing is asked that
is not needed to answer, and every arrival is durable before the browser is sent on.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadData, URLSafeTimedSerializer

from app.bootstrap import derived_key
from app.domain.errors import InvalidInput, Missing
from app.domain.organisation import Actor, TenantId
from app.domain.publication import Standing
from app.domain.tracking import PREVIEW_CODE, TENANT_ZONE
from app.models.publication import Publication
from app.models.tenant import Tenant
from app.queries.handover import heir_of
from app.queries.landing import Alternative, PublicCard, ended_notice, public_card
from app.services.correction import CorrectionNote, correction_note
from app.services.lead import LeadForm, consent_to, leave_lead
from app.services.publication import verify_publication
from app.services.rendition import portrait, twin_of
from app.services.serving import ShownEdition, edition_facts, edition_spec, handed_out
from app.services.tracking import (
    Landing,
    LinkEnded,
    arrive,
    confirm_view,
    landing_of,
    open_landing,
    visited,
    way_to_successor,
)
from app.services.unit_of_work import UnitOfWork
from app.web.corrections import correction_words
from app.web.edge import VISIT_COOKIE, caller, platform, public, render_page
from app.web.i18n import translate as _
from app.web.kept_page import kept_page
from app.web.security import csrf

bp = Blueprint("links", __name__)

_CARRIED_VISITS: Final = 8
_PORTRAIT_WIDTH_PX: Final = 256
# Long enough for a page left open over lunch and dinner; a later one is simply sent once more.
_FORM_GOOD_FOR_S: Final = 7 * 24 * 3600
_GIF: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)


def _work() -> UnitOfWork:
    """A unit of work in no person's name; what it finds first says which tenant it belongs to."""
    return platform().unit_of_work(Actor.system("public-link"))


def _private(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _sent_on(token: str) -> Response:
    """The way to a visit's page, with a session cookie by which the browser owns up to it."""
    response = _private(make_response(redirect(url_for("links.show_landing", token=token), 302)))
    carried = [token, *(one for one in caller().carried_tokens if one != token)][:_CARRIED_VISITS]
    response.set_cookie(
        VISIT_COOKIE,
        ".".join(carried),
        httponly=True,
        secure=platform().settings.web.cookie_secure,
        samesite="Lax",
    )
    return response


@bp.get("/s/<code>")
@public
def follow(code: str) -> ResponseReturnValue:
    """Count an arrival and send it on; 302 and never 301, or the next one would not be seen."""
    if code == PREVIEW_CODE:
        return _private(render_page("public/preview.html"))
    with _work() as uow:
        arrival = arrive(uow, code, caller())
    return _sent_on(arrival.token)


@bp.get("/p/<token>")
@public
def show_landing(token: str) -> ResponseReturnValue:
    with _work() as uow:
        opened = open_landing(uow, token, caller())
        if isinstance(opened, Landing):
            return _landing_page(uow, opened, thanked=request.args.get("thanked") == "1")
    return _sent_on(opened.token)


@bp.post("/p/<token>")
@public
@csrf.exempt  # type: ignore[untyped-decorator]  # its token is in the form, reading needs no cookie
def send_lead(token: str) -> ResponseReturnValue:
    form = LeadForm(
        name=request.form.get("name", ""),
        phone=request.form.get("phone", ""),
        message=request.form.get("message", ""),
        consented=request.form.get("consent") == "1",
    )
    if not _form_is_ours(request.form.get("csrf_token", ""), token):
        with _work() as uow:
            page = _landing_page(uow, landing_of(uow, token), form=form, stale=True)
        return page, 400
    try:
        with _work() as uow:
            leave_lead(uow, token, form, caller())
    except InvalidInput as refused:
        faults = {fault.field: _(fault.reason) for fault in refused.faults}
        with _work() as uow:
            page = _landing_page(uow, landing_of(uow, token), form=form, faults=faults)
        return page, 422
    return redirect(url_for("links.show_landing", token=token, thanked=1, _anchor="lead"), 303)


@bp.post("/p/<token>/seen")
@public
@csrf.exempt  # type: ignore[untyped-decorator]  # a beacon has no form; it counts once at most
def seen(token: str) -> ResponseReturnValue:
    with _work() as uow:
        confirm_view(uow, token, caller())
    return _private(make_response("", 204))


@bp.get("/p/<token>/seen.gif")
@public
def seen_without_script(token: str) -> ResponseReturnValue:
    if request.method == "GET":
        with _work() as uow:
            confirm_view(uow, token, caller())
    response = make_response(_GIF)
    response.mimetype = "image/gif"
    return _private(response)


@bp.get("/p/<token>/picture.jpg")
@public
def picture(token: str) -> ResponseReturnValue:
    """The published bytes, one page of them; dark as soon as the content is not public."""
    page = request.args.get("page", 0, type=int)
    with _work() as uow:
        landing = landing_of(uow, token)
        if not 0 <= page < _pages(landing.shown):
            raise Missing(noun="picture")
        file = handed_out(uow, landing.shown, page=page)
    return _image(file.data, file.content_type, file.sha256)


@bp.get("/p/<token>/portrait.jpg")
@public
def show_portrait(token: str) -> ResponseReturnValue:
    with _work() as uow:
        # a leaver's face is gone with their name
        edition = edition_facts(uow, visited(uow, token).edition).edition
        advisor = heir_of(uow.session, edition.advisor)
        file = portrait(uow, advisor, width_px=_PORTRAIT_WIDTH_PX) if advisor is not None else None
    if file is None:
        raise Missing(noun="portrait")
    return _image(file.data, file.content_type, file.sha256, max_age_s=300)


@bp.get("/v")
@public
def ask_number() -> ResponseReturnValue:
    wanted = request.args.get("no", "").strip()
    if wanted:
        return redirect(url_for("links.verify", approval_no=wanted[:64]), 303)
    return render_page("public/verify.html", asked=None, found=None)


@bp.get("/v/<approval_no>")
@public
def verify(approval_no: str) -> ResponseReturnValue:
    """Genuine? Valid now? Until when? Whose?"""
    try:
        with _work() as uow:
            found = verify_publication(uow, approval_no)
            g.tenant = uow.session.get(Tenant, found.publication.tenant_id)
            advisor = found.advisor
            has_left = advisor is not None and not advisor.is_active
            card = (
                public_card(advisor, advisor.org_unit.name) if advisor is not None and not has_left else None
            )
            branch = advisor.org_unit.name if advisor is not None else ""
            at = uow.clock.now()
    except Missing:
        return _private(render_page("public/verify.html", asked=approval_no[:40], found=None)), 404
    page = render_page(
        "public/verify.html",
        asked=found.publication.approval_no,
        found=found,
        standing=_public_standing(found.standing.value),
        card=card,
        left_branch=branch if has_left else "",
        correction=_note_words(found.note) if found.note else None,
        replaced_by=found.replaced_by,
        title_of_piece=found.publication.piece.template_version.template.name,
        at=at.astimezone(TENANT_ZONE),
        zone=TENANT_ZONE,
    )
    return _private(page)


@bp.errorhandler(Missing)
def _unknown(_error: Missing) -> ResponseReturnValue:
    return _private(render_page("public/unknown.html")), 404


@bp.errorhandler(LinkEnded)
def _ended(ended: LinkEnded) -> ResponseReturnValue:
    """The content is over or not there yet: say so with dignity, and whom to ask."""
    visit, edition = ended.visit, ended.edition
    standing, since = ended.data["standing"], ended.data.get("since")
    g.tenant = edition.tenant
    with _work() as uow:
        uow.belong_to(TenantId(edition.tenant_id))
        notice = ended_notice(uow.session, edition, visit.channel, at=uow.clock.now())
        found = way_to_successor(uow, edition, visit.channel)
        following = (
            Alternative(found[0].template_version.template.name, found[1]) if found else notice.alternative
        )

        def draw(token: str) -> str:
            return render_template(
                "public/ended.html",
                standing="left" if notice.has_left else _public_standing(standing),
                piece_title=notice.piece_title,
                ended_on=f"{since.astimezone(TENANT_ZONE):%Y-%m-%d %H:%M}" if since else None,
                person=_person(notice.card, token) if notice.card else None,
                branch=notice.branch,
                note=notice.note if standing == Standing.RECALLED.value else "",
                alternative={"title": following.title, "href": url_for("links.follow", code=following.code)}
                if following
                else None,
                hotline=edition.tenant.hotline,
            )

        says = (visit.edition.versions, standing, since, notice, following)
        return _private(kept_page(uow, says, draw, token=visit.token)), 410


def _landing_page(
    uow: UnitOfWork,
    landing: Landing,
    *,
    form: LeadForm | None = None,
    faults: dict[str, str] | None = None,
    stale: bool = False,
    thanked: bool = False,
) -> Response:
    shown, token = landing.shown, landing.visit.token
    form_token = _signer().dumps(token)
    g.tenant = shown.edition.tenant  # the page bears the name of the institution it comes from

    def draw(token: str, form_token: str) -> str:
        edition, publication = shown.edition, shown.publication
        version = publication.piece.template_version
        spec = edition_spec(uow, edition, publication)
        return render_template(
            "public/landing.html",
            token=token,
            # the design's name: a piece's own title is a working name that nobody reviewed
            piece_title=version.template.name,
            pages=[url_for("links.picture", token=token, page=page) for page in range(_pages(shown))],
            width_px=version.manifest["width_px"],
            height_px=version.manifest["height_px"],
            twin=[line for line in twin_of(uow, spec) if line.slot != "disclosure"],
            person=_person(public_card(edition.advisor, edition.advisor.org_unit.name), token),
            correction=_correction(uow, publication),
            disclosure=publication.revision.disclosure,
            approval_no=publication.approval_no,
            valid_until=publication.valid_until.astimezone(TENANT_ZONE),
            form=form or LeadForm("", "", "", consented=False),
            faults=faults or {},
            stale=stale,
            thanked=thanked,
            consent=consent_to(edition.tenant),
            form_token=form_token,
        )

    if form is not None:
        # with what somebody typed in it, a page is theirs alone
        return _private(Response(draw(token, form_token)))
    return _private(kept_page(uow, (shown.versions, thanked), draw, token=token, form_token=form_token))


def _correction(uow: UnitOfWork, publication: Publication) -> dict[str, Any] | None:
    """The visible note of a correction, in words."""
    note = correction_note(uow, publication)
    return _note_words(note) if note else None


def _note_words(note: CorrectionNote) -> dict[str, Any]:
    return {
        "at": note.at.astimezone(TENANT_ZONE),
        "why": correction_words(note.kind),
        "labels": note.labels,
        "former_no": note.former_no,
    }


def _person(card: PublicCard, token: str) -> dict[str, Any]:
    return {
        "name": card.name,
        "title": card.title,
        "licence_no": card.licence_no,
        "phone": card.phone,
        "branch": card.branch,
        "photo_url": url_for("links.show_portrait", token=token) if card.has_photo else None,
    }


def _public_standing(standing: str) -> str:
    """The standing as the public pages name it."""
    if standing == Standing.NOT_YET.value:
        return "unpublished"
    return standing


def _pages(shown: ShownEdition) -> int:
    return int(shown.publication.piece.template_version.manifest["pages"])


def _signer() -> URLSafeTimedSerializer:
    key = derived_key(platform().settings.web.secret_key, "lead-form")
    return URLSafeTimedSerializer(key, salt="lead-form")


def _form_is_ours(form_token: str, token: str) -> bool:
    try:
        return bool(_signer().loads(form_token, max_age=_FORM_GOOD_FOR_S) == token)
    except BadData:
        return False


def _image(data: bytes, content_type: str, sha256: str, *, max_age_s: int = 0) -> Response:
    """A picture; without an age a browser asks each time, so that what was recalled is dark at once."""
    response = make_response(data)
    response.mimetype = content_type
    response.set_etag(sha256)
    response.headers["Cache-Control"] = (
        f"private, max-age={max_age_s}, must-revalidate" if max_age_s else "private, no-cache"
    )
    response.make_conditional(request)
    response.headers["X-Robots-Tag"] = "noindex, noimageindex"
    return response
