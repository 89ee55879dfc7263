"""Whoever owns the database can write a trail that holds in itself; the vault's checkpoints tell."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import IntegrityError

from app.adapters.record_vault.folder import FolderRecordVault
from app.adapters.signer import Ed25519Signer
from app.domain.audit import entry_hash
from app.domain.checkpoint import GENESIS
from app.domain.organisation import Actor
from app.ports import ObjectStoreUnavailable, TaskName
from app.services.checkpoint import (
    checkpoint_key,
    keep_checkpoints,
    make_checkpoints,
    verify_against_vault,
)
from tests.factories import House


def act(house: House, times: int) -> None:
    with house.by("administrator") as uow:
        for at in range(times):
            uow.audit.record("user:enable", f"person {at}", before=False, after=True)


def sign(house: House) -> int:
    by = Actor.system("checkpoint", house.tenant_id)
    with house.platform.unit_of_work(by) as uow:
        made = make_checkpoints(uow)
    with house.platform.unit_of_work(by) as uow:
        keep_checkpoints(uow)
    return made


def verdict(house: House):
    platform = house.platform
    with platform.sessions() as session:
        return verify_against_vault(session, house.tenant_id, vault=platform.vault, signer=platform.signer)


@pytest.fixture
def house(platform) -> House:
    """Twelve entries under two checkpoints, and three more that none covers yet."""
    built = House.build(platform, templates=False)
    for times in (7, 5):
        act(built, times)
        sign(built)
    act(built, 3)
    return built


@pytest.fixture
def owner(postgres, database_url):
    """The owner of the database server, with the triggers off."""
    url = make_url(postgres.superuser_url)
    engine = create_engine(url.set(drivername="postgresql+psycopg", database=make_url(database_url).database))
    with engine.begin() as connection:
        connection.execute(text("SET session_replication_role = replica"))
        yield connection
    engine.dispose()


def rewrite(owner, tenant_id, *, start: int = 1, change=lambda record: record) -> None:
    """Write the chain anew from an entry on, every hash and the head with it: it holds in itself."""
    rows = owner.execute(
        text("SELECT seq, record, hash FROM audit_entry WHERE tenant_id = :t ORDER BY seq"), {"t": tenant_id}
    ).all()
    previous = GENESIS
    for seq, stored, old in rows:
        record = change(bytes(stored)) if seq == start else bytes(stored)
        new = entry_hash(previous, record) if seq >= start else old
        owner.execute(
            text(
                "UPDATE audit_entry SET record = :r, previous_hash = :p, hash = :h "
                "WHERE tenant_id = :t AND seq = :s"
            ),
            {"r": record, "p": previous, "h": new, "t": tenant_id, "s": seq},
        )
        previous = new
    owner.execute(
        text("UPDATE audit_head SET hash = :h, seq = :s WHERE tenant_id = :t"),
        {"h": previous, "s": len(rows), "t": tenant_id},
    )
    owner.commit()


def test_an_untouched_trail_is_as_it_was_signed(house):
    found = verdict(house)

    assert found.is_whole
    assert (found.entries, found.checkpoints, found.covered) == (15, 2, 12)


def test_nothing_new_needs_no_checkpoint(house):
    assert sign(house) == 1
    assert sign(house) == 0
    assert verdict(house).covered == 15


def test_a_trail_written_anew_from_an_entry_on_is_told_at_that_entry(house, owner):
    rewrite(owner, house.tenant_id, start=9, change=lambda record: record.replace(b"true", b"null"))

    found = verdict(house)
    assert found.fault.seq == 9
    assert "checkpoint 2" in found.fault.reason


def test_a_trail_written_anew_after_the_last_checkpoint_is_the_price_of_a_minute(house, owner):
    rewrite(owner, house.tenant_id, start=14, change=lambda record: record.replace(b"true", b"null"))

    assert verdict(house).is_whole  # what no checkpoint covered yet could be written anew
    assert verdict(house).covered == 12


def test_an_end_cut_off_with_its_head_is_told(house, owner):
    owner.execute(text("DELETE FROM audit_entry WHERE seq > 10"))
    rewrite(owner, house.tenant_id)

    found = verdict(house)
    assert found.fault.seq == 11
    assert "gone" in found.fault.reason


def test_everything_gone_is_told(house, owner):
    for table in ("audit_entry", "audit_head", "audit_checkpoint"):
        owner.execute(text(f"DELETE FROM {table}"))
    owner.commit()

    assert verdict(house).fault.seq == 1


def test_the_trail_of_another_institution_does_not_pass_for_this_one(platform, house, owner):
    other = House.build(platform, slug="other", templates=False)
    act(other, 15)
    owner.execute(text("DELETE FROM audit_entry WHERE tenant_id = :t"), {"t": house.tenant_id})
    owner.execute(
        text("UPDATE audit_entry SET tenant_id = :mine WHERE tenant_id = :theirs"),
        {"mine": house.tenant_id, "theirs": other.tenant_id},
    )
    owner.execute(text("DELETE FROM audit_head WHERE tenant_id = :t"), {"t": house.tenant_id})
    owner.execute(
        text("UPDATE audit_head SET tenant_id = :mine WHERE tenant_id = :theirs"),
        {"mine": house.tenant_id, "theirs": other.tenant_id},
    )
    owner.commit()

    assert verdict(house).fault.seq == 1


class TestInTheVault:
    """What happens to whoever reaches into the vault's folder itself."""

    @pytest.fixture
    def second(self, house, tmp_path):
        found = tmp_path / "vault" / checkpoint_key(house.tenant_id, 2)
        assert found.is_file()
        return found

    def test_a_removed_checkpoint_is_named(self, house, second):
        second.unlink()
        assert verdict(house).checkpoint_fault.number == 2

    def test_every_changed_byte_of_a_checkpoint_is_seen(self, house, second):
        whole = second.read_bytes()
        second.chmod(0o644)
        for at in range(len(whole)):
            second.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            found = verdict(house)
            assert found.checkpoint_fault is not None, whole[max(0, at - 20) : at + 20]
            assert found.checkpoint_fault.number == 2
        second.write_bytes(whole)
        assert verdict(house).is_whole

    def test_one_put_in_the_place_of_another_is_seen(self, house, second):
        first = second.with_name("000000001.json")
        second.unlink()
        second.write_bytes(first.read_bytes())
        assert verdict(house).checkpoint_fault.number == 2

    def test_one_signed_by_a_strange_key_is_seen(self, house, owner, tmp_path):
        """Somebody with the database and the folder, but not the key, signs a trail of their own."""
        owner.execute(text("DELETE FROM audit_checkpoint"))
        rewrite(owner, house.tenant_id, change=lambda record: record.replace(b"true", b"null"))
        forged = tmp_path / "forged"
        stranger = replace(
            house.platform.surroundings, vault=FolderRecordVault(forged), signer=Ed25519Signer(b"s" * 32)
        )
        platform = house.platform
        by = Actor.system("checkpoint", house.tenant_id)
        for duty in (make_checkpoints, keep_checkpoints):
            uow = platform.unit_of_work(by)
            uow.around = stranger
            with uow:
                duty(uow)
        with platform.sessions() as session:
            found = verify_against_vault(
                session, house.tenant_id, vault=FolderRecordVault(forged), signer=platform.signer
            )
        assert found.checkpoint_fault.number == 1
        assert "known key" in found.checkpoint_fault.reason


