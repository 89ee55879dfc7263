"""Two institutions in one database: whatever way a session takes to a row, it finds its own only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Mapper, Session, aliased, joinedload, selectinload, subqueryload

from app.domain.organisation import Actor, OrgLevel, Role
from app.models.organisation import OrgUnit
from app.models.user import Membership, User
from app.services.unit_of_work import ForeignTenant
from tests.factories import House
from tests.tenants import MAPPERS, fill_tenant


@dataclass
class Two:
    """Ours, theirs, and a session in the name of ours."""

    ours: House
    theirs: House
    session: Session

    def their_key(self, mapper: Mapper[Any]) -> tuple[Any, ...]:
        with self.ours.platform.sessions() as session:
            return tuple(
                session.execute(
                    select(*mapper.primary_key)
                    .where(mapper.local_table.c.tenant_id == self.theirs.tenant_id)
                    .limit(1)
                ).one()
            )


@pytest.fixture
def two(small_house: House) -> Iterator[Two]:
    other = House.build(small_house.platform, slug="other")
    for house in (small_house, other):
        house.published("advisor", "note")
        with house.platform.sessions.begin() as session:
            fill_tenant(session, house.tenant_id)
    with small_house.platform.sessions(info={"tenant_id": small_house.tenant_id}) as session:
        yield Two(small_house, other, session)


def test_every_kind_of_row_has_one_of_each_institution(two: Two) -> None:
    with two.ours.platform.sessions() as session:
        for mapper in MAPPERS:
            tenants = session.scalars(select(mapper.class_.tenant_id).distinct()).all()
            assert set(tenants) == {two.ours.tenant_id, two.theirs.tenant_id}, mapper.class_


def test_a_foreign_row_is_not_got_by_its_key(two: Two) -> None:
    for mapper in MAPPERS:
        key = two.their_key(mapper)
        assert two.session.get(mapper.class_, key) is None, mapper.class_
        with pytest.raises(NoResultFound):
            two.session.get_one(mapper.class_, key)


def test_a_foreign_row_is_in_no_query(two: Two) -> None:
    for mapper in MAPPERS:
        mapped, other = mapper.class_, aliased(mapper.class_)
        theirs = tuple_(*mapper.primary_key).in_([two.their_key(mapper)])
        assert two.session.scalars(select(mapped).where(theirs)).all() == [], mapped
        for statement in (
            select(mapped.tenant_id),
            select(other.tenant_id),
            select(other.tenant_id).join(mapped, mapped.tenant_id != other.tenant_id),
            select(select(mapped.tenant_id).subquery()),
            select(select(mapped.tenant_id).cte()),
            select(mapped.tenant_id).union_all(select(other.tenant_id)),
        ):
            found = set(two.session.execute(statement).scalars())
            assert found <= {two.ours.tenant_id}, f"{mapped}: {statement}"
        ours = two.session.scalar(select(func.count()).select_from(mapped))
        with two.ours.platform.sessions() as everybody:
            assert ours == everybody.scalar(
                select(func.count()).select_from(mapped).where(mapped.tenant_id == two.ours.tenant_id)
            )
        assert not two.session.scalar(select(select(mapped).where(theirs).exists())), mapped


def test_a_foreign_row_is_not_changed_or_removed_in_bulk(two: Two) -> None:
    for mapper in MAPPERS:
        theirs = tuple_(*mapper.primary_key).in_([two.their_key(mapper)])
        changed = two.session.execute(
            update(mapper.class_).where(theirs).values(tenant_id=mapper.class_.tenant_id)
        )
        assert changed.rowcount == 0, mapper.class_  # type: ignore[attr-defined]
        removed = two.session.execute(delete(mapper.class_).where(theirs))
        assert removed.rowcount == 0, mapper.class_  # type: ignore[attr-defined]


def test_no_relation_leads_across(two: Two) -> None:
    """A row of ours that names one of theirs, as a fault elsewhere could leave it, leads nowhere."""
    person = two.ours.people["operator"]
    with two.ours.platform.sessions.begin() as session:
        crossed = Membership(
            id=uuid4(),
            tenant_id=two.ours.tenant_id,
            user_id=two.theirs.people["operator"].user_id,
            role=Role.AUDITOR,
            org_unit_id=two.theirs.units["/HQ/"],
        )
        session.add(crossed)
    mine = select(Membership).where(Membership.id == crossed.id)
    for option in (joinedload, selectinload, subqueryload):
        with two.ours.platform.sessions(info={"tenant_id": two.ours.tenant_id}) as session:
            found = session.scalars(mine.options(option(Membership.org_unit), option(Membership.user))).one()
            for relation in ("org_unit", "user"):
                assert getattr(found, relation) is None, f"{option}: {relation}"
    joined = select(OrgUnit.name).select_from(Membership).join(Membership.org_unit)
    assert two.session.scalars(joined.where(Membership.id == crossed.id)).all() == []
    with two.ours.platform.sessions(info={"tenant_id": two.ours.tenant_id}) as session:
        me = session.scalars(
            select(User).where(User.id == person.user_id).options(selectinload(User.memberships))
        ).one()
        assert {one.tenant_id for one in me.memberships} == {two.ours.tenant_id}


def test_a_foreign_object_cannot_be_carried_into_a_session(two: Two) -> None:
    for mapper in MAPPERS:
        with two.ours.platform.sessions() as session:
            theirs = session.get_one(mapper.class_, two.their_key(mapper))
        with pytest.raises(ForeignTenant):
            two.session.add(theirs)
        two.session.rollback()


def test_nothing_is_written_into_another_institution(two: Two) -> None:
    unit = {"code": "X", "name": "X", "level": OrgLevel.HQ, "path": "/X/"}
    two.session.add(OrgUnit(id=uuid4(), tenant_id=two.theirs.tenant_id, **unit))
    with pytest.raises(ForeignTenant):
        two.session.flush()
    two.session.rollback()
    with two.ours.platform.sessions() as session:
        theirs = session.get_one(OrgUnit, two.theirs.units["/HQ/"])
    two.session.merge(theirs)  # finds none to merge into, so it would become a row of its own
    with pytest.raises(ForeignTenant):
        two.session.flush()
    two.session.rollback()
    mine = two.session.get_one(OrgUnit, two.ours.units["/HQ/"])
    mine.tenant_id = two.theirs.tenant_id
    with pytest.raises(ForeignTenant):
        two.session.flush()


def test_work_that_finds_out_whose_it_is_sees_nothing_of_another_from_there_on(two: Two) -> None:
    with two.ours.platform.unit_of_work(Actor.system("public-link")) as uow:
        uow.session.scalars(select(OrgUnit).where(OrgUnit.tenant_id == two.ours.tenant_id)).all()
        uow.belong_to(two.ours.tenant_id)
        assert set(uow.session.scalars(select(User.tenant_id))) == {two.ours.tenant_id}
        with pytest.raises(ForeignTenant):
            uow.belong_to(two.theirs.tenant_id)


def test_work_that_read_another_institutions_row_cannot_become_ones_own(two: Two) -> None:
    with two.ours.platform.unit_of_work(Actor.system("public-link")) as uow:
        read = uow.session.scalars(select(OrgUnit).where(OrgUnit.tenant_id == two.theirs.tenant_id)).all()
        assert read
        with pytest.raises(ForeignTenant):
            uow.belong_to(two.ours.tenant_id)
