"""The institution itself and the tree of its units."""

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select

from app.domain.advisor import CODE, MAX_NAME_LENGTH
from app.domain.errors import Fault, InvalidInput
from app.domain.organisation import ROOT_PATH, OrgLevel, Permission, child_path
from app.domain.text import unprintable
from app.models.organisation import OrgUnit
from app.models.tenant import Tenant
from app.services.access import access_org_unit
from app.services.route import seed_routes
from app.services.unit_of_work import UnitOfWork

MAX_PATH_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Charter:
    """What must be known of an institution before it can have people."""

    slug: str
    name: str
    short_name: str
    sector: str = "bank"
    hotline: str = ""
    head_office_code: str = "HQ"


def create_tenant(uow: UnitOfWork, charter: Charter) -> Tenant:
    """Found an institution with its head office.

    The unit of work is opened in the name of the tenant to be, so that its audit chain begins
    with its own founding. Raises InvalidInput.
    """
    faults = [
        *_code_faults("slug", charter.slug),
        *_code_faults("head_office_code", charter.head_office_code),
        *_name_faults("name", charter.name),
        *_name_faults("short_name", charter.short_name),
    ]
    if uow.session.scalar(select(Tenant.id).where(Tenant.slug == charter.slug)):
        faults.append(Fault("slug", "taken", f"机构标识 {charter.slug} 已被使用。"))
    if faults:
        raise InvalidInput(*faults)
    tenant = Tenant(
        id=uow.tenant_id,
        slug=charter.slug,
        name=charter.name,
        short_name=charter.short_name,
        sector=charter.sector,
        hotline=charter.hotline,
        brand_tokens={},
        created_at=uow.clock.now(),
    )
    uow.session.add(tenant)
    uow.session.flush()
    uow.session.add(
        OrgUnit(
            id=uuid4(),
            tenant_id=tenant.id,
            code=charter.head_office_code,
            name=charter.name,
            level=OrgLevel.HQ,
            path=child_path(ROOT_PATH, charter.head_office_code),
        )
    )
    uow.audit.record("tenant:create", tenant.id, slug=charter.slug, sector=charter.sector)
    seed_routes(uow)
    return tenant


def add_unit(uow: UnitOfWork, parent_id: UUID, *, code: str, name: str, level: OrgLevel) -> OrgUnit:
    """Put a new unit under an existing one. Raises InvalidInput, Missing, AccessDenied."""
    parent = access_org_unit(uow, parent_id, may=Permission.ORGANISATION_MANAGE)
    code, name = code.strip(), name.strip()
    path = child_path(parent.path, code)
    faults = [*_code_faults("code", code), *_name_faults("name", name)]
    if not level.is_below(parent.level):
        faults.append(Fault("level", "not_below", "层级须低于上级机构。"))
    if len(path) > MAX_PATH_LENGTH:
        faults.append(Fault("code", "too_deep", "机构层次太深。"))
    if uow.session.scalar(select(OrgUnit.id).where(OrgUnit.code == code)):
        faults.append(Fault("code", "taken", "这个机构编码不可用，请换一个。"))
    if faults:
        raise InvalidInput(*faults)
    unit = OrgUnit(
        id=uuid4(),
        tenant_id=uow.tenant_id,
        parent_id=parent.id,
        code=code,
        name=name,
        level=level,
        path=path,
    )
    uow.session.add(unit)
    uow.audit.record("org_unit:create", unit.id, code=code, parent=str(parent.id))
    return unit


def rename_unit(uow: UnitOfWork, unit_id: UUID, name: str) -> OrgUnit:
    """Give a unit another name; its code and its place stay. Raises InvalidInput, Missing."""
    unit = access_org_unit(uow, unit_id, may=Permission.ORGANISATION_MANAGE)
    if faults := _name_faults("name", name.strip()):
        raise InvalidInput(*faults)
    if unit.name != name.strip():
        before, unit.name = unit.name, name.strip()
        uow.audit.record("org_unit:rename", unit.id, code=unit.code, before=before, after=unit.name)
    return unit


def _code_faults(field: str, code: str) -> list[Fault]:
    if CODE.fullmatch(code):
        return []
    return [Fault(field, "malformed", "用字母、数字、点和横线，以字母或数字开头，最多 40 位。")]


def _name_faults(field: str, name: str) -> list[Fault]:
    if not name:
        return [Fault(field, "required", "请填写名称。")]
    if len(name) > MAX_NAME_LENGTH:
        return [Fault(field, "too_long", f"最多 {MAX_NAME_LENGTH} 字。")]
    if sign := unprintable(name):
        return [Fault(field, "unprintable", f"含有不能显示的字符（{sign}）。")]
    return []
