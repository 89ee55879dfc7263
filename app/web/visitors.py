"""访客: who looked, as far as they allowed, and who asked to be called."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.domain.tracking import EventKind, LinkChannel
from app.queries.visitor import not_counted, visitor_days
from app.services.access import own_advisor
from app.services.lead import read_own_leads
from app.services.rollup import today
from app.web.edge import render_page, unit_of_work

bp = Blueprint("visitors", __name__)

_LOOK_BACK: Final = timedelta(days=30)
SOURCE_WORDS: Final = {
    "wechat": "微信",
    "wecom": "企业微信",
    "alipay": "支付宝",
    "dingtalk": "钉钉",
    "browser": "手机浏览器",
}
KIND_WORDS: Final = {
    EventKind.SCAN: "扫了二维码",
    EventKind.CLICK: "点开链接",
    EventKind.FORWARD: "打开了别人转来的页面",
    EventKind.VIEW: "看了页面",
    EventKind.LEAD: "留下联系方式",
}
CHANNEL_WORDS: Final = {
    LinkChannel.QR: "图上二维码",
    LinkChannel.MOMENTS: "朋友圈",
    LinkChannel.GROUP: "微信群",
    LinkChannel.OA: "公众号",
    LinkChannel.SMS: "短信",
    LinkChannel.OFFLINE: "线下",
}


@bp.get("/visitors")
def show_visitors() -> ResponseReturnValue:
    with unit_of_work() as uow:
        advisor = own_advisor(uow)
        since = today(uow) - _LOOK_BACK
        days = visitor_days(uow.session, advisor.id, since=since)
        return render_page(
            "visitors/visitors.html",
            days=days,
            people=sum(len(day.visitors) for day in days),
            leads=read_own_leads(uow),
            apart=not_counted(uow.session, advisor.id, since=since),
            source_words=SOURCE_WORDS,
            kind_words=KIND_WORDS,
            channel_words=CHANNEL_WORDS,
        )
