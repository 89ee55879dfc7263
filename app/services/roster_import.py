"""Bring the organisation or its advisors in from a file: all of it, or nothing and every reason why.

A plan is drawn first: it reads the file, compares it with what is stored and names every fault by
row and column. A dry run ends there. Carrying the plan out then cannot fail half-way: it is one
transaction, and only one import of a tenant runs at a time.

What a file does not mention stays as it is. The same file twice changes nothing the second time.
"""

import hashlib
import secrets
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.sql.schema import Table

from app.domain.advisor import AdvisorKind, ProfileField
from app.domain.errors import Fault, ImportRefused, Unavailable
from app.domain.organisation import ROOT_PATH, OrgLevel, Permission, Role, Scope, child_path
from app.domain.roster import (
    COLUMNS,
    AdvisorRow,
    RosterKind,
    Sheet,
    UnitRow,
    read_advisors,
    read_units,
)
from app.models.advisor import Advisor, sounds_of
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.user import ApiToken, Membership, SignIn, User
from app.ports import ObjectMissing
from app.services.access import require
from app.services.handover import hand_over_leads, stop_work
from app.services.organisation import MAX_PATH_LENGTH
from app.services.sheet import read_sheet
from app.services.sign_in import hash_initial_password
from app.services.unit_of_work import UnitOfWork

_AT_ONCE: Final = 1_000
_PASSWORD_LENGTH: Final = 16
# without signs that are mistaken for one another on paper
_PASSWORD_SIGNS: Final = "".join(set(string.ascii_letters + string.digits) - set("Il1O0o"))
_VERIFIED_BY_FILE: Final = (
    ProfileField.NAME,
    ProfileField.TITLE,
    ProfileField.PHONE,
    ProfileField.LICENCE_NO,
)
_NEW_ADVISOR: Final[Mapping[str, Any]] = {
    "kind": AdvisorKind.ACCOUNT_MANAGER.value,
    "title": "",
    "phone": "",
    "licence_no": "",
    "licence_until": None,
    "licences": [],
    "tags": [],
    "is_active": True,
    "successor_id": None,
}
_HEADINGS: Final[Mapping[RosterKind, Mapping[str, str]]] = {
    kind: {column.name: column.heading for column in columns} for kind, columns in COLUMNS.items()
}
_MEMBERSHIP: Final = cast("Table", Membership.__table__)
_PIECE: Final = cast("Table", Piece.__table__)
_T = TypeVar("_T")


class ImportUnderWay(Unavailable):
    code = "import_under_way"
    reason = "另一个导入正在进行，这次没有开始。"
    remedy = "请等它完成后再试。"


class UploadGone(ImportRefused):
    """The file that was previewed is no longer the one kept for this person."""

    code = "upload_gone"
    reason = "预览过的文件已被替换或清除，没有导入任何一行。"
    remedy = "请重新上传并预览。"


@dataclass(frozen=True, slots=True)
class Change:
    """What one row of the file will do; `fields` are the headings that differ, empty for a new one."""

    row: int
    key: str
    name: str
    is_new: bool
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InitialPassword:
    login: str
    name: str
    password: str


@dataclass(slots=True)
class RosterPlan:
    """Everything an import will do, already found to be possible."""

    kind: RosterKind
    file_sha256: str
    changes: list[Change] = field(default_factory=list)
    unchanged: int = 0
    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    leavers: list[UUID] = field(default_factory=list)  # accounts
    left: list[UUID] = field(default_factory=list)  # advisors
    handed_over: list[tuple[UUID, UUID]] = field(default_factory=list)
    moved: list[dict[str, Any]] = field(default_factory=list)
    movers: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    passwords: list[InitialPassword] = field(default_factory=list)

    @property
    def created(self) -> int:
        return sum(change.is_new for change in self.changes)

    @property
    def updated(self) -> int:
        return len(self.changes) - self.created

    @property
    def rows(self) -> int:
        return len(self.changes) + self.unchanged


def plan_import(
    uow: UnitOfWork, kind: RosterKind, data: bytes, *, most_rows: int, with_accounts: bool = False
) -> RosterPlan:
    """Read a file and say what it would do; nothing is written.

    Raises ImportRefused with every fault by row and column, TooLarge, AccessDenied.
    """
    scope = require(uow, Permission.ORGANISATION_MANAGE)
    sheet = read_sheet(data, most_rows=most_rows)
    digest = hashlib.sha256(data).hexdigest()
    match kind:
        case RosterKind.ORGANISATION:
            return _plan_units(uow, scope, sheet, digest)
        case RosterKind.ADVISORS:
            return _plan_advisors(uow, scope, sheet, digest, with_accounts=with_accounts)


