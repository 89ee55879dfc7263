"""Whether an advisor may promote a product today."""

from datetime import date

from app.domain.errors import QualificationMissing
from app.domain.template import REQUIRED_LICENCE, ProductType
from app.models.advisor import Advisor
from app.services.rollup import today
from app.services.unit_of_work import UnitOfWork


def is_qualified(advisor: Advisor, product: ProductType, *, on: date) -> bool:
    """Whether the advisor's licences cover the product on that day (CC-11); its last day counts."""
    needed = REQUIRED_LICENCE.get(product)
    lapsed = advisor.licence_until is not None and advisor.licence_until < on
    return needed is None or (needed in advisor.licences and not lapsed)


def require_licence(uow: UnitOfWork, advisor: Advisor, product: ProductType) -> None:
    """Raise QualificationMissing where the advisor may not promote the product today."""
    if not is_qualified(advisor, product, on=today(uow)):
        raise QualificationMissing(licence=REQUIRED_LICENCE.get(product))
