"""The side navigation of the desk, by what a person may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Flask, g, request

from app.domain.organisation import Actor, Permission
from app.web.i18n import translate


@dataclass(frozen=True, slots=True)
class Entry:
    label: str
    href: str
    icon: str
    permission: Permission


SECTIONS: Final[tuple[tuple[str, tuple[Entry, ...]], ...]] = (
    (
        "品牌",
        (
            Entry("模板", "/templates", "template", Permission.TEMPLATE_VIEW),
            Entry("标识色", "/brand", "palette", Permission.BRAND_MANAGE),
        ),
    ),
    ("内容运营", (Entry("作品", "/pieces", "photo", Permission.PIECE_VIEW),)),
    (
        "合规",
        (
            Entry("审核", "/reviews", "gavel", Permission.REVIEW_VIEW),
            Entry("抽检", "/inspections", "progress-check", Permission.REVIEW_VIEW),
            Entry("规则", "/rules", "book-2", Permission.REVIEW_VIEW),
            Entry("资料变更", "/profile-changes", "id-badge-2", Permission.REVIEW_VIEW),
            Entry("档案", "/archive", "archive", Permission.ARCHIVE_VIEW),
            Entry("召回", "/recalls", "alert-octagon", Permission.RECALL_VIEW),
        ),
    ),
    ("总部", (Entry("触达", "/board", "chart-line", Permission.REACH_VIEW),)),
    (
        "管理",
        (
            Entry("机构与客户经理", "/organisation", "sitemap", Permission.ORGANISATION_VIEW),
            Entry("用户与角色", "/users", "users", Permission.USER_MANAGE),
            Entry("审核流程", "/routes", "arrows-sort", Permission.ROUTE_MANAGE),
            Entry("导入", "/imports", "upload", Permission.ORGANISATION_MANAGE),
            Entry("留痕", "/audit", "history", Permission.AUDIT_VIEW),
        ),
    ),
)


def register_navigation(app: Flask) -> None:
    app.context_processor(lambda: {"nav": navigation()})


def navigation() -> list[dict[str, Any]]:
    actor: Actor | None = g.get("actor")
    if actor is None:
        return []
    return [
        {"label": translate(label), "links": links}
        for label, entries in SECTIONS
        if (
            links := [
                {
                    "label": translate(entry.label),
                    "href": entry.href,
                    "icon": entry.icon,
                    "current": request.path == entry.href or request.path.startswith(entry.href + "/"),
                    "count": None,
                }
                for entry in entries
                if actor.may(entry.permission)
            ]
        )
    ]