def import_roster(
    uow: UnitOfWork,
    kind: RosterKind,
    data: bytes,
    *,
    most_rows: int,
    with_accounts: bool = False,
    on_written: Callable[[int], None] = lambda _rows: None,
) -> RosterPlan:
    """Bring a file in. `on_written` hears how many more rows are done, for a progress bar.

    Raises ImportRefused with every fault by row and column, TooLarge, AccessDenied, ImportUnderWay.
    """
    if not uow.session.scalar(
        select(func.pg_try_advisory_xact_lock(func.hashtext(f"roster:{uow.tenant_id}")))
    ):
        raise ImportUnderWay
    plan = plan_import(uow, kind, data, most_rows=most_rows, with_accounts=with_accounts)
    on_written(plan.unchanged)
    match kind:
        case RosterKind.ORGANISATION:
            _write(uow, OrgUnit, plan, on_written)
        case RosterKind.ADVISORS:
            _write(uow, Advisor, plan, on_written)
            _open_accounts(uow, plan)
            _follow_moves(uow, plan)
            _hand_over(uow, plan)
    if plan.changes or plan.accounts:
        uow.audit.record(
            "roster:import",
            plan.file_sha256,
            kind=kind.value,
            created=plan.created,
            updated=plan.updated,
            unchanged=plan.unchanged,
            accounts=len(plan.accounts),
        )
    return plan


def keep_upload(uow: UnitOfWork, kind: RosterKind, data: bytes) -> str:
    """Hold a file between its preview and the go-ahead; one a person and kind, the last one."""
    uow.store.put(_upload_key(uow, kind), data, "application/octet-stream")
    return hashlib.sha256(data).hexdigest()


def kept_upload(uow: UnitOfWork, kind: RosterKind, sha256: str) -> bytes:
    """The very file that was previewed. Raises UploadGone for any other."""
    try:
        data = uow.store.get(_upload_key(uow, kind))
    except ObjectMissing as error:
        raise UploadGone from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise UploadGone
    return data


def drop_upload(uow: UnitOfWork, kind: RosterKind) -> None:
    """Forget a held file: it is full of personal data and has done its work."""
    uow.store.delete(_upload_key(uow, kind))


def _upload_key(uow: UnitOfWork, kind: RosterKind) -> str:
    return f"imports/{uow.tenant_id}/{uow.actor.user_id}/{kind.value}"


def _plan_units(uow: UnitOfWork, scope: Scope, sheet: Sheet, digest: str) -> RosterPlan:
    rows, faults = read_units(sheet)
    _refuse(faults)
    known = {unit.code: unit for unit in uow.session.scalars(select(OrgUnit))}
    tree = _Tree(known, {row.code: row for row in rows})
    _refuse(tree.faults(scope))
    plan = RosterPlan(RosterKind.ORGANISATION, digest)
    ids = {code: unit.id for code, unit in known.items()} | {
        row.code: uuid4() for row in rows if row.code not in known
    }
    by_row = {row.code: row for row in rows}
    for code, path in sorted(tree.paths.items(), key=lambda pair: len(pair[1])):
        row, unit = by_row.get(code), known.get(code)
        if unit is None and row is not None:
            plan.inserts.append(
                {
                    "id": ids[code],
                    "tenant_id": uow.tenant_id,
                    "parent_id": ids.get(row.parent_code),
                    "code": code,
                    "name": row.name,
                    "level": row.level,
                    "path": path,
                }
            )
            plan.changes.append(Change(row.row, code, row.name, True, ()))
        elif unit is not None:
            _plan_unit_update(plan, unit, row, path, ids)
    return plan


def _plan_unit_update(
    plan: RosterPlan, unit: OrgUnit, row: UnitRow | None, path: str, ids: Mapping[str, UUID]
) -> None:
    """A unit that the file names, or one that moves along with its parent."""
    target = {
        "name": row.name if row else unit.name,
        "level": row.level if row else unit.level,
        "parent_id": ids.get(row.parent_code) if row else unit.parent_id,
        "path": path,
    }
    differing = [name for name, value in target.items() if getattr(unit, name) != value]
    if differing:
        plan.updates.append({"id": unit.id, **target})
    headings = {"name": "机构名称", "level": "层级", "parent_id": "上级机构编码"}
    if row is None:
        return
    if fields := tuple(headings[name] for name in differing if name in headings):
        plan.changes.append(Change(row.row, row.code, row.name, False, fields))
    else:
        plan.unchanged += 1


