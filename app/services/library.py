"""The templates an advisor may use today, each as a picture that is already their own."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from pypinyin import Style, lazy_pinyin
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from app.domain.edition import RenderSpec
from app.domain.errors import QualificationMissing
from app.domain.organisation import Permission
from app.domain.template import ProductType, TemplateState
from app.domain.tracking import PREVIEW_CODE
from app.models.advisor import Advisor
from app.models.template import TemplateVersion
from app.services.access import own_advisor, require
from app.services.draft import draft_of
from app.services.edition import link_url
from app.services.qualification import require_licence
from app.services.rendition import PictureFile, compiled_for, kept_picture, published_spec, spec_for
from app.services.rollup import today
from app.services.serving import offered_publication
from app.services.template import usable_version
from app.services.unit_of_work import UnitOfWork
from templates_lib.manifest import SlotSource


@dataclass(frozen=True, slots=True)
class OwnTemplate:
    """One template as this advisor sees it."""

    slug: str
    number: int
    name: str
    kind: str
    summary: str
    product_type: ProductType
    tags: tuple[str, ...]
    width_px: int
    height_px: int
    pages: int
    is_cleared: bool
    valid_until: date | None
    # changes exactly when the picture does
    picture_mark: str
    # the licence that is needed and not there, or lapsed
    missing_licence: str | None
    # labels of profile fields the picture needs and the profile does not have
    missing_profile: tuple[str, ...]

    @property
    def is_usable(self) -> bool:
        return self.missing_licence is None and not self.missing_profile


def own_templates(uow: UnitOfWork) -> list[OwnTemplate]:
    """The newest usable version of every released template, newest release first."""
    require(uow, Permission.PIECE_MAKE)
    advisor = own_advisor(uow)
    day = today(uow)
    newest: dict[UUID, TemplateVersion] = {}
    for version in uow.session.scalars(
        select(TemplateVersion)
        .where(
            TemplateVersion.state == TemplateState.PUBLISHED,
            or_(TemplateVersion.valid_from.is_(None), TemplateVersion.valid_from <= day),
            or_(TemplateVersion.valid_until.is_(None), TemplateVersion.valid_until >= day),
        )
        .order_by(TemplateVersion.number)
        .options(joinedload(TemplateVersion.template))
    ):
        newest[version.template_id] = version
    found = [_own_template(uow, version, advisor) for version in newest.values()]
    return sorted(found, key=lambda one: (not one.is_usable, one.name))


def _own_template(uow: UnitOfWork, version: TemplateVersion, advisor: Advisor) -> OwnTemplate:
    manifest = compiled_for(uow, version).manifest
    spec = _spec(uow, version)
    missing_licence = None
    try:
        require_licence(uow, advisor, version.product_type)
    except QualificationMissing as refused:
        missing_licence = str(refused.data["licence"])
    return OwnTemplate(
        slug=version.template.slug,
        number=version.number,
        name=version.template.name,
        kind=version.template.kind,
        summary=manifest.summary,
        product_type=version.product_type,
        tags=tuple(version.tags),
        width_px=manifest.size.width_px,
        height_px=manifest.size.height_px,
        pages=manifest.pages,
        is_cleared=version.cleared_at is not None,
        valid_until=version.valid_until,
        picture_mark=spec.key()[:12],
        missing_licence=missing_licence,
        missing_profile=tuple(
            slot.label
            for slot in manifest.slots
            if slot.source is SlotSource.PROFILE and slot.required and not spec.values.get(slot.name)
        ),
    )


def template_picture(uow: UnitOfWork, slug: str, number: int, *, width_px: int, page: int = 0) -> PictureFile:
    """A template with this advisor's profile in it, small; kept under what it was made from.

    Raises InvalidInput where the profile lacks something the picture needs.
    """
    return kept_picture(uow, _spec(uow, usable_version(uow, slug, number), width_px=width_px, page=page))


def _spec(
    uow: UnitOfWork, version: TemplateVersion, *, width_px: int | None = None, page: int = 0
) -> RenderSpec:
    draft = draft_of(uow, version, {}, qr_code=PREVIEW_CODE)
    return spec_for(version, draft.values, width_px=width_px, page=page)


def offered_picture(uow: UnitOfWork, piece_id: UUID, *, width_px: int) -> PictureFile:
    """A live piece of head office's as this advisor's own copy, small.

    Raises Missing for a piece that was not handed to them, Ended, QualificationMissing.
    """
    advisor = own_advisor(uow)
    publication = offered_publication(uow, piece_id, advisor)
    spec = published_spec(uow, publication, advisor, link=link_url(uow, PREVIEW_CODE))
    return kept_picture(uow, replace(spec, width_px=width_px))


def answers_to(name: str, words: str) -> bool:
    """Whether a name is meant by what was typed: its characters, its pinyin, or the initials.

    Every word must be found: "yanglao" and "yl" both find 养老.
    """
    readings = (
        name.lower(),
        "".join(lazy_pinyin(name)).lower(),
        "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower(),
    )
    return all(any(word in reading for reading in readings) for word in words.lower().split())
