"""The front-line person and their profile."""

from datetime import date, datetime
from itertools import islice, product
from uuid import UUID

from pypinyin import Style, pinyin
from sqlalchemy import DateTime, ForeignKey, Index, UniqueConstraint
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from app.models.base import Base, Code, Instant, Key, LongText, Name, Sha256, Tags, TenantScoped
from app.models.organisation import OrgUnit

_MOST_READINGS = 8


def sounds_of(name: str) -> str:
    """How a name may be typed by sound: in full and by initials, in every common reading of it.

    >>> sounds_of("曾毅")
    'cengyi cy zengyi zy'
    """
    readings = pinyin(name, style=Style.NORMAL, heteronym=True)
    sounds: set[str] = set()
    for syllables in islice(product(*readings), _MOST_READINGS):
        spoken = [syllable.lower() for syllable in syllables]
        sounds |= {"".join(spoken), "".join(one[:1] for one in spoken)}
    return " ".join(sorted(sounds))


def _sounds_of_row(context: DefaultExecutionContext) -> str:
    return sounds_of(context.get_current_parameters()["name"])  # type: ignore[no-untyped-call]


class Advisor(TenantScoped, Base):
    __tablename__ = "advisor"
    __table_args__ = (
        UniqueConstraint("tenant_id", "staff_no"),
        Index("ix_advisor_tags", "tags", postgresql_using="gin"),
    )

    id: Mapped[Key]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id"), unique=True)
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"), index=True)
    staff_no: Mapped[Code]
    name: Mapped[Name]
    # what a search by sound looks through; follows the name by itself
    name_sounds: Mapped[LongText] = mapped_column(default=_sounds_of_row)
    kind: Mapped[Code] = mapped_column(default="am")
    title: Mapped[Name] = mapped_column(default="")
    phone: Mapped[Code] = mapped_column(default="")
    licence_no: Mapped[Code] = mapped_column(default="")
    licence_until: Mapped[date | None]
    licences: Mapped[Tags]  # which products may be sold: 基金从业, 保险销售, 投顾登记
    tags: Mapped[Tags]
    verified_fields: Mapped[Tags]
    # an Asset of kind portrait
    photo_sha256: Mapped[Sha256 | None]
    is_active: Mapped[bool] = mapped_column(default=True)
    # who carries on for somebody who left; None: the branch
    successor_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("advisor.id", deferrable=True, initially="DEFERRED")
    )
    # when the advisor last said, or a reviewer agreed, that it is right; None: when it was made
    profile_confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[Instant]

    org_unit: Mapped[OrgUnit] = relationship(lazy="raise_on_sql")

    @validates("name")
    def _hear(self, _key: str, name: str) -> str:
        self.name_sounds = sounds_of(name)
        return name
