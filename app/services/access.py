"""The only doors from an id to an object: a foreign id answers exactly as a missing one."""

from typing import TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.errors import AccessDenied, Missing
from app.domain.organisation import Permission, Scope
from app.models.advisor import Advisor
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece, PieceRevision
from app.models.publication import Publication
from app.models.review import Review
from app.models.template import Template, TemplateVersion
from app.models.user import Membership, User
from app.queries.present import PresentEdition, present_edition
from app.queries.scope import governed, within
from app.services.unit_of_work import UnitOfWork

T = TypeVar("T")


def require(uow: UnitOfWork, permission: Permission) -> Scope:
    """The subtrees on which the actor holds the permission; raises AccessDenied for none."""
    scope = uow.actor.scope_for(permission)
    if not scope.paths:
        raise AccessDenied(permission=permission.value)
    return scope


def require_everywhere(uow: UnitOfWork, permission: Permission) -> None:
    """For what belongs to the institution as a whole; raises AccessDenied for a part of it."""
    scope = require(uow, permission)
    roots = uow.session.scalars(select(OrgUnit.path).where(OrgUnit.parent_id.is_(None)))
    if not all(scope.covers(path) for path in roots):
        raise AccessDenied(permission=permission.value)


def _found(thing: T | None, noun: str) -> T:
    if thing is None:
        raise Missing(noun=noun)
    return thing


def own_advisor(uow: UnitOfWork) -> Advisor:
    """The advisor who is acting; raises AccessDenied for anybody who is none."""
    if uow.actor.advisor_id is None:
        raise AccessDenied(permission=Permission.PIECE_MAKE.value)
    return _found(
        uow.session.scalar(
            select(Advisor)
            .where(Advisor.id == uow.actor.advisor_id, Advisor.is_active)
            .options(joinedload(Advisor.org_unit))
        ),
        "advisor",
    )


def access_advisor(uow: UnitOfWork, advisor_id: UUID, *, may: Permission) -> Advisor:
    scope = require(uow, may)
    return _found(
        uow.session.scalar(
            select(Advisor)
            .join(Advisor.org_unit)
            .where(Advisor.id == advisor_id, within(scope, OrgUnit.path))
            .options(joinedload(Advisor.org_unit))
        ),
        "advisor",
    )


def access_org_unit(uow: UnitOfWork, unit_id: UUID, *, may: Permission) -> OrgUnit:
    scope = require(uow, may)
    return _found(
        uow.session.scalar(select(OrgUnit).where(OrgUnit.id == unit_id, within(scope, OrgUnit.path))),
        "org_unit",
    )


def access_user(uow: UnitOfWork, user_id: UUID, *, may: Permission) -> User:
    """A person all of whose roles lie within reach; nobody governs somebody who reaches further.

    A person without any role is governed from the head office alone.
    """
    scope = require(uow, may)
    user = uow.session.scalar(
        select(User)
        .where(User.id == user_id, governed(scope))
        .options(selectinload(User.memberships).joinedload(Membership.org_unit))
        .execution_options(populate_existing=True)
    )
    return _found(user, "user")


def access_piece(uow: UnitOfWork, piece_id: UUID, *, may: Permission) -> Piece:
    """A piece within the actor's reach for that permission; lock_piece() then holds it still.

    An advisor reaches their own pieces by PIECE_MAKE, whatever their subtree; everybody else
    reaches the pieces of the subtrees on which they hold the permission.
    """
    scope = require(uow, may)
    statement = (
        select(Piece)
        .join(Piece.org_unit)
        .where(Piece.id == piece_id)
        .options(
            joinedload(Piece.org_unit),
            joinedload(Piece.advisor).joinedload(Advisor.org_unit),
            joinedload(Piece.template_version).joinedload(TemplateVersion.template),
            joinedload(Piece.current_revision),
        )
    )
    if may is Permission.PIECE_MAKE:
        if uow.actor.advisor_id is None:
            # the role without the person: "advisor is none" is what head office's pieces say
            raise AccessDenied(permission=may.value)
        statement = statement.where(Piece.advisor_id == uow.actor.advisor_id)
    elif may is Permission.PIECE_MAKE_MASTER:
        statement = statement.where(Piece.advisor_id.is_(None), within(scope, OrgUnit.path))
    else:
        statement = statement.where(within(scope, OrgUnit.path))
    return _found(uow.session.scalar(statement), "piece")


