"""The readable part of an evidence pack: what was shown, who allowed it, what the trail says."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from app.domain.publication import EndReason
from app.domain.tracking import TENANT_ZONE
from templates_lib.dossier import dossier_pdf, reduced

_PICTURE_PX: Final = 900
PRODUCTS: Final = {
    "none": "不涉及产品",
    "wealth": "银行理财",
    "fund": "公募基金",
    "money_fund": "货币基金",
    "insurance": "保险",
    "dividend_insurance": "分红保险",
    "loan": "贷款",
    "deposit": "存款",
    "securities_advice": "证券投顾",
}
_KINDS: Final = {"publication": "发布原件", "edition": "客户经理的一份"}
_OUTCOMES: Final = {"approve": "通过", "reject": "驳回", "request_changes": "退回修改"}
_VERDICTS: Final = {"pass": "未命中规则", "warn": "慎用", "review": "需人工审核", "block": "须修改"}
_WEIGHTS: Final = {"warn": "慎用", "review": "需人工审核", "block": "须修改"}
_ENDS: Final = {
    EndReason.EXPIRED: "到期",
    EndReason.TAKEN_DOWN: "下架",
    EndReason.RECALLED: "召回",
    EndReason.REPLACED: "被新版替换",
}
# What the trail's tags mean, for those that a pack's extract holds.
_ACTS: Final = {
    "archive:read": "查阅档案",
    "archive:seal": "封存记录",
    "check:complete": "完成合规检测",
    "edition:open": "客户经理开始使用",
    "edition:recalled": "召回客户经理的一份",
    "hold:ask_release": "申请解除法律保全",
    "hold:place": "设立法律保全",
    "hold:release": "解除法律保全",
    "piece:approve": "审核通过",
    "piece:create": "新建作品",
    "piece:edit": "修改作品",
    "piece:reject": "审核驳回",
    "piece:request_changes": "退回修改",
    "piece:submit": "送审",
    "piece:withdraw": "撤回",
    "publication:expired": "到期",
    "publication:publish": "发布",
    "publication:recalled": "召回",
    "publication:replaced": "被新版替换",
    "publication:taken_down": "下架",
    "review:approve_step": "通过一步",
    "review:assign": "转交审核",
    "review:escalate": "临期提醒",
    "review:lapse": "超时撤回",
    "review:open": "开始审核",
    "review:refuse": "拒绝（四眼原则）",
    "review:take_over": "接手审核",
    "template:clear": "模板确认免审",
    "template:load": "登记模板",
    "template:publish": "发布模板",
    "template:retire": "停用模板",
}


@dataclass(frozen=True, slots=True)
class ReportedItem:
    """One record with its pictures, and how its publication ended since."""

    record: Mapping[str, Any]
    record_sha256: str
    ended_at: datetime | None
    end_reason: EndReason | None
    end_note: str
    pictures: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class EntryLine:
    seq: int
    at: datetime
    tag: str
    actor: str
    subject_id: str
    checkpoint: int

    @property
    def act(self) -> str:
        return _ACTS.get(self.tag, self.tag)


@dataclass(frozen=True, slots=True)
class PointLine:
    number: int
    first: int
    last: int
    at: datetime
    digest: str


@dataclass(frozen=True, slots=True)
class Report:
    institution: str
    scope: str
    made_at: datetime
    made_by: str
    key: str
    key_id: str
    items: list[ReportedItem]
    entries: list[EntryLine]
    points: list[PointLine]


def write_report(report: Report) -> bytes:
    """The report as a PDF."""
    pictures = {
        sha256: reduced(data, most_px=_PICTURE_PX)
        for item in report.items
        for sha256, data in item.pictures.items()
    }
    return dossier_pdf(_page().render(report=report), pictures)


@cache
def _page() -> Template:
    environment = Environment(
        loader=PackageLoader("app.services", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        instant=_instant,
        product=lambda value: PRODUCTS.get(value, value),
        kind=lambda value: _KINDS.get(value, value),
        outcome=lambda value: _OUTCOMES.get(value, value),
        verdict=lambda value: _VERDICTS.get(value, value),
        weight=lambda value: _WEIGHTS.get(value, value),
        ending=lambda value: _ENDS[value],
        grouped=lambda digest: " ".join(digest[at : at + 8] for at in range(0, len(digest), 8)),
    )
    return environment.get_template("evidence.html")


def _instant(at: datetime | str | None) -> str:
    if not at:
        return ""
    moment = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{moment.astimezone(TENANT_ZONE):%Y-%m-%d %H:%M:%S}"
