"""Who may govern whom, and what a change of roles brings about."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.bootstrap import Platform
from app.domain.errors import AccessDenied, InvalidInput, Missing
from app.domain.organisation import Actor, OrgLevel, Role, TenantId
from app.models.organisation import OrgUnit
from app.models.user import Membership
from app.services.organisation import Charter, add_unit, create_tenant, rename_unit
from app.services.user import OwnAccount, RoleOn, create_user, reset_password, set_active, set_roles
from tests.factories import House

PASSWORD = "long enough for us"


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform, templates=False)


def roles_of(house: House, who: Actor) -> set[tuple[Role, str]]:
    with house.platform.sessions() as session:
        return {
            (role, path)
            for role, path in session.execute(
                select(Membership.role, OrgUnit.path)
                .join(OrgUnit, OrgUnit.id == Membership.org_unit_id)
                .where(Membership.user_id == who.user_id)
            )
        }


def refused_field(refused) -> str:
    return refused.value.faults[0].field


def test_roles_are_replaced_by_the_ones_that_are_given(house):
    person = house.people["operator"]
    with house.by("administrator") as uow:
        set_roles(uow, person.user_id, [RoleOn(Role.BRAND, house.units["/HQ/"])])
    assert roles_of(house, person) == {(Role.BRAND, "/HQ/")}


def test_the_role_of_an_advisor_stays_whatever_else_is_given_or_taken(house):
    person = house.people["advisor"]
    with house.by("administrator") as uow:
        set_roles(uow, person.user_id, [RoleOn(Role.BRAND, house.units["/HQ/SH/"])])
    with house.by("administrator") as uow:
        set_roles(uow, person.user_id, [])
    assert roles_of(house, person) == {(Role.ADVISOR, "/HQ/SH/01/")}


def test_the_role_of_an_advisor_is_not_given_by_hand(house):
    with pytest.raises(InvalidInput) as refused, house.by("administrator") as uow:
        set_roles(uow, house.people["operator"].user_id, [RoleOn(Role.ADVISOR, house.units["/HQ/"])])
    assert refused_field(refused) == "roles"


@pytest.mark.parametrize(
    "turn",
    [
        lambda uow, me: set_active(uow, me, active=False),
        lambda uow, me: set_roles(uow, me, []),
        lambda uow, me: reset_password(uow, me, PASSWORD),
    ],
    ids=["disable", "roles", "password"],
)
def test_nobody_turns_against_their_own_account(house, turn):
    with pytest.raises(OwnAccount), house.by("administrator") as uow:
        turn(uow, house.people["administrator"].user_id)


@pytest.mark.parametrize("who", ["operator", "auditor", "branch_head", "advisor"])
def test_only_an_administrator_governs_users(house, who):
    with pytest.raises(AccessDenied), house.by(who) as uow:
        set_active(uow, house.people["brand"].user_id, active=False)


def test_whoever_reaches_further_is_not_governed_from_below(house):
    of_branch = house.person("sh-admin", Role.ADMINISTRATOR, "/HQ/SH/")
    both = house.person("both", Role.BRANCH_HEAD, "/HQ/SH/")
    with house.by("administrator") as uow:
        wider = [
            RoleOn(Role.BRANCH_HEAD, house.units["/HQ/SH/"]),
            RoleOn(Role.AUDITOR, house.units["/HQ/SZ/"]),
        ]
        set_roles(uow, both.user_id, wider)
    with pytest.raises(Missing), house.by(of_branch) as uow:
        set_active(uow, both.user_id, active=False)


def test_whoever_has_no_role_is_governed_from_the_head_office_alone(house):
    person, of_branch = house.people["branch_head"], house.person("sh-admin", Role.ADMINISTRATOR, "/HQ/SH/")
    with house.by("administrator") as uow:
        set_roles(uow, person.user_id, [])
    with pytest.raises(Missing), house.by(of_branch) as uow:
        set_active(uow, person.user_id, active=False)
    with house.by("administrator") as uow:
        assert not set_active(uow, person.user_id, active=False).is_active


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"login": "no spaces"}, "login"),
        ({"login": "demo-brand"}, "login"),
        ({"login": "other-brand"}, "login"),
        ({"name": " "}, "name"),
        ({"name": "\u202e"}, "name"),
        ({"password": "short"}, "password"),
        ({"roles": []}, "roles"),
    ],
)
def test_a_person_is_added_whole_or_not_at_all(platform, house, changed, field):
    if changed.get("login") == "other-brand":
        House.build(platform, slug="other", templates=False)
    facts = {
        "login": "new",
        "name": "新人",
        "password": PASSWORD,
        "roles": [RoleOn(Role.BRAND, house.units["/HQ/"])],
    }
    with pytest.raises(InvalidInput) as refused, house.by("administrator") as uow:
        create_user(uow, **(facts | changed))
    assert refused_field(refused) == field


def test_a_tenant_begins_with_its_head_office_and_its_own_first_entry(platform):
    tenant_id = TenantId(House.build(platform, templates=False).tenant_id)
    founded = Actor.system("set-up", TenantId(type(tenant_id)(int=7)))
    with platform.unit_of_work(founded) as uow:
        create_tenant(uow, Charter("second", "第二银行", "二行"))
    with platform.unit_of_work(founded) as uow:
        assert uow.session.scalars(select(OrgUnit.path)).all() == ["/HQ/"]


def test_a_tenant_mark_is_given_once(platform, house):
    with (
        pytest.raises(InvalidInput) as refused,
        platform.unit_of_work(Actor.system("set-up", TenantId(type(house.tenant_id)(int=7)))) as uow,
    ):
        create_tenant(uow, Charter("demo", "又一家", "又"))
    assert refused_field(refused) == "slug"


def test_a_unit_stands_under_its_parent_and_below_it(house):
    with house.by("administrator") as uow:
        unit = add_unit(uow, house.units["/HQ/SH/"], code="SH02", name="徐汇支行", level=OrgLevel.SUB_BRANCH)
        assert unit.path == "/HQ/SH/SH02/"
        assert rename_unit(uow, unit.id, "上海徐汇支行").name == "上海徐汇支行"
    with pytest.raises(InvalidInput) as refused, house.by("administrator") as uow:
        add_unit(uow, house.units["/HQ/SH/"], code="SH03", name="又一分行", level=OrgLevel.BRANCH)
    assert refused_field(refused) == "level"
