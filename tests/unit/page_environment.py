"""The page templates with stand-ins for what the web edge gives them; nothing may be missing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

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

HEADLINE: Final = "春日理财稳赚不赔，给最好的您"


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
        "tenant": {"name": "示例银行", "short_name": "示例银行", "brand_sheet": "/brand.css"},
        "current_user": {"name": "沈知远"},
        "nav": DESK_NAV,
        **more_globals,
    }
    register_components(environment)
    return environment


def render(page: str, **context: object) -> str:
    return page_environment().get_template(page).render(**context)
