"""The stored chain: nobody changes it through the database, and whoever does it anyway is seen."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

from app.bootstrap import Platform
from app.domain.errors import AccessDenied
from app.domain.organisation import Permission
from app.services.access import require
from app.services.audit import verify_audit
from tests.factories import House


@pytest.fixture
def house(platform: Platform) -> House:
    """People only: what is tried here needs no template."""
    built = House.build(platform, templates=False)
    for at in range(6):
        with built.by("administrator") as uow:
            uow.audit.record("user:enable", f"person {at}")
    return built


@pytest.fixture
def tampering(postgres, database_url):
    """A superuser's connection that turns the triggers off: the worst the owner of a server can do."""
    url = make_url(postgres.superuser_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg", database=make_url(database_url).database))
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        yield connection
    engine.dispose()


_SWAP = (
    "UPDATE audit_entry SET seq = CASE seq WHEN 2 THEN 102 ELSE 103 END WHERE seq IN (2, 3);"
    "UPDATE audit_entry SET seq = CASE seq WHEN 102 THEN 3 ELSE 2 END WHERE seq > 100"
)


def verdict(house: House):
    with house.platform.sessions() as session:
        return verify_audit(session, house.tenant_id)


def test_an_untouched_chain_is_whole(house):
    assert verdict(house) == (6, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'somebody else'",
        "DELETE FROM audit_entry WHERE seq = 2",
        "TRUNCATE audit_entry",
    ],
)
def test_the_database_refuses_to_change_an_entry(house, statement):
    with house.platform.engine.connect() as connection, pytest.raises(IntegrityError, match="never changed"):
        connection.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit_entry SET record = set_byte(record, 9, get_byte(record, 9) # 1) WHERE seq = 3", 3),
        ("UPDATE audit_entry SET hash = repeat('0', 64) WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 3", 3),
        ("DELETE FROM audit_entry WHERE seq = 6", 6),
        (_SWAP, 2),
    ],
    ids=["flipped bit", "other hash", "deleted", "cut short", "swapped"],
)
def test_whoever_tampers_below_the_platform_is_seen_where_it_happened(house, tampering, statement, broken_at):
    for one in statement.split(";"):
        tampering.execute(text(one))
    tampering.commit()
    _, fault = verdict(house)
    assert fault is not None
    assert fault.seq == broken_at


def test_an_entry_of_one_tenant_does_not_pass_in_the_chain_of_another(platform, house, tampering):
    other = House.build(platform, slug="other", templates=False)
    with other.by("administrator") as uow:
        uow.audit.record("user:enable", "a stranger")
    tampering.execute(
        text(
            "UPDATE audit_entry AS mine SET record = theirs.record, hash = theirs.hash "
            "FROM audit_entry AS theirs WHERE mine.tenant_id = :mine AND theirs.tenant_id = :theirs "
            "AND mine.seq = 2 AND theirs.seq = 1"
        ),
        {"mine": house.tenant_id, "theirs": other.tenant_id},
    )
    tampering.commit()
    assert verdict(house)[1] is not None


def test_what_is_refused_leaves_no_entry(house):
    before = verdict(house)[0]
    with pytest.raises(AccessDenied), house.by("auditor") as uow:
        uow.audit.record("user:enable", "myself")
        require(uow, Permission.USER_MANAGE)
    assert verdict(house)[0] == before
