"""A pack is asked for, made once whatever dies on the way, told of, taken away and removed in time."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from app.domain.errors import InvalidInput, Missing
from app.domain.evidence import MANIFEST, verify_pack
from app.domain.evidence_pack import KEPT_FOR, MOST_TURNS, PackState
from app.domain.organisation import Actor, Role
from app.models.archive import ArchiveItem
from app.models.audit import AuditEntry
from app.models.evidence_pack import EvidencePack
from app.models.notice import Notice
from app.models.user import Membership
from app.ports import TaskName
from app.services import evidence, evidence_pack
from app.services.evidence import EvidenceScope
from app.services.evidence_pack import (
    ask_pack,
    make_pack,
    remove_old_packs,
    send_stale_packs,
    take_pack,
)
from app.services.notice import tell_what_happened
from tests.factories import House
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue
from tests.integration.test_evidence import read, seal
from tests.simultaneous import at_once


@pytest.fixture
def house(small_house: House) -> House:
    """One piece of an advisor's, public and sealed."""
    small_house.published("advisor", "note", headline="时间，站在耐心的人一边")
    seal(small_house)
    return small_house


@pytest.fixture
def scope(house: House) -> EvidenceScope:
    with house.platform.sessions() as session:
        return EvidenceScope(piece_id=session.scalars(select(ArchiveItem.piece_id)).one())


def asked(house: House, scope: EvidenceScope, who: str = "auditor") -> UUID:
    with house.by(who) as uow:
        return ask_pack(uow, scope).id


def make(house: House, pack_id: UUID) -> bool:
    return make_pack(house.platform.unit_of_work, house.tenant_id, pack_id)


def pack_of(house: House, pack_id: UUID) -> EvidencePack:
    with house.platform.sessions() as session:
        return session.get_one(EvidencePack, pack_id)


def taken(house: House, pack_id: UUID, who: str | Actor = "auditor") -> bytes:
    with house.by(who) as uow:
        _, parts = take_pack(uow, pack_id)
    return b"".join(parts)


def by_duty(house: House, act) -> int:
    with house.platform.unit_of_work(Actor.system("sweep", house.tenant_id)) as uow:
        return act(uow)


def entries(house: House) -> list[tuple[str, str, dict[str, object]]]:
    """What the trail says about packs: act, by whom, details."""
    with house.platform.sessions() as session:
        rows = session.scalars(
            select(AuditEntry).where(AuditEntry.tag.like("evidence:%")).order_by(AuditEntry.seq)
        ).all()
    return [(row.tag, row.actor, json.loads(row.record)["details"]) for row in rows]


def test_what_was_asked_for_is_made_and_verifies(
    house: House, scope: EvidenceScope, queue: RecordingTaskQueue
) -> None:
    pack_id = asked(house, scope)
    assert pack_of(house, pack_id).state is PackState.WAITING
    assert [one.args for one in queue.sent if one.name is TaskName.MAKE_EVIDENCE_PACK] == [(str(pack_id),)]

    assert make(house, pack_id)

    made, data = pack_of(house, pack_id), taken(house, pack_id)
    assert (made.state, made.records, made.size_bytes) == (PackState.READY, 1, len(data))
    assert verify_pack(io.BytesIO(data), keys=(house.platform.signer.public_key,)).faults == []
    manifest = read(data, MANIFEST)
    assert made.manifest == evidence.hashlib.sha256(manifest).hexdigest()
    assert json.loads(manifest)["made_by"] == str(house.people["auditor"].user_id)


def test_asking_making_and_taking_away_are_on_record(house: House, scope: EvidenceScope) -> None:
    pack_id = asked(house, scope)
    make(house, pack_id)
    taken(house, pack_id, "reviewer")
    auditor, reviewer = (str(house.people[who].user_id) for who in ("auditor", "reviewer"))
    manifest = pack_of(house, pack_id).manifest
    (ask, by_asker, _), (export, by_maker, said), (download, by_taker, of) = entries(house)
    assert (ask, by_asker) == ("evidence:ask", auditor)
    assert (export, by_maker) == ("evidence:export", "system:evidence")
    assert (said["asked_by"], said["manifest"], said["records"]) == (auditor, manifest, 1)
    assert (download, by_taker, of["manifest"]) == ("evidence:download", reviewer, manifest)


def test_a_fault_of_the_scope_is_said_at_once_and_nothing_is_asked_for(house: House) -> None:
    house.published("advisor_b", "note", headline="还没有封存")
    for scope, code in (
        (EvidenceScope(), "required"),
        (EvidenceScope(staff_no="nobody"), "nothing_found"),
        (EvidenceScope(since=house.platform.clock.now().date()), "not_sealed"),
    ):
        with pytest.raises(InvalidInput) as refused:
            asked(house, scope)
        assert [fault.code for fault in refused.value.faults] == [code]
    with house.platform.sessions() as session:
        assert session.scalars(select(EvidencePack)).all() == []


def test_asked_for_twice_before_it_is_made_it_is_made_once(house: House, scope: EvidenceScope) -> None:
    first = asked(house, scope)
    assert asked(house, scope) == first
    assert asked(house, scope, "reviewer") != first
    make(house, first)
    assert asked(house, scope) != first  # things may have changed since


