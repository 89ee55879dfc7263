"""The page templates with stand-ins for what the web edge gives them; nothing may be missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.web.components import register_components

WEB: Final = Path(__file__).parents[2] / "app" / "web"


@dataclass(frozen=True, slots=True)
class SampleFinding:
    severity: str
    text: str
    start: int
    end: int
    reason: str
    suggestion: str | None
    basis: str | None


GUARANTEE: Final = SampleFinding(
    severity="block",
    text="稳赚不赔",
    start=4,
    end=8,
    reason="这句话容易被理解为保本承诺。",
    suggestion="力争稳健回报",
    basis="《关于进一步规范金融营销宣传行为的通知》银发〔2019〕316号 第二条第（四）项",
)

SUPERLATIVE: Final = SampleFinding(
    severity="warn",
    text="最好",
    start=10,
    end=12,
    reason="「最好」属于绝对化用语，客户可能误解。",
    suggestion="适合",
    basis=None,
)

DESK_NAV: Final = [
    {
        "label": "合规",
        "links": [
            {"label": "审核", "href": "/reviews", "icon": "gavel", "current": True, "count": 42},
            {"label": "规则", "href": "/rules", "icon": "book-2", "current": False, "count": None},
        ],
    },
]

SAMPLE: Final[dict[str, Any]] = {
    "headline": "春日理财稳赚不赔，给最好的您",
    "body": "养老不是一天的事，从每月一笔开始。",
    "found": [GUARANTEE, SUPERLATIVE],
    "phrases": [
        ("steady", "稳健为先，时间是朋友。"),
        ("early", "早一点开始，多一点从容。"),
        ("plan", "为长远的日子，做踏实的安排。"),
    ],
    "pictures": [
        {"title": "春日理财", "note": "至 3 月 15 日", "state": "published", "src": "/sample/1"},
        {"title": "养老知识卡", "note": "共 4 页", "state": "in_review", "src": "/sample/2"},
        {"title": "早安日签", "note": "今日推荐", "state": "approved", "src": "/sample/3"},
        {"title": "年终答谢", "note": "请停止使用", "state": "recalled", "src": "/sample/4"},
    ],
    "rows": [
        {"name": "苏南分行", "reach": 6214, "active": 131, "leads": 22, "state": "published"},
        {"name": "浙东分行", "reach": 5077, "active": 118, "leads": 19, "state": "published"},
        {"name": "华北分行", "reach": 4820, "active": 97, "leads": 11, "state": "in_review"},
        {"name": "西南分行", "reach": 2321, "active": 66, "leads": 5, "state": "expired"},
    ],
    "chart": {
        "kind": "line",
        "unit": "人",
        "categories": [f"2/{day}" for day in range(1, 15)],
        "series": [
            {
                "name": "触达",
                "values": [410, 452, 398, 520, 611, 702, 688, 540, 575, 630, 742, 810, 795, 860],
            },
            {
                "name": "留资",
                "values": [12, 15, 9, 18, 21, 26, 24, 17, 19, 22, 27, 31, 28, 33],
            },
        ],
    },
}


def page_environment(**more_globals: object) -> Environment:
    """Build the templates as the web edge does, with plain values in place of a request."""
    environment = Environment(
        loader=FileSystemLoader(WEB / "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {
        "static_url": lambda path: f"/static/{path}",
        "csrf_token": lambda: "token-of-this-session",
        "get_flashed_messages": lambda **_: [],
        "tenant": {"name": "示例银行", "short_name": "示例银行"},
        "current_user": {"name": "沈知远"},
        "nav": DESK_NAV,
        **more_globals,
    }
    register_components(environment)
    return environment


def render(page: str, **context: object) -> str:
    return page_environment().get_template(page).render(**context)
