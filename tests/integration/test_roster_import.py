"""An import brings all of a file in, or nothing and every reason why."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select

from app.bootstrap import Platform
from app.domain.errors import AccessDenied, ImportRefused, TooLarge
from app.domain.organisation import Actor, Role
from app.domain.roster import RosterKind
from app.models.advisor import Advisor
from app.models.audit import AuditEntry
from app.models.organisation import OrgUnit
from app.models.user import Membership, SignIn, User
from app.services.roster_import import (
    ImportUnderWay,
    UploadGone,
    drop_upload,
    import_roster,
    keep_upload,
    kept_upload,
    plan_import,
)
from app.services.sign_in import Throttle, attempt_sign_in
from tests.factories import House
from tests.rosters import advisor, roster, unit

AN_HOUR = timedelta(hours=1)
SH, SZ, SH1 = "DEMOHQ-SH", "DEMOHQ-SZ", "DEMOHQ-SH-01"


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform, templates=False)


def bring_in(
    house: House, kind: RosterKind, *rows: dict[str, str], who: str | Actor = "administrator", **more
):
    with house.by(who) as uow:
        return import_roster(uow, kind, roster(kind, *rows), most_rows=1000, **more)


def advisors_in(house: House, *rows: dict[str, str], **more):
    return bring_in(house, RosterKind.ADVISORS, *rows, **more)


def units_in(house: House, *rows: dict[str, str], **more):
    return bring_in(house, RosterKind.ORGANISATION, *rows, **more)


def faults_of(bring, *arguments, **more) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(ImportRefused) as refused:
        bring(*arguments, **more)
    return [(fault.row, fault.column, fault.code) for fault in refused.value.faults]


def stored(house: House, staff_no: str) -> Advisor | None:
    with house.platform.sessions() as session:
        return session.scalar(
            select(Advisor).where(Advisor.staff_no == staff_no, Advisor.tenant_id == house.tenant_id)
        )


def path_of(house: House, code: str) -> str | None:
    with house.platform.sessions() as session:
        return session.scalar(
            select(OrgUnit.path).where(OrgUnit.code == code, OrgUnit.tenant_id == house.tenant_id)
        )


def test_an_imported_advisor_is_verified_by_the_institution_and_found_by_sound(house):
    advisors_in(house, advisor("N1", "曾㛃", SH1, 职务="理财经理", 手机="", 执业编号="S1"))

    found = stored(house, "N1")
    assert found is not None
    assert found.verified_fields == ["name", "title", "licence_no"]
    assert "zeng" in found.name_sounds


@pytest.mark.parametrize("name", ["欧阳𠮷", "张䶮", '=HYPERLINK("http://x")'])
def test_a_name_comes_out_of_the_database_as_it_stood_in_the_file(house, name):
    advisors_in(house, advisor("N1", name, SH1))

    found = stored(house, "N1")
    assert found is not None
    assert found.name == name


def test_the_same_file_twice_changes_nothing_the_second_time(house):
    rows = [advisor("N1", "李", SH1, 手机="138-0000-0000"), advisor("N2", "王", SZ, 标签="养老、私行")]
    first = advisors_in(house, *rows)
    second = advisors_in(house, *rows)

    assert (first.created, first.updated, first.unchanged) == (2, 0, 0)
    assert (second.created, second.updated, second.unchanged) == (0, 0, 2)


def test_a_second_import_says_which_columns_differ_and_leaves_the_others_alone(house):
    advisors_in(house, advisor("N1", "李", SH1, 职务="理财经理", 手机="13800000000"))
    plan = advisors_in(house, advisor("N1", "李", SZ, 职务="高级理财经理"))

    assert plan.changes[0].fields == ("机构编码", "职务")
    found = stored(house, "N1")
    assert found is not None
    assert (found.title, found.phone) == ("高级理财经理", "13800000000")


def test_one_faulty_row_keeps_every_row_out(house):
    found = faults_of(advisors_in, house, advisor("N1", "李", SH1), advisor("N2", "王", "NOWHERE"))

    assert found == [(3, "机构编码", "unknown_unit")]
    assert stored(house, "N1") is None


def test_a_dry_run_tells_everything_and_writes_nothing(house):
    with house.by("administrator") as uow:
        data = roster(RosterKind.ADVISORS, advisor("N1", "李", SH1))
        plan = plan_import(uow, RosterKind.ADVISORS, data, most_rows=10)

    assert plan.created == 1
    assert stored(house, "N1") is None


def test_a_file_beyond_the_limit_is_refused_whole(house):
    rows = [advisor(f"N{at}", "李", SH1) for at in range(3)]
    with pytest.raises(TooLarge), house.by("administrator") as uow:
        import_roster(uow, RosterKind.ADVISORS, roster(RosterKind.ADVISORS, *rows), most_rows=2)


def test_only_who_manages_the_organisation_may_import(house):
    with pytest.raises(AccessDenied):
        advisors_in(house, advisor("N1", "李", SH1), who="branch_head")


def test_an_administrator_of_a_branch_reaches_their_branch_and_no_further(house):
    of_branch = house.person("sh-admin", Role.ADMINISTRATOR, "/HQ/SH/")
    advisors_in(house, advisor("N1", "李", SZ))

    assert advisors_in(house, advisor("N2", "王", SH1), who=of_branch).created == 1
    # a foreign unit answers as a missing one; a foreign staff number is not available
    assert faults_of(advisors_in, house, advisor("N3", "赵", SZ), who=of_branch) == [
        (2, "机构编码", "unknown_unit")
    ]
    assert faults_of(advisors_in, house, advisor("N1", "李", SH1), who=of_branch) == [(2, "工号", "taken")]


def test_two_tenants_may_use_the_same_staff_number(platform, house):
    other = House.build(platform, slug="other", templates=False)
    advisors_in(house, advisor("N1", "李", SH1))

    assert advisors_in(other, advisor("N1", "王", "OTHERHQ-SH")).created == 1


def test_accounts_are_opened_once_and_let_the_advisor_sign_in(house):
    plan = advisors_in(house, advisor("N1", "李", SH1), with_accounts=True)
    again = advisors_in(house, advisor("N1", "李", SH1), with_accounts=True)

    assert len(plan.passwords) == 1
    assert again.passwords == []
    with house.platform.unit_of_work(Actor.system("sign-in")) as uow:
        issued = attempt_sign_in(
            uow,
            "N1",
            plan.passwords[0].password,
            network="10.0.0.0",
            throttle=Throttle(5, 60),
            lifetime=AN_HOUR,
        )
        assert issued is not None
        strong = uow.session.get_one(User, issued.user_id).password_hash
    # the first sign-in replaced the quick hash of the random password by one of full strength
    assert "m=65536" in strong


def test_an_account_name_taken_by_another_tenant_is_said_by_row(platform, house):
    House.build(platform, slug="other", templates=False).advisor("王", "/HQ/SH/01/", staff_no="N1")

    found = faults_of(advisors_in, house, advisor("N1", "李", SH1), with_accounts=True)
    assert found == [(2, "工号", "login_taken")]


def test_whoever_leaves_is_signed_out_and_whoever_moves_takes_their_role_along(house):
    staying = house.advisor("赵", "/HQ/SH/01/", staff_no="N1")
    leaving = house.advisor("钱", "/HQ/SH/01/", staff_no="N2")
    with house.platform.sessions.begin() as session:
        for person in (staying, leaving):
            session.add(
                SignIn(
                    token_hash=str(person.user_id),
                    tenant_id=house.tenant_id,
                    user_id=person.user_id,
                    created_at=house.platform.clock.now(),
                    expires_at=house.platform.clock.now() + AN_HOUR,
                )
            )
    advisors_in(house, advisor("N1", "赵", SZ), advisor("N2", "钱", SH1, 状态="离岗"))
    advisors_in(house, advisor("N1", "赵", SZ, 状态="在岗"), advisor("N2", "钱", SH1, 状态="离岗"))

    with house.platform.sessions() as session:
        assert set(session.scalars(select(SignIn.user_id))) == {staying.user_id}
        place = session.scalar(select(Membership.org_unit_id).where(Membership.user_id == staying.user_id))
    assert place == house.units["/HQ/SZ/"]


def test_an_import_is_one_entry_of_the_trail_without_a_name_in_it(house):
    advisors_in(house, advisor("N1", "欧阳𠮷", SH1, 手机="13800000000"))

    with house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "roster:import")).one()
    assert b'"created":1' in entry.record
    assert "欧阳".encode() not in entry.record
    assert b"13800000000" not in entry.record


def test_a_second_import_at_the_same_time_does_not_begin(house):
    with house.by("administrator") as first:
        import_roster(
            first, RosterKind.ADVISORS, roster(RosterKind.ADVISORS, advisor("N1", "李", SH1)), most_rows=9
        )
        with pytest.raises(ImportUnderWay):
            advisors_in(house, advisor("N2", "王", SH1))


def test_units_may_stand_in_any_order_in_the_file(house):
    units_in(house, unit("X1", "新支行", "X", "支行"), unit("X", "新分行", "DEMOHQ"))

    assert path_of(house, "X1") == "/HQ/X/X1/"


def test_a_unit_that_moves_takes_everything_below_it_along(house):
    units_in(house, unit("X", "新分行", "DEMOHQ"), unit(SH1, "上海静安支行", "X", "支行"))

    assert path_of(house, SH1) == f"/HQ/X/{SH1}/"
    units_in(house, unit("Y", "新网点", SH1, "网点"))
    units_in(house, unit(SH1, "上海静安支行", SZ, "支行"))
    assert path_of(house, "Y") == f"/HQ/SZ/{SH1}/Y/"


@pytest.mark.parametrize(
    ("rows", "faults"),
    [
        ([unit("X", "新", "NOWHERE")], [(2, "上级机构编码", "unknown_unit")]),
        ([unit("X", "新", "", "总行")], [(2, "上级机构编码", "second_root")]),
        ([unit("X", "新", SH, "分行")], [(2, "层级", "not_below")]),
        ([unit("X", "新", "DEMOHQ", "分舵")], [(2, "层级", "unknown")]),
        ([unit("X", "新", "DEMOHQ"), unit("X", "又", "DEMOHQ")], [(3, "机构编码", "repeated")]),
        ([unit(SH, "上海分行", SH1)], [(2, "层级", "not_below")]),
        ([unit("a b", "新", "DEMOHQ")], [(2, "机构编码", "malformed")]),
    ],
)
def test_a_tree_that_cannot_stand_is_refused_by_row_and_column(house, rows, faults):
    assert faults_of(units_in, house, *rows) == faults


def test_an_uploaded_file_waits_for_its_own_go_ahead_only(house):
    with house.by("administrator") as uow:
        mark = keep_upload(uow, RosterKind.ADVISORS, b"one")
    with house.by("administrator") as uow:
        assert kept_upload(uow, RosterKind.ADVISORS, mark) == b"one"
        keep_upload(uow, RosterKind.ADVISORS, b"another")
        with pytest.raises(UploadGone):
            kept_upload(uow, RosterKind.ADVISORS, mark)
        drop_upload(uow, RosterKind.ADVISORS)
    assert list(house.platform.store.keys("imports/")) == []


def test_ten_thousand_rows_come_in_by_a_handful_of_statements(house, statements):
    rows = [advisor(f"N{at:05d}", "欧阳𠮷", SH1, 手机="13800000000") for at in range(10_000)]
    data = roster(RosterKind.ADVISORS, *rows, encoding="gb18030")
    done: list[int] = []
    with statements() as seen, house.by("administrator") as uow:
        import_roster(uow, RosterKind.ADVISORS, data, most_rows=10_000, on_written=done.append)

    assert sum(done) == 10_000
    assert len(seen) < 100
    with house.platform.sessions() as session:
        assert session.scalar(select(func.count(Advisor.id))) == 10_002


@pytest.fixture
def statements(platform):
    """Every statement sent while the context is open."""

    @contextmanager
    def watching():
        seen: list[str] = []

        def hear(_connection, _cursor, statement, *_rest):
            seen.append(statement)

        event.listen(platform.engine, "before_cursor_execute", hear)
        try:
            yield seen
        finally:
            event.remove(platform.engine, "before_cursor_execute", hear)

    return watching
