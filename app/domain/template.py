"""A template in a tenant: its state, and who fills which slot."""

from collections.abc import Mapping
from enum import StrEnum
from typing import NewType
from uuid import UUID

from app.domain.errors import IllegalTransition

TemplateId = NewType("TemplateId", UUID)
TemplateVersionId = NewType("TemplateVersionId", UUID)


class TemplateState(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class TemplateAction(StrEnum):
    PUBLISH = "publish"
    RETIRE = "retire"


TEMPLATE_TRANSITIONS: Mapping[tuple[TemplateState, TemplateAction], TemplateState] = {
    (TemplateState.DRAFT, TemplateAction.PUBLISH): TemplateState.PUBLISHED,
    (TemplateState.RETIRED, TemplateAction.PUBLISH): TemplateState.PUBLISHED,
    (TemplateState.PUBLISHED, TemplateAction.RETIRE): TemplateState.RETIRED,
}


def next_template_state(state: TemplateState, action: TemplateAction) -> TemplateState:
    try:
        return TEMPLATE_TRANSITIONS[state, action]
    except KeyError:
        raise IllegalTransition(state=state.value, action=action.value) from None


class Upgrade(StrEnum):
    """What becomes of public pieces that stem from an older version of a design."""

    KEEP = "keep"  # they stay as they are
    ASK = "ask"  # their makers are asked to make them anew from the newer one


class ProductType(StrEnum):
    """What a piece promotes; decides the obligatory disclosure and the licence needed."""

    NONE = "none"
    WEALTH = "wealth"
    FUND = "fund"
    MONEY_FUND = "money_fund"
    INSURANCE = "insurance"
    DIVIDEND_INSURANCE = "dividend_insurance"
    LOAN = "loan"
    DEPOSIT = "deposit"
    SECURITIES_ADVICE = "securities_advice"


# Which licence tag an advisor must carry to sell a product (CC-11). None: every advisor may.
REQUIRED_LICENCE: Mapping[ProductType, str] = {
    ProductType.FUND: "基金从业",
    ProductType.MONEY_FUND: "基金从业",
    ProductType.INSURANCE: "保险销售",
    ProductType.DIVIDEND_INSURANCE: "保险销售",
    ProductType.SECURITIES_ADVICE: "投顾登记",
}
