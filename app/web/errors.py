"""The one table from what went wrong to how HTTP says it: a page, a fragment, or problem+json."""

from __future__ import annotations

from typing import Any, Final

import structlog
from flask import Flask, Response, g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.domain import errors
from app.domain.errors import DomainError, Fault, InvalidInput
from app.domain.profile import ProfileExpired
from app.ports import ObjectMissing, ObjectStoreUnavailable
from app.web.edge import DATABASE_GONE, render_page
from app.web.i18n import translate

log = structlog.get_logger(__name__)

# The most particular class wins; a subclass without a row has its parent's status.
STATUS: Final[dict[type[DomainError], int]] = {
    DomainError: 400,
    errors.Missing: 404,
    errors.AccessDenied: 403,
    errors.SignInRequired: 401,
    errors.WrongCredentials: 401,
    errors.TooManyAttempts: 429,
    errors.InvalidInput: 422,
    errors.IllegalTransition: 409,
    errors.StaleRevision: 409,
    errors.AlreadyDecided: 409,
    errors.GateClosed: 409,
    errors.DifferentRepeat: 409,
    errors.RecordIsKept: 409,
    errors.TermOnlyGrows: 422,
    errors.CheckBlocked: 422,
    errors.QualificationMissing: 403,
    ProfileExpired: 403,
    errors.Ended: 410,
    errors.TooLarge: 413,
    errors.UnsupportedFile: 415,
    errors.Unavailable: 503,
}

_UNAVAILABLE: Final = 503
_RETRY_AFTER_S: Final = "10"


def status_of(error: DomainError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def is_api() -> bool:
    return request.path.startswith("/api/")


def wants_page() -> bool:
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "text/html"


def problem(  # the shape of RFC 9457, with our code, faults and the request's id
    status: int,
    code: str,
    title: str,
    detail: str = "",
    faults: tuple[Fault, ...] = (),
    **more: Any,
) -> Response:
    body: dict[str, Any] = {
        "type": f"urn:imprimatur:problem:{code}",
        "title": title,
        "status": status,
        "code": code,
        "request_id": g.get("request_id", ""),
        **more,
    }
    if detail:
        body["detail"] = detail
    if faults:
        body["errors"] = [
            {
                key: value
                for key, value in (
                    ("field", fault.field),
                    ("code", fault.code),
                    ("reason", fault.reason),
                    ("row", fault.row),
                    ("column", fault.column),
                )
                if value is not None
            }
            for fault in faults
        ]
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    response.headers["Cache-Control"] = "no-store"
    return response


def said(error: DomainError) -> str:
    """What happened and what to do, in the reader's language."""
    reason = error.said(translate(error.reason))
    remedy = error.said(translate(error.remedy)) if error.remedy else ""
    return " ".join(part for part in (reason, remedy) if part)


def register_errors(app: Flask) -> None:  # noqa: C901 - one door after another
    """Every error leaves by one of these doors."""

    @app.errorhandler(DomainError)
    def _domain(error: DomainError) -> ResponseReturnValue:
        status = status_of(error)
        if isinstance(error, errors.SignInRequired) and not is_api() and wants_page():
            target = request.full_path if request.method == "GET" else "/"
            return redirect(url_for("sign_in.show_login", next=target.rstrip("?")), 303)
        faults = error.faults if isinstance(error, InvalidInput) else ()
        answer = _answer(status, error.code, said(error), faults, **_particulars(error))
        if isinstance(error, errors.TooManyAttempts):
            answer.headers["Retry-After"] = str(error.data["retry_after_s"])
        if isinstance(error, errors.SignInRequired | errors.WrongCredentials) and is_api():
            answer.headers["WWW-Authenticate"] = "Bearer"
        return answer

    @app.errorhandler(CSRFError)
    def _csrf(_error: CSRFError) -> ResponseReturnValue:
        return _answer(
            400, "csrf", translate("页面停留太久，安全校验已过期。请返回刷新后重试，已填内容不会丢失。")
        )

    @app.errorhandler(ObjectMissing)
    def _missing(error: ObjectMissing) -> ResponseReturnValue:
        log.error("object_missing", key=error.key)
        return _answer(503, "unavailable", translate("文件暂时取不到，请稍后重试。"))

    @app.errorhandler(ObjectStoreUnavailable)
    def _store(error: ObjectStoreUnavailable) -> ResponseReturnValue:
        log.error("object_store_unavailable", exc_info=error)
        return _answer(503, "unavailable", translate("存储暂时不可用，您的内容没有丢失，请稍后重试。"))

    def _database(error: Exception) -> ResponseReturnValue:
        g.database_gone = True
        log.error("database_unavailable", exc_info=error)
        return _answer(503, "unavailable", translate("系统繁忙，您的内容没有丢失，请稍后重试。"))

    for kind in DATABASE_GONE:
        app.register_error_handler(kind, _database)

    @app.errorhandler(HTTPException)
    def _http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status in {301, 302, 303, 307, 308}:
            return error
        answer = _answer(status, error.name.lower().replace(" ", "_"), "")
        for name, value in error.get_headers():
            if name.lower() in {"allow", "retry-after"}:
                answer.headers[name] = value
        return answer

    @app.errorhandler(Exception)
    def _bug(error: Exception) -> ResponseReturnValue:
        log.error("unhandled", exc_info=error)
        return _answer(500, "internal", "")


def _particulars(error: DomainError) -> dict[str, Any]:
    """What a machine needs beyond the sentence to do something about it."""
    if isinstance(error, errors.CheckBlocked) and "report" in error.data:
        return {"findings": error.data["report"].to_dict()["findings"]}
    if isinstance(error, errors.AlreadyDecided):
        return {key: error.data.get(key) for key in ("state", "step")}
    return {}


def _answer(
    status: int, code: str, detail: str, faults: tuple[Fault, ...] = (), **particulars: Any
) -> Response:
    if is_api() or not wants_page():
        response = problem(status, code, detail or code, faults=faults, **particulars)
    else:
        response = _page(status, detail)
    if status == _UNAVAILABLE:
        response.headers["Retry-After"] = _RETRY_AFTER_S
    return response


def _page(status: int, detail: str) -> Response:
    response = render_page(
        "error.html", status=status, detail=detail or None, reference=g.get("request_id", "")
    )
    response.status_code = status
    return response
