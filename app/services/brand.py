"""The institution's own colour, in which all of its pages appear."""

from app.domain.colour import Colour
from app.domain.errors import InvalidInput
from app.domain.organisation import Permission
from app.models.tenant import Tenant
from app.services.access import require_everywhere
from app.services.unit_of_work import UnitOfWork

_PRIMARY = "primary"


def brand_colour(tenant: Tenant) -> Colour | None:
    """The colour an institution chose, `None` where it keeps the house's."""
    chosen = tenant.brand_tokens.get(_PRIMARY)
    return Colour.parse(chosen) if chosen else None


def set_brand_colour(uow: UnitOfWork, written: str) -> Colour | None:
    """Give every page of the institution this colour; nothing written gives them back the house's.

    Raises AccessDenied, InvalidInput.
    """
    require_everywhere(uow, Permission.BRAND_MANAGE)
    tenant = uow.session.get_one(Tenant, uow.tenant_id)
    colour = _colour_of(written.strip())
    before = brand_colour(tenant)
    if colour != before:
        tenant.brand_tokens = {_PRIMARY: str(colour)} if colour else {}
        uow.audit.record("brand:colour", tenant.id, before=str(before or ""), after=str(colour or ""))
    return colour


def _colour_of(written: str) -> Colour | None:
    if not written:
        return None
    try:
        return Colour.parse(written if written.startswith("#") else f"#{written}")
    except ValueError as error:
        raise InvalidInput.of("colour", "malformed", "颜色写作 # 加六位十六进制数，例如 #17456b。") from error