def access_review(uow: UnitOfWork, review_id: UUID, *, may: Permission, for_update: bool = False) -> Review:
    scope = require(uow, may)
    statement = (
        select(Review)
        .join(Review.piece)
        .join(Piece.org_unit)
        .where(Review.id == review_id, within(scope, OrgUnit.path))
        .options(
            joinedload(Review.revision),
            joinedload(Review.piece).options(
                joinedload(Piece.org_unit),
                joinedload(Piece.advisor).joinedload(Advisor.org_unit),
                joinedload(Piece.template_version).joinedload(TemplateVersion.template),
                joinedload(Piece.current_revision),
            ),
        )
    )
    if for_update:
        statement = statement.with_for_update(of=Review).execution_options(populate_existing=True)
    return _found(uow.session.scalar(statement), "review")


def hold_review(uow: UnitOfWork, review_id: UUID, *, may: Permission) -> Review:
    """A round and its piece, both held still: the piece first, as everything does that changes its life.

    Locked by one statement and read by the next, as lock_piece() does and for its reason.
    """
    scope = require(uow, may)
    piece_of_it = (
        select(Piece.id)
        .join(Review, Review.piece_id == Piece.id)
        .join(Piece.org_unit)
        .where(Review.id == review_id, within(scope, OrgUnit.path))
        .with_for_update(of=Piece)
    )
    _found(uow.session.scalar(piece_of_it), "review")
    return access_review(uow, review_id, may=may, for_update=True)


def access_template_version(uow: UnitOfWork, slug: str, number: int, *, may: Permission) -> TemplateVersion:
    require(uow, may)
    return _found(
        uow.session.scalar(
            select(TemplateVersion)
            .join(TemplateVersion.template)
            .where(Template.slug == slug, TemplateVersion.number == number)
            .options(joinedload(TemplateVersion.template))
        ),
        "template_version",
    )


def access_edition(uow: UnitOfWork, edition_id: UUID) -> Edition:
    """An advisor's own edition, with whatever its picture takes."""
    if uow.actor.advisor_id is None:
        raise AccessDenied(permission=Permission.PIECE_MAKE.value)
    return _found(
        uow.session.scalar(
            select(Edition)
            .join(Edition.advisor)
            .where(Edition.id == edition_id, Edition.advisor_id == uow.actor.advisor_id, Advisor.is_active)
            .options(
                joinedload(Edition.advisor).joinedload(Advisor.org_unit),
                joinedload(Edition.tenant),
                joinedload(Edition.qr),
                joinedload(Edition.piece)
                .joinedload(Piece.template_version)
                .joinedload(TemplateVersion.template),
            )
        ),
        "edition",
    )


def access_present_edition(uow: UnitOfWork, edition_id: UUID) -> PresentEdition:
    """An advisor's own edition as it is at this moment."""
    if uow.actor.advisor_id is None:
        raise AccessDenied(permission=Permission.PIECE_MAKE.value)
    with uow.at_once() as connection:
        return _found(present_edition(connection, edition_id, uow.actor.advisor_id), "edition")


def access_publication(
    uow: UnitOfWork, publication_id: UUID, *, may: Permission, for_update: bool = False
) -> Publication:
    scope = require(uow, may)
    statement = (
        select(Publication)
        .join(Publication.piece)
        .join(Piece.org_unit)
        .where(Publication.id == publication_id, within(scope, OrgUnit.path))
        .options(joinedload(Publication.piece), joinedload(Publication.revision))
    )
    if for_update:
        statement = statement.with_for_update(of=Publication)
    return _found(uow.session.scalar(statement), "publication")


def revision_of(uow: UnitOfWork, revision_id: UUID) -> PieceRevision:
    """A revision by id, for the system's own duties; the session keeps it within the tenant."""
    return _found(
        uow.session.scalar(select(PieceRevision).where(PieceRevision.id == revision_id)),
        "piece_revision",
    )
