"""Contact details a visitor leaves, with the consent they were asked for."""

import re
import unicodedata
from dataclasses import dataclass, replace

from sqlalchemy import select

from app.domain.errors import Fault, InvalidInput
from app.domain.text import unprintable, unstorable, without_marks
from app.models.tenant import Tenant
from app.models.tracking import Lead
from app.queries.visitor import OwnLead, own_leads
from app.services.access import own_advisor
from app.services.tracking import Caller, keep_lead_event, landing_of, locked_visit
from app.services.unit_of_work import UnitOfWork

_PHONE = re.compile(r"(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}|0\d{2,3}[- ]?\d{7,8}", re.ASCII)
_LONGEST_NAME = 40
_LONGEST_MESSAGE = 500


def consent_to(tenant: Tenant) -> str:
    """What a visitor agrees to, in the words they read."""
    return (
        f"我同意{tenant.name}将我填写的姓名和电话用于本次咨询的回复，由页面所示客户经理联系我；"
        "我可以随时要求删除。"
    )


@dataclass(frozen=True, slots=True)
class LeadForm:
    """What the visitor typed, as typed."""

    name: str
    phone: str
    message: str
    consented: bool


def leave_lead(uow: UnitOfWork, token: str, form: LeadForm, caller: Caller) -> Lead:
    """Keep a visitor's details for the advisor of the page; sent twice, kept once.

    Raises InvalidInput, Missing, Ended.
    """
    edition = landing_of(uow, token).shown.edition
    visit = locked_visit(uow, token)
    if known := uow.session.scalar(select(Lead).where(Lead.visit_token == visit.token)):
        return known
    form = _tidy(form)
    _require_complete(form)
    now = uow.clock.now()
    lead = Lead(
        tenant_id=edition.tenant_id,
        piece_id=edition.piece_id,
        edition_id=edition.id,
        advisor_id=edition.advisor_id,
        visit_token=visit.token,
        name=form.name,
        phone=form.phone,
        message=form.message,
        consent_text=consent_to(edition.tenant),
        consented_at=now,
        created_at=now,
    )
    uow.session.add(lead)
    keep_lead_event(uow, visit, caller)
    return lead


def read_own_leads(uow: UnitOfWork) -> list[OwnLead]:
    """Who asked the acting advisor to be called. That somebody read names and numbers is an act."""
    advisor = own_advisor(uow)
    leads = own_leads(uow.session, advisor.id)
    if leads:
        uow.audit.record("lead:read", advisor.id, found=len(leads))
    return leads


def _tidy(form: LeadForm) -> LeadForm:
    """What a phone's keyboard and its contacts add to a name and a number is left out."""
    return replace(
        form,
        name=without_marks(form.name),
        phone=unicodedata.normalize("NFKC", without_marks(form.phone)),
        message=form.message.replace("\r\n", "\n").strip(),
    )


def _require_complete(form: LeadForm) -> None:
    faults: list[Fault] = []
    if not form.name:
        faults.append(Fault("name", "required", "请留下称呼。"))
    elif len(form.name) > _LONGEST_NAME:
        faults.append(Fault("name", "too_long", f"称呼最多 {_LONGEST_NAME} 个字。"))
    elif unprintable(form.name):
        faults.append(Fault("name", "unprintable", "称呼里有不能显示的字符，请删除。"))
    if not _PHONE.fullmatch(form.phone):
        faults.append(Fault("phone", "malformed", "请填写 11 位手机号，或带区号的座机号。"))
    if len(form.message) > _LONGEST_MESSAGE:
        faults.append(Fault("message", "too_long", f"留言最多 {_LONGEST_MESSAGE} 个字。"))
    elif unstorable(form.message):
        faults.append(Fault("message", "unprintable", "留言里有不能显示的字符，请删除。"))
    if not form.consented:
        faults.append(Fault("consent", "required", "需要您勾选同意，我们才能与您联系。"))
    if faults:
        raise InvalidInput(*faults)
