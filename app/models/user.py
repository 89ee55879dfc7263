"""People who sign in, what they may do and where, and the proofs they carry."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, FetchedValue, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.organisation import Role
from app.models.base import Base, Code, Instant, Key, Name, Sha256, TenantScoped, stored_by_value
from app.models.organisation import OrgUnit


class Person(TenantScoped, Base):
    """A human being. Whoever has several accounts is still one person, and decides as one."""

    __tablename__ = "person"

    id: Mapped[Key]


class User(TenantScoped, Base):
    __tablename__ = "user_account"  # "user" is a reserved word in SQL

    id: Mapped[Key]
    # A new account is a new person's until an administrator says whose it is; the database makes that
    # person (trigger account_has_person), and never lets two accounts of one person part again.
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id"), index=True, server_default=FetchedValue()
    )
    login: Mapped[Code] = mapped_column(unique=True)
    name: Mapped[Name]
    # where notices go that must be read soon; the person's own choice
    email: Mapped[str | None] = mapped_column(String(254))
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[Instant]
    signed_in_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    memberships: Mapped[list["Membership"]] = relationship(
        back_populates="user", lazy="raise_on_sql", cascade="all, delete-orphan"
    )


class Membership(TenantScoped, Base):
    """One role of one person on one subtree."""

    __tablename__ = "membership"
    __table_args__ = (UniqueConstraint("user_id", "role", "org_unit_id"),)

    id: Mapped[Key]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"))
    role: Mapped[Role] = mapped_column(stored_by_value(Role))
    org_unit_id: Mapped[UUID] = mapped_column(ForeignKey("org_unit.id"))

    user: Mapped[User] = relationship(back_populates="memberships", lazy="raise_on_sql")
    org_unit: Mapped[OrgUnit] = relationship(lazy="raise_on_sql")


class SignIn(TenantScoped, Base):
    """A signed-in browser. The cookie holds a random token; here lies only its SHA-256."""

    __tablename__ = "sign_in"

    token_hash: Mapped[Sha256] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]


class ApiToken(TenantScoped, Base):
    """A machine's proof. Shown once when made; here lies only its SHA-256."""

    __tablename__ = "api_token"

    token_hash: Mapped[Sha256] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    label: Mapped[Name]
    created_at: Mapped[Instant]
    expires_at: Mapped[Instant]
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FailedSignIn(Base):
    """One wrong password, by account and network: what throttling counts.

    The login may be nobody's: whether there is such an account is asked later, by the duty that enters
    these into the trail, so that no answer is slower for a login that exists.
    """

    __tablename__ = "failed_sign_in"
    __table_args__ = (
        Index("ix_failed_sign_in_login_network_at", "login", "network", "at"),
        Index("ix_failed_sign_in_unnoted", "login", postgresql_where="noted_at IS NULL"),
    )

    id: Mapped[Key]
    login: Mapped[Code]
    network: Mapped[Code]
    at: Mapped[Instant]
    # the last one that throttling allows: what comes next is refused unread
    begins_pause: Mapped[bool] = mapped_column(default=False)
    noted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