@dataclass(slots=True)
class _Tree:
    """The tree as it would stand after the import."""

    known: Mapping[str, OrgUnit]
    rows: Mapping[str, UnitRow]
    paths: dict[str, str] = field(default_factory=dict)

    def faults(self, scope: Scope) -> list[Fault]:
        faults: list[Fault] = []
        codes_by_id = {unit.id: code for code, unit in self.known.items()}
        parents = {
            code: codes_by_id[unit.parent_id] if unit.parent_id else "" for code, unit in self.known.items()
        } | {code: row.parent_code for code, row in self.rows.items()}
        for row in self.rows.values():
            faults += self._row_faults(row, parents, scope)
        if not faults:
            faults += self._place(parents, scope)
        return faults

    def _row_faults(self, row: UnitRow, parents: Mapping[str, str], scope: Scope) -> Iterator[Fault]:
        unit = self.known.get(row.code)
        if unit is not None and not scope.covers(unit.path):
            yield _unit_fault(row, "code", "taken", "这个机构编码不可用。")
        roots = [code for code, parent in parents.items() if not parent]
        if not row.parent_code:
            if len(roots) > 1:
                yield _unit_fault(
                    row, "parent_code", "second_root", "只能有一个总部；其他机构须填上级机构编码。"
                )
            return
        parent = self.rows.get(row.parent_code)
        parent_unit = self.known.get(row.parent_code)
        if parent is None and (parent_unit is None or not scope.covers(parent_unit.path)):
            reason = f"没有编码为 {row.parent_code} 的机构。"
            yield _unit_fault(row, "parent_code", "unknown_unit", reason)
            return
        above = parent.level if parent is not None else parent_unit.level if parent_unit else OrgLevel.HQ
        if not row.level.is_below(above):
            yield _unit_fault(row, "level", "not_below", "层级须低于上级机构。")

    def _place(self, parents: Mapping[str, str], scope: Scope) -> Iterator[Fault]:
        """Give every unit its path, from the head office down; what cannot be reached is a ring."""
        children: dict[str, list[str]] = {}
        for code, parent in parents.items():
            children.setdefault(parent, []).append(code)
        open_ends = [(code, ROOT_PATH) for code in children.get("", ())]
        while open_ends:
            code, parent_path = open_ends.pop()
            unit = self.known.get(code)
            moved = unit is None or not self._stays(unit, parents[code], parent_path)
            path = child_path(parent_path, code) if moved or unit is None else unit.path
            self.paths[code] = path
            open_ends += [(child, path) for child in children.get(code, ())]
        for row in self.rows.values():
            path = self.paths.get(row.code, "")
            if not path:
                yield _unit_fault(row, "parent_code", "ring", "上下级关系成了一个圈。")
            elif len(path) > MAX_PATH_LENGTH:
                yield _unit_fault(row, "parent_code", "too_deep", "机构层次太深。")
            elif not scope.covers(path):
                yield _unit_fault(row, "parent_code", "out_of_reach", "不在您的管理范围内。")

    def _stays(self, unit: OrgUnit, parent_code: str, parent_path: str) -> bool:
        before = self.known.get(parent_code)
        if before is None:
            return unit.parent_id is None and not parent_code
        return unit.parent_id == before.id and before.path == parent_path


def _unit_fault(row: UnitRow, name: str, code: str, reason: str) -> Fault:
    return Fault(name, code, reason, row=row.row, column=_HEADINGS[RosterKind.ORGANISATION][name])


def _plan_advisors(
    uow: UnitOfWork, scope: Scope, sheet: Sheet, digest: str, *, with_accounts: bool
) -> RosterPlan:
    rows, faults = read_advisors(sheet)
    units = {unit.code: unit for unit in uow.session.scalars(select(OrgUnit))}
    paths = {unit.id: unit.path for unit in units.values()}
    known = {one.staff_no: one for one in uow.session.scalars(select(Advisor))}
    for row in rows:
        unit = units.get(row.unit_code)
        if row.unit_code and (unit is None or not scope.covers(unit.path)):
            reason = f"没有编码为 {row.unit_code} 的机构，请先导入机构。"
            faults.append(_advisor_fault(row, "unit_code", "unknown_unit", reason))
        stored = known.get(row.staff_no)
        if stored is not None and not scope.covers(paths[stored.org_unit_id]):
            faults.append(_advisor_fault(row, "staff_no", "taken", "这个工号不可用，请核对。"))
    ids = {one.staff_no: one.id for one in known.values()}
    ids |= {row.staff_no: uuid4() for row in rows if row.staff_no not in ids}
    on_duty = {one.staff_no for one in known.values() if one.is_active}
    on_duty |= {row.staff_no for row in rows if row.facts.get("is_active", row.staff_no not in known)}
    on_duty -= {row.staff_no for row in rows if row.facts.get("is_active") is False}
    for row in rows:
        wanted = row.facts.get("successor_no")
        if wanted and (wanted == row.staff_no or wanted not in on_duty):
            reason = f"接任工号 {wanted} 不是在岗的另一位客户经理。"
            faults.append(_advisor_fault(row, "successor_no", "not_on_duty", reason))
    _refuse(faults)
    plan = RosterPlan(RosterKind.ADVISORS, digest)
    for row in rows:
        _plan_advisor(uow, plan, row, units[row.unit_code].id, known.get(row.staff_no), ids)
    if with_accounts:
        _plan_accounts(uow, plan, rows, known)
    return plan


