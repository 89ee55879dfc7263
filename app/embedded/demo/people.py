"""The people of 示例银行: head office, 4 branches, 12 sub-branches, 200 advisors. All invented.

Phone and licence numbers are of the form real ones have and belong to nobody.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy.orm import Session

from app.domain.organisation import (
    ROOT_PATH,
    Actor,
    AdvisorId,
    Grant,
    OrgLevel,
    Role,
    TenantId,
    UserId,
    child_path,
)
from app.embedded.demo.logins import PASSWORD, TENANT_SLUG
from app.embedded.demo.portraits import CONTENT_TYPE, HEIGHT_PX, RIGHTS, WIDTH_PX, draw_portraits
from app.models.advisor import Advisor
from app.models.asset import Asset
from app.models.organisation import OrgUnit
from app.models.reading import KeptReading
from app.models.tenant import Tenant
from app.models.user import Membership, User
from app.ports import ObjectStore
from app.services.sign_in import hash_password
from compliance.reading import PictureReading

ADVISORS: Final = 200

_BRANCHES: Final = (
    ("SH", "示例银行上海分行", ("上海静安支行", "上海徐汇支行", "上海陆家嘴支行")),
    ("HZ", "示例银行杭州分行", ("杭州西湖支行", "杭州滨江支行", "杭州文一西路支行")),
    ("CD", "示例银行成都分行", ("成都锦江支行", "成都青羊支行", "成都高新技术产业开发区天府三街支行")),
    ("SZ", "示例银行深圳分行", ("深圳南山支行", "深圳福田支行", "深圳前海支行")),
)
_STAFF: Final = (
    ("brand", "陶染", Role.BRAND, "HQ"),
    ("operator", "陆闻笙", Role.OPERATOR, "HQ"),
    ("reviewer", "沈慎行", Role.REVIEWER, "HQ"),
    ("reviewer2", "程明鉴", Role.REVIEWER, "HQ"),
    ("legal", "裴守正", Role.LEGAL, "HQ"),
    ("head", "顾行舟", Role.BRANCH_HEAD, "SH"),
    ("admin", "严序", Role.ADMINISTRATOR, "HQ"),
    ("auditor", "卫真", Role.AUDITOR, "HQ"),
)
_SURNAMES: Final = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘"
)
_GIVEN: Final = tuple(
    (  # noqa: SIM905 - names read better as words than as a list
        "知遥 景行 若溪 明远 静姝 书航 雨桐 子衿 望舒 思齐 嘉树 清和 亦安 云舟 佳宁 予安 南乔 晓棠 "
        "怀瑾 一诺 文博 欣然 志强 建国 丽华 海燕 伟 敏 静 磊 洋 艳 勇 娟 涛 超 "
        "秀英 桂兰 晨曦 梓涵 浩然 宇轩 诗涵 俊杰 雪莹 天佑 慧敏 国栋 春梅 立新 凯 倩 婷 鹏 "
        "楠 琳 悦 昊 帆 宁 "
    ).split()
)
# Names that software gets wrong: characters outside the basic plane, the longest, the shortest.
_SPECIAL_NAMES: Final = {
    17: "欧阳𠮷",
    34: "林㛃",
    51: "陈䶮",
    68: "王𬶋",
    85: "周𰻞𰻞",
    102: "阿卜杜热西提·买买提明",
    119: "丁一",
    136: "司马景㛃",
    153: "赵𠮷祥",
    170: "古丽娜尔·艾合买提",
}
_TITLES: Final = ("理财经理", "理财经理", "高级理财经理", "客户经理", "财富顾问")
_PRIVATE_TITLES: Final = ("私人银行顾问", "私人银行中心高级财富管理顾问")
_ALL_VERIFIED: Final = ("name", "title", "phone", "licence_no", "photo")
LEFT: Final = 187  # the place in the list of somebody who has left


@dataclass(slots=True)
class People:
    """Who there is, and in whose name to act."""

    tenant_id: TenantId
    staff: dict[str, Actor]  # by login
    advisors: list[Actor]  # in the order of their staff numbers
    facts: list[Advisor]  # the same people as they are stored
    units: dict[str, OrgUnit] = field(default_factory=dict)  # by code

    def under(self, code: str) -> list[int]:
        """The places in the list of everybody below a unit."""
        path = self.units[code].path
        at = {unit.id: unit.path for unit in self.units.values()}
        return [place for place, one in enumerate(self.facts) if at[one.org_unit_id].startswith(path)]


def invent_people(
    session: Session, store: ObjectStore, reader: str, rng: random.Random, at: datetime
) -> People:
    """Write the tenant, its tree, its people and their portraits.

    `reader` is who would read a portrait: drawn here without a word, they need not be read.
    """
    tenant = Tenant(
        id=uuid4(),
        slug=TENANT_SLUG,
        name="示例银行",
        short_name="示例",
        sector="bank",
        hotline="95000",
        brand_tokens={},
        created_at=at,
    )
    session.add(tenant)
    session.flush()
    units = _organisation(tenant.id)
    for unit in units.values():
        session.add(unit)
        session.flush()
    password_hash = hash_password(PASSWORD)  # one slow hash: two hundred of them take half a minute
    portraits = _portraits(session, store, reader, tenant.id, at)
    people = People(TenantId(tenant.id), {}, [], [], units)
    for login, name, role, code in _STAFF:
        user = _user(tenant.id, login, name, password_hash, at)
        session.add_all([user, _membership(user, role, units[code])])
        people.staff[login] = _actor(user, role, units[code])
    outlets = [unit for unit in units.values() if unit.level is OrgLevel.SUB_BRANCH]
    for place in range(ADVISORS):
        unit = outlets[place * len(outlets) // ADVISORS]
        facts = _advisor(rng, tenant.id, unit, place, portraits, at)
        login = {0: "advisor", 1: "newcomer"}.get(place, facts.staff_no)
        user = _user(tenant.id, login, facts.name, password_hash, at)
        user.is_active = facts.is_active
        session.add_all([user, _membership(user, Role.ADVISOR, unit)])
        facts.user_id = user.id
        people.facts.append(facts)
        people.advisors.append(_actor(user, Role.ADVISOR, unit, facts.id))
    session.flush()
    session.add_all(people.facts)
    session.flush()
    return people


def _organisation(tenant_id: UUID) -> dict[str, OrgUnit]:
    units: dict[str, OrgUnit] = {}

    def add(code: str, name: str, level: OrgLevel, parent: OrgUnit | None) -> OrgUnit:
        units[code] = OrgUnit(
            id=uuid4(),
            tenant_id=tenant_id,
            parent_id=parent.id if parent else None,
            code=code,
            name=name,
            level=level,
            path=child_path(parent.path if parent else ROOT_PATH, code),
        )
        return units[code]

    head_office = add("HQ", "示例银行总行", OrgLevel.HQ, None)
    for code, name, outlets in _BRANCHES:
        branch = add(code, name, OrgLevel.BRANCH, head_office)
        for number, outlet in enumerate(outlets, start=1):
            add(f"{code}{number:02d}", f"示例银行{outlet}", OrgLevel.SUB_BRANCH, branch)
    return units


def _portraits(session: Session, store: ObjectStore, reader: str, tenant_id: UUID, at: datetime) -> list[str]:
    kept = []
    for picture in draw_portraits():
        sha256 = hashlib.sha256(picture).hexdigest()
        store.put(f"assets/{tenant_id}/{sha256}", picture, CONTENT_TYPE)
        session.add(
            Asset(
                tenant_id=tenant_id,
                sha256=sha256,
                kind="portrait",
                content_type=CONTENT_TYPE,
                size_bytes=len(picture),
                width_px=WIDTH_PX,
                height_px=HEIGHT_PX,
                rights=RIGHTS,
                rights_until=None,
                uploaded_by=None,
                uploaded_at=at,
            )
        )
        session.add(
            KeptReading(
                tenant_id=tenant_id,
                sha256=sha256,
                reader=reader,
                seen=PictureReading(WIDTH_PX, HEIGHT_PX, ()).to_dict(),
                fault=None,
                read_at=at,
            )
        )
        kept.append(sha256)
    return kept


def _advisor(
    rng: random.Random, tenant_id: UUID, unit: OrgUnit, place: int, portraits: list[str], at: datetime
) -> Advisor:
    name = _SPECIAL_NAMES.get(place) or rng.choice(_SURNAMES) + rng.choice(_GIVEN)
    private = place % 9 == 4  # noqa: PLR2004
    newcomer = place % 13 == 1
    title = rng.choice(_PRIVATE_TITLES if private else _TITLES)
    licences = ["基金从业"] if rng.random() < 0.88 and not newcomer else []  # noqa: PLR2004
    licences += ["保险销售"] if rng.random() < 0.6 else []  # noqa: PLR2004
    licences += ["投顾登记"] if private else []
    has_photo = rng.random() < 0.9 and not newcomer  # noqa: PLR2004
    verified = [] if newcomer else list(_ALL_VERIFIED)
    if not newcomer and rng.random() < 0.12:  # noqa: PLR2004
        verified.remove(rng.choice(("phone", "photo", "title")))
    until = _licence_end(rng, at.date())
    if place == 0:
        name, title, private, has_photo = "李知遥", "高级理财经理", True, True
        licences, verified, until = ["基金从业", "保险销售"], list(_ALL_VERIFIED), at.date() + timedelta(260)
    return Advisor(
        id=uuid4(),
        tenant_id=tenant_id,
        org_unit_id=unit.id,
        staff_no=f"{unit.code}{place + 1:04d}",
        name=name,
        title=title,
        phone=f"1380000{place + 1:04d}",
        licence_no=f"S000000{place + 1:07d}",
        licence_until=until,
        licences=licences,
        tags=["理财经理", *(["私行"] if private else []), *(["新人"] if newcomer else [])],
        verified_fields=verified,
        photo_sha256=portraits[(place * 7) % len(portraits)] if has_photo else None,
        is_active=place != LEFT,
        created_at=at,
    )


def _licence_end(rng: random.Random, today: date) -> date | None:
    """Most run for a year or two, a few have lapsed, a few end within weeks, some have no end."""
    chance = rng.random()
    if chance < 0.05:  # noqa: PLR2004
        return today + timedelta(days=rng.randrange(5, 35))
    if chance < 0.12:  # noqa: PLR2004
        return today + timedelta(days=rng.randrange(50, 75))
    if chance < 0.2:  # noqa: PLR2004
        return None
    return today + timedelta(days=rng.randrange(120, 800))


def _user(tenant_id: UUID, login: str, name: str, password_hash: str, at: datetime) -> User:
    return User(
        id=uuid4(), tenant_id=tenant_id, login=login, name=name, password_hash=password_hash, created_at=at
    )


def _membership(user: User, role: Role, unit: OrgUnit) -> Membership:
    return Membership(id=uuid4(), tenant_id=user.tenant_id, user=user, role=role, org_unit_id=unit.id)


def _actor(user: User, role: Role, unit: OrgUnit, advisor_id: UUID | None = None) -> Actor:
    return Actor(
        TenantId(user.tenant_id),
        user.name,
        UserId(user.id),
        AdvisorId(advisor_id) if advisor_id else None,
        grants=(Grant(role, unit.path),),
    )
