"""规则: what the rules say, clause by clause, and what they say of a text typed here."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.queries.page import Page
from app.services.check import check_text
from app.services.ruleset import rules_found
from app.web.edge import actor, render_page, unit_of_work
from app.web.forms.people import errors_by_field, page_number
from app.web.i18n import translate as _
from compliance.document import Channel, Sector
from compliance.rule import Rule

bp = Blueprint("ruleset", __name__, url_prefix="/rules")

_PAGE_SIZE: Final = 25
_LONGEST_TEXT: Final = 5_000
_LONGEST_WORDS: Final = 64
SECTORS: Final = {
    Sector.BANK: "银行",
    Sector.SECURITIES: "证券",
    Sector.FUND: "基金",
    Sector.INSURANCE: "保险",
    Sector.GENERAL: "通用",
}
CHANNELS: Final = {
    Channel.MOMENTS: "朋友圈",
    Channel.GROUP: "微信群",
    Channel.OA: "公众号",
    Channel.SMS: "短信",
    Channel.POSTER: "海报",
    Channel.PRODUCT_PAGE: "产品页",
    Channel.LIVE: "直播",
    Channel.OTHER: "其他",
}


@bp.get("")
def show_rules() -> ResponseReturnValue:
    return _rules()


@bp.post("/try")
def try_text() -> ResponseReturnValue:
    """Judge a text that is kept nowhere."""
    text = request.form.get("text", "").replace("\r\n", "\n")
    tried: dict[str, Any] = {"text": text, "channel": request.form.get("channel", "")}
    try:
        if not text.strip():
            raise InvalidInput.of("text", "required", "请输入要试检的文字。")
        if len(text) > _LONGEST_TEXT:
            raise InvalidInput.of("text", "too_long", f"最多 {_LONGEST_TEXT} 字。")
        with unit_of_work() as uow:
            report = check_text(uow, text, sector=None, channel=tried["channel"])
    except InvalidInput as error:
        return _rules(tried, errors=errors_by_field(error)), 422
    return _rules(tried | {"report": report})


def _rules(tried: dict[str, Any] | None = None, *, errors: dict[str, str] | None = None) -> Response:
    words = request.args.get("q", "").strip()[:_LONGEST_WORDS]
    sector = request.args.get("sector", "")
    chosen = Sector(sector) if sector in set(Sector) else None
    with unit_of_work() as uow:
        rules = rules_found(uow, words=words, sector=chosen)
        version, digest = uow.around.ruleset.version, uow.around.ruleset.digest
        total = len(uow.around.ruleset.rules)
    number = min(page_number(request.args.get("page")), max(1, -(-len(rules) // _PAGE_SIZE)))
    start = (number - 1) * _PAGE_SIZE
    found: Page[Rule] = Page(rules[start : start + _PAGE_SIZE], number, _PAGE_SIZE, len(rules))
    asked: dict[str, Any] = {name: value for name, value in (("q", words), ("sector", chosen or "")) if value}

    def address(page: int) -> str:
        return url_for("ruleset.show_rules", **asked, page=page)

    return render_page(
        "rules/list.html",
        block="results",
        found=found,
        asked=asked,
        tried=tried or {},
        errors=errors or {},
        version=version,
        digest=digest,
        total=total,
        may_try=actor().may(Permission.CHECK_TEXT),
        sector_words=SECTORS,
        channel_words=CHANNELS,
        sectors=[("", _("全部")), *((one.value, _(word)) for one, word in SECTORS.items())],
        channels=[(one.value, _(word)) for one, word in CHANNELS.items()],
        previous_url=address(number - 1) if found.has_previous else None,
        next_url=address(number + 1) if found.has_next else None,
    )