def _plan_advisor(
    uow: UnitOfWork,
    plan: RosterPlan,
    row: AdvisorRow,
    unit_id: UUID,
    stored: Advisor | None,
    ids: Mapping[str, UUID],
) -> None:
    stated: dict[str, Any] = {"name": row.name, "org_unit_id": unit_id, **row.facts}
    if "successor_no" in stated:
        stated["successor_id"] = ids.get(stated.pop("successor_no"))
    if stored is None:
        values = {**_NEW_ADVISOR, **stated}
        plan.inserts.append(
            {
                "id": ids[row.staff_no],
                "tenant_id": uow.tenant_id,
                "user_id": None,
                "staff_no": row.staff_no,
                "photo_sha256": None,
                "created_at": uow.clock.now(),
                **values,
                "name_sounds": sounds_of(row.name),
                "verified_fields": _verified(stated, ()),
            }
        )
        plan.changes.append(Change(row.row, row.staff_no, row.name, True, ()))
        return
    target = {**stated, "verified_fields": _verified(stated, stored.verified_fields)}
    differing = [name for name, value in target.items() if getattr(stored, name) != value]
    if not differing:
        plan.unchanged += 1
        return
    plan.updates.append(
        {
            "id": stored.id,
            **{name: getattr(stored, name) for name in (*_NEW_ADVISOR, "name", "org_unit_id")},
            **target,
            "name_sounds": sounds_of(row.name),
        }
    )
    headings = {
        **_HEADINGS[RosterKind.ADVISORS],
        "org_unit_id": "机构编码",
        "verified_fields": "核实",
        "successor_id": "接任工号",
    }
    plan.changes.append(
        Change(row.row, row.staff_no, row.name, False, tuple(headings[name] for name in differing))
    )
    if "org_unit_id" in differing:
        plan.moved.append({"of_advisor": stored.id, "to_unit": unit_id})
    if stored.is_active and target.get("is_active") is False:
        plan.left.append(stored.id)
    if target.get("successor_id") is not None and "successor_id" in differing:
        plan.handed_over.append((stored.id, target["successor_id"]))
    if stored.user_id is not None:
        if "org_unit_id" in differing:
            plan.movers.append({"of_user": stored.user_id, "to_unit": unit_id})
        if stored.is_active and target.get("is_active") is False:
            plan.leavers.append(stored.user_id)


def _verified(stated: Mapping[str, Any], before: Sequence[str]) -> list[str]:
    """What the institution's own file states is verified; an emptied field no longer is."""
    by_file = {one.value: bool(stated[one.value]) for one in _VERIFIED_BY_FILE if one.value in stated}
    return [one.value for one in ProfileField if by_file.get(one.value, one.value in before)]


def _plan_accounts(
    uow: UnitOfWork, plan: RosterPlan, rows: Iterable[AdvisorRow], known: Mapping[str, Advisor]
) -> None:
    """Accounts for everybody on duty in the file who has none yet."""
    wanted = [
        row
        for row in rows
        if row.facts.get("is_active", True)
        and ((stored := known.get(row.staff_no)) is None or stored.user_id is None)
    ]
    # the table itself, so that the session's tenant does not hide a login of another
    accounts = User.__table__
    taken: set[str] = set()
    for some in _in_parts([row.staff_no for row in wanted]):
        taken.update(uow.session.scalars(select(accounts.c.login).where(accounts.c.login.in_(some))))
    _refuse(
        [
            _advisor_fault(row, "staff_no", "login_taken", "以这个工号为账号的登录名已被占用。")
            for row in wanted
            if row.staff_no in taken
        ]
    )
    for row in wanted:
        password = "".join(secrets.choice(_PASSWORD_SIGNS) for _ in range(_PASSWORD_LENGTH))
        plan.accounts.append(
            {
                "id": uuid4(),
                "tenant_id": uow.tenant_id,
                "login": row.staff_no,
                "name": row.name,
                "password_hash": hash_initial_password(password),
                "is_active": True,
                "created_at": uow.clock.now(),
            }
        )
        plan.passwords.append(InitialPassword(row.staff_no, row.name, password))