def test_what_a_former_key_signed_stays_genuine(house):
    old = house.platform.signer
    new = Ed25519Signer(os.urandom(32), previous=(old.public_key,))
    with house.platform.sessions() as session:
        found = verify_against_vault(session, house.tenant_id, vault=house.platform.vault, signer=new)
    assert found.is_whole


def test_a_vault_that_was_away_gets_what_it_missed(house, monkeypatch):
    class Away(FolderRecordVault):
        def keep(self, key, data, *, until):
            raise ObjectStoreUnavailable("away")

    there = house.platform.surroundings.vault
    object.__setattr__(house.platform.surroundings, "vault", Away(there._folder))
    with pytest.raises(ObjectStoreUnavailable):
        sign(house)
    object.__setattr__(house.platform.surroundings, "vault", there)
    assert verdict(house).covered == 12

    sign(house)
    assert verdict(house).covered == 15


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_checkpoint SET digest = repeat('0', 64)",
        "UPDATE audit_checkpoint SET kept_at = now()",
        "DELETE FROM audit_checkpoint",
        "TRUNCATE audit_checkpoint",
    ],
)
def test_the_database_refuses_to_change_a_checkpoint(house, statement):
    with house.platform.engine.connect() as connection, pytest.raises(IntegrityError, match="never changed"):
        connection.execute(text(statement))


def test_a_thousand_entries_do_not_wait_for_the_minute(house, queue):
    act(house, 984)
    assert TaskName.CHECKPOINT_AUDIT not in {sent.name for sent in queue.sent}
    act(house, 1)
    assert [sent.name for sent in queue.sent].count(TaskName.CHECKPOINT_AUDIT) == 1


def test_many_entries_at_once_take_several_checkpoints(house, clock):
    clock.advance(timedelta(days=1))
    act(house, 2000)
    assert sign(house) == 3
    assert verdict(house).covered == 2015


def test_two_that_sign_at_once_sign_nothing_twice(house):
    racers = [Thread(target=sign, args=(house,)) for _ in range(4)]
    for one in racers:
        one.start()
    for one in racers:
        one.join()
    found = verdict(house)
    assert found.is_whole
    assert (found.checkpoints, found.covered) == (3, 15)


def test_eight_writers_leave_no_gap(house):
    def write() -> None:
        for _ in range(25):
            act(house, 4)

    writers = [Thread(target=write) for _ in range(8)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    sign(house)
    found = verdict(house)
    assert found.is_whole
    assert found.entries == found.covered == 15 + 8 * 100