@pytest.mark.parametrize("place", ["write_report", "put_file", "record_export"])
def test_a_worker_that_died_leaves_it_to_the_next_and_exactly_one_pack_comes_of_it(
    house: House,
    scope: EvidenceScope,
    store: MemoryObjectStore,
    queue: RecordingTaskQueue,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    pack_id = asked(house, scope)

    def die(*_any: object, **_more: object) -> None:
        raise SystemExit  # nothing catches it, as nothing catches a kill

    where = {"write_report": evidence, "put_file": store, "record_export": evidence_pack}[place]
    with monkeypatch.context() as killing:
        killing.setattr(where, place, die)
        with pytest.raises(SystemExit):
            make(house, pack_id)
    assert pack_of(house, pack_id).state is PackState.MAKING

    queue.sent.clear()
    clock.advance(timedelta(seconds=30))
    assert by_duty(house, send_stale_packs) == 1
    assert [one.args for one in queue.sent] == [(str(pack_id),)]
    assert make(house, pack_id)
    assert not make(house, pack_id)  # a message that comes late

    assert verify_pack(io.BytesIO(taken(house, pack_id))).is_whole
    assert len(list(store.keys("evidence/"))) == 1
    assert [tag for tag, *_ in entries(house)].count("evidence:export") == 1
    clock.advance(timedelta(hours=1))
    assert by_duty(house, send_stale_packs) == 0


def test_two_workers_with_the_same_message_make_one_pack(
    house: House, scope: EvidenceScope, store: MemoryObjectStore
) -> None:
    pack_id = asked(house, scope)
    assert sorted(at_once(*[lambda: make(house, pack_id)] * 2)) == [False, True]
    assert pack_of(house, pack_id).turn == 1
    assert len(list(store.keys("evidence/"))) == 1


def test_whoever_was_given_up_for_dead_and_comes_late_changes_nothing(
    house: House, scope: EvidenceScope, store: MemoryObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id, drawn = asked(house, scope), evidence.write_report

    def overtaken(report):
        monkeypatch.setattr(evidence, "write_report", drawn)
        # the lock went with its connection
        assert evidence_pack._make(house.platform.unit_of_work, house.tenant_id, pack_id)
        return drawn(report)

    monkeypatch.setattr(evidence, "write_report", overtaken)
    assert not make(house, pack_id)
    assert verify_pack(io.BytesIO(taken(house, pack_id))).is_whole
    assert len(list(store.keys("evidence/"))) == 1


def test_what_fails_each_time_is_given_up_with_a_reason(
    house: House, scope: EvidenceScope, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack_id = asked(house, scope)
    monkeypatch.setattr(evidence, "write_report", lambda _report: 1 // 0)
    for _ in range(MOST_TURNS):
        with pytest.raises(ZeroDivisionError):
            make(house, pack_id)
    assert not make(house, pack_id)
    failed = pack_of(house, pack_id)
    assert failed.state is PackState.FAILED
    assert "请再导出一次" in failed.failure


def test_it_is_made_with_the_grants_that_who_asked_holds_now(house: House, scope: EvidenceScope) -> None:
    pack_id = asked(house, scope)
    with house.platform.sessions.begin() as session:
        session.execute(
            update(Membership)
            .where(Membership.user_id == house.people["auditor"].user_id)
            .values(role=Role.ADMINISTRATOR)
        )
    assert not make(house, pack_id)
    assert "权限" in pack_of(house, pack_id).failure


def test_what_is_only_being_sealed_is_waited_for(house: House) -> None:
    pack_id = asked(house, EvidenceScope(since=house.platform.clock.now().date()))
    house.published("advisor_b", "note", headline="刚刚发布")
    assert not make(house, pack_id)
    assert pack_of(house, pack_id).state is PackState.MAKING
    seal(house)
    assert make(house, pack_id)
    assert pack_of(house, pack_id).records == 2


def test_who_asked_is_told_when_it_is_ready(house: House, scope: EvidenceScope) -> None:
    by_duty(house, tell_what_happened)
    make(house, asked(house, scope))
    by_duty(house, tell_what_happened)
    with house.platform.sessions() as session:
        told = session.scalars(select(Notice).where(Notice.tag == "evidence:export")).one()
    assert told.user_id == house.people["auditor"].user_id
    assert "可以下载" in told.words
    assert told.link == "/archive/evidence"


def test_after_seven_days_it_is_gone_and_can_be_asked_for_again(
    house: House, scope: EvidenceScope, store: MemoryObjectStore, clock: FixedClock
) -> None:
    pack_id = asked(house, scope)
    make(house, pack_id)
    clock.advance(KEPT_FOR - timedelta(seconds=1))
    assert by_duty(house, remove_old_packs) == 0
    clock.advance(timedelta(seconds=1))
    assert by_duty(house, remove_old_packs) == 1

    assert list(store.keys("evidence/")) == []
    with pytest.raises(Missing):
        taken(house, pack_id)
    assert entries(house)[-1][0] == "evidence:remove"
    assert make(house, asked(house, scope))