def _write(
    uow: UnitOfWork,
    mapped: type[OrgUnit | Advisor],
    plan: RosterPlan,
    on_written: Callable[[int], None],
) -> None:
    for some in _in_parts(plan.inserts):
        uow.session.execute(insert(mapped), some)
        on_written(len(some))
    for some in _in_parts(plan.updates):
        _update_by_id(uow, mapped, some)
        on_written(len(some))


def _update_by_id(uow: UnitOfWork, mapped: type[OrgUnit | Advisor], rows: list[dict[str, Any]]) -> None:
    """Write rows of one shape, all in one round trip to the server."""
    table = cast("Table", mapped.__table__)
    columns = [name for name in rows[0] if name != "id"]
    uow.session.connection().execute(
        update(table)
        .where(table.c.id == bindparam("of_id"), table.c.tenant_id == uow.tenant_id)
        .values({name: bindparam(f"new_{name}", type_=table.c[name].type) for name in columns}),
        [{"of_id": row["id"]} | {f"new_{name}": row[name] for name in columns} for row in rows],
    )


def _open_accounts(uow: UnitOfWork, plan: RosterPlan) -> None:
    """Give each new account its role where its advisor works, and tie the two together."""
    for some in _in_parts(plan.accounts):
        places = {
            staff_no: (advisor_id, unit_id)
            for staff_no, advisor_id, unit_id in uow.session.execute(
                select(Advisor.staff_no, Advisor.id, Advisor.org_unit_id).where(
                    Advisor.staff_no.in_([one["login"] for one in some])
                )
            )
        }
        uow.session.execute(insert(User), some)
        uow.session.execute(
            insert(Membership),
            [
                {
                    "id": uuid4(),
                    "tenant_id": uow.tenant_id,
                    "user_id": one["id"],
                    "role": Role.ADVISOR,
                    "org_unit_id": places[one["login"]][1],
                }
                for one in some
            ],
        )
        _update_by_id(uow, Advisor, [{"id": places[one["login"]][0], "user_id": one["id"]} for one in some])


def _follow_moves(uow: UnitOfWork, plan: RosterPlan) -> None:
    """The role moves with the advisor; whoever left is signed out everywhere."""
    for some in _in_parts(plan.movers):
        uow.session.connection().execute(
            update(_MEMBERSHIP)
            .where(
                _MEMBERSHIP.c.user_id == bindparam("of_user"),
                _MEMBERSHIP.c.tenant_id == uow.tenant_id,
                _MEMBERSHIP.c.role == Role.ADVISOR,
            )
            .values(org_unit_id=bindparam("to_unit")),
            some,
        )
    for leavers in _in_parts(plan.leavers):
        uow.session.execute(delete(SignIn).where(SignIn.user_id.in_(leavers)))
        uow.session.execute(delete(ApiToken).where(ApiToken.user_id.in_(leavers)))


def _hand_over(uow: UnitOfWork, plan: RosterPlan) -> None:
    """What leavers had under way stops, their leads go on, and pieces follow whoever moved."""
    for some in _in_parts(plan.moved):
        uow.session.connection().execute(
            update(_PIECE)
            .where(_PIECE.c.advisor_id == bindparam("of_advisor"), _PIECE.c.tenant_id == uow.tenant_id)
            .values(org_unit_id=bindparam("to_unit")),
            some,
        )
    for one in plan.moved:
        uow.audit.record("advisor:transfer", one["of_advisor"], unit=str(one["to_unit"]))
    for left in _in_parts(plan.left):
        stop_work(uow, left)
    for advisor_id in plan.left:
        uow.audit.record("advisor:leave", advisor_id)
    for advisor_id, successor_id in plan.handed_over:
        hand_over_leads(uow, advisor_id, successor_id)
        uow.audit.record("advisor:hand_over", advisor_id, successor=str(successor_id))


def _in_parts(things: Sequence[_T]) -> Iterator[list[_T]]:
    return (list(things[at : at + _AT_ONCE]) for at in range(0, len(things), _AT_ONCE))


def _advisor_fault(row: AdvisorRow, name: str, code: str, reason: str) -> Fault:
    return Fault(name, code, reason, row=row.row, column=_HEADINGS[RosterKind.ADVISORS][name])


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise ImportRefused(*sorted(faults, key=lambda fault: fault.row or 0))
