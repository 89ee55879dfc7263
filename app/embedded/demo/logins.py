"""How one logs in to the demo: a person in each role, one password for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.tenant import Tenant

TENANT_SLUG: Final = "demo"
# Printed at the start and on the login page: it protects nothing but invented people.
PASSWORD: Final = "demo-imprimatur"  # noqa: S105


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """A line of the table a person at the demo chooses from."""

    login: str
    role: str
    role_in_english: str
    password: str = PASSWORD


DEMO_LOGINS: Final = (
    DemoLogin("advisor", "客户经理（李知遥，上海）", "advisor"),
    DemoLogin("newcomer", "新人客户经理（资料待核验）", "newly joined advisor"),
    DemoLogin("brand", "品牌设计", "brand staff"),
    DemoLogin("operator", "总部内容运营", "head-office operator"),
    DemoLogin("reviewer", "合规审核（初审）", "compliance reviewer"),
    DemoLogin("reviewer2", "合规审核（复核）", "second reviewer"),
    DemoLogin("legal", "法务审核", "legal reviewer"),
    DemoLogin("head", "分行负责人（上海分行）", "branch head"),
    DemoLogin("admin", "系统管理员", "administrator"),
    DemoLogin("auditor", "稽核审计", "auditor"),
)


def demo_logins(session: Session) -> tuple[DemoLogin, ...]:
    """The demo's logins; none where the demo tenant is not there."""
    there = session.scalar(select(Tenant.id).where(Tenant.slug == TENANT_SLUG))
    return DEMO_LOGINS if there is not None else ()
