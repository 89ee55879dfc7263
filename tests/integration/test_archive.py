"""What was public is kept as it was shown, found by what somebody remembers, and gone only by law."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from app.domain.archive import ItemKind, file_key, record_key
from app.domain.errors import (
    AccessDenied,
    InvalidInput,
    Missing,
    RecordIsKept,
    SecondPersonNeeded,
    TermOnlyGrows,
)
from app.domain.organisation import Actor
from app.domain.piece import canonical_json
from app.domain.retention import HoldScope, RecordClass
from app.domain.template import ProductType
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.audit import AuditEntry
from app.models.retention import Destruction
from app.ports import ObjectMissing, RecordKept, TaskName
from app.queries.archive import ArchiveSearch
from app.services.archive import look_into_archive, open_item, send_stale_records
from app.services.record import note_unopened_editions, seal_record
from app.services.retention import (
    HoldTarget,
    ask_release,
    destroy_record,
    keep_promises,
    lengthen_term,
    place_hold,
    release_hold,
)
from app.services.serving import edition_picture, open_edition
from tests.factories import House

SENTENCE = "时间，站在耐心的人一边"


def system(house: House):
    return house.platform.unit_of_work(Actor.system("record", house.tenant_id))


def seal_all(house: House) -> int:
    with house.platform.sessions() as session:
        waiting = session.scalars(select(ArchiveItem.id).where(ArchiveItem.sealed_at.is_(None))).all()
    for item_id in waiting:
        with system(house) as uow:
            seal_record(uow, item_id)
    return len(waiting)


def items(house: House, **facts) -> list[ArchiveItem]:
    with house.platform.sessions() as session:
        return list(
            session.scalars(select(ArchiveItem).filter_by(**facts).order_by(ArchiveItem.noted_at)).all()
        )


def record_of(house: House, item: ArchiveItem) -> dict:
    return json.loads(house.platform.vault.read(record_key(house.tenant_id, item.id)))


@pytest.fixture
def house(small_house: House) -> House:
    return small_house


@pytest.fixture
def shown(house: House) -> ArchiveItem:
    """An advisor's own piece that was published, with its record in the vault."""
    house.published("advisor", "note", headline=SENTENCE)
    seal_all(house)
    (item,) = items(house)
    return item


def test_a_publication_is_noted_with_it_and_sealed_by_the_worker(house, queue):
    house.published("advisor", "note", headline=SENTENCE)

    (item,) = items(house)
    assert item.kind is ItemKind.PUBLICATION
    assert item.sealed_at is None
    assert (TaskName.SEAL_RECORD, (str(item.id),)) in {(sent.name, sent.args) for sent in queue.sent}


def test_what_is_not_published_is_not_archived(house):
    house.in_review("advisor", "note", headline=SENTENCE)

    assert items(house) == []


def test_the_record_holds_the_very_bytes_and_words_and_all_that_led_to_them(house, shown):
    vault = house.platform.vault
    kept = vault.read(record_key(house.tenant_id, shown.id))
    record = json.loads(kept)

    assert hashlib.sha256(kept).hexdigest() == shown.record_sha256
    assert canonical_json(record) == kept
    (picture,) = record["shown"]["files"]
    data = vault.read(file_key(house.tenant_id, picture["sha256"]))
    assert hashlib.sha256(data).hexdigest() == picture["sha256"]
    with house.by("advisor") as uow:
        edition = open_edition(uow, shown.piece_id)
    with house.by("advisor") as uow:
        assert edition_picture(uow, edition.id).data == data
    assert SENTENCE in {line["text"] for line in record["shown"]["lines"]}
    assert {place["slot"] for place in record["shown"]["places"]} >= {"headline", "name"}
    assert record["checks"][0]["ruleset_digest"] == house.platform.surroundings.ruleset.digest
    (decision,) = record["reviews"][0]["decisions"]
    assert decision["outcome"] == "approve"
    assert decision["decided_by"]["name"] == "demo-reviewer"
    assert record["template"]["digest"]
    assert all(len(face["sha256"]) == 64 for face in record["fonts"])
    assert record["drawn_by"]["weasyprint"]


def test_the_content_on_record_gives_the_hash_that_was_decided_on(house, shown):
    record = record_of(house, shown)

    found = hashlib.sha256(canonical_json(record["content"])).hexdigest()
    assert found == record["revision"]["content_hash"] == record["publication"]["content_hash"]


def test_sealing_twice_changes_nothing(house, shown):
    with system(house) as uow:
        assert seal_record(uow, shown.id) is False


def test_a_killed_sealing_is_done_again_to_the_same_end(house):
    house.published("advisor", "note", headline=SENTENCE)
    (item,) = items(house)
    with pytest.raises(RuntimeError), system(house) as uow:
        seal_record(uow, item.id)
        raise RuntimeError("killed before the commit")
    seal_all(house)

    (item,) = items(house)
    kept = house.platform.vault.read(record_key(house.tenant_id, item.id))
    assert hashlib.sha256(kept).hexdigest() == item.record_sha256


def test_a_lost_message_is_sent_again_and_ever_seldomer(house, queue, clock):
    house.published("advisor", "note", headline=SENTENCE)
    queue.sent.clear()
    for minutes, times in ((1, 1), (0, 1), (1, 1), (1, 2)):
        clock.advance(timedelta(minutes=minutes))
        with system(house) as uow:
            send_stale_records(uow)
        assert [sent.name for sent in queue.sent].count(TaskName.SEAL_RECORD) == times


def test_each_advisors_copy_is_a_record_of_its_own(house):
    piece_id = house.published("operator", "note", headline=SENTENCE)
    for who in ("advisor", "advisor_b"):
        with house.by(who) as uow:
            edition = open_edition(uow, piece_id)
        for _ in range(3):
            with house.by(who) as uow:
                picture = edition_picture(uow, edition.id)
    seal_all(house)

    assert len(items(house, kind=ItemKind.PUBLICATION)) == 1
    mine, theirs = items(house, kind=ItemKind.EDITION)
    assert mine.files != theirs.files
    assert picture.sha256 in theirs.files
    assert record_of(house, theirs)["shown"]["advisor"]["name"] == "欧阳𠮷"


def test_a_changed_profile_makes_another_record_of_the_same_copy(house):
    piece_id = house.published("operator", "note", headline=SENTENCE)
    with house.by("advisor") as uow:
        edition = open_edition(uow, piece_id)
    with house.by("advisor") as uow:
        edition_picture(uow, edition.id)
    with house.platform.sessions.begin() as session:
        session.execute(update(Advisor).values(name="李知远").where(Advisor.name == "李知遥"))
    with house.by("advisor") as uow:
        edition_picture(uow, edition.id)
    seal_all(house)

    names = {record_of(house, one)["shown"]["values"]["name"] for one in items(house, kind=ItemKind.EDITION)}
    assert names == {"李知遥", "李知远"}


def test_a_copy_that_a_new_publication_shows_unopened_is_noted(house):
    piece_id = house.published("operator", "note", headline=SENTENCE)
    with house.by("advisor") as uow:
        open_edition(uow, piece_id)
    with system(house) as uow:
        assert note_unopened_editions(uow) == 1
    with system(house) as uow:
        assert note_unopened_editions(uow) == 0
    assert len(items(house, kind=ItemKind.EDITION)) == 1


class TestSearch:
    def found(self, house, **asked):
        with house.by(asked.pop("who", "auditor")) as uow:
            return [
                (line.title, line.likeness) for line in look_into_archive(uow, ArchiveSearch(**asked)).rows
            ]

    @pytest.fixture(autouse=True)
    def others(self, house, shown):
        for words in ("早起的人先看见光", "把钱交给时间", "一年之计在于春"):
            house.published("advisor_b", "note", headline=words)
        seal_all(house)

    @pytest.mark.parametrize(
        "quoted",
        [
            SENTENCE,
            "站在耐心的人一边",
            "时间 站在",
            "时间,站在耐心的人一边。",
            "时间\n站在耐心的\n人一边",
        ],
    )
    def test_a_quoted_sentence_finds_the_poster_however_it_is_written(self, house, quoted):
        assert [likeness for _, likeness in self.found(house, words=quoted)] == [1.0]

    def test_a_sentence_from_memory_finds_what_comes_near(self, house):
        ((_, likeness),) = self.found(house, words="时间总站在耐心的人那一边")
        assert 0.6 <= likeness < 1

    def test_other_words_find_nothing(self, house):
        assert self.found(house, words="保本保息稳赚不赔") == []
        assert self.found(house, words="人") == []

    def test_a_person_a_product_and_a_day_narrow_it(self, house, clock):
        today = clock.now().date()
        assert len(self.found(house, person="李知遥")) == 1
        assert len(self.found(house, person="demo-reviewer")) == 4
        assert len(self.found(house, since=today, until=today)) == 4
        assert self.found(house, since=today + timedelta(days=40)) == []
        assert self.found(house, until=today - timedelta(days=1)) == []
        assert self.found(house, product=ProductType.INSURANCE) == []

    def test_an_approval_number_finds_its_publication(self, house, shown):
        no = house.publication(shown.piece_id).approval_no
        assert len(self.found(house, words=no.lower().replace("-", " "))) == 1

    def test_only_the_subtree_is_searched(self, house):
        from app.domain.organisation import Role

        local = house.person("sz", Role.REVIEWER, "/HQ/SZ/")
        with house.by(local) as uow:
            found = look_into_archive(uow, ArchiveSearch())
        assert {line.people.partition("、")[0] for line in found.rows} == {"欧阳𠮷"}

    def test_whoever_may_not_look_is_refused(self, house, shown):
        with pytest.raises(AccessDenied), house.by("operator") as uow:
            look_into_archive(uow, ArchiveSearch())
        with pytest.raises(AccessDenied), house.by("advisor") as uow:
            open_item(uow, shown.id)

    def test_the_auditors_own_looks_are_on_record_without_a_word_they_typed(self, house, shown):
        self.found(house, words=SENTENCE, person="李知遥")
        with house.by("auditor") as uow:
            open_item(uow, shown.id)
        with house.platform.sessions() as session:
            entries = session.scalars(
                select(AuditEntry).where(AuditEntry.actor == str(house.people["auditor"].user_id))
            ).all()
        assert [one.tag for one in entries] == ["archive:search", "archive:read"]
        assert entries[1].subject_id == str(shown.id)
        assert all("李知遥" not in one.record.decode() for one in entries)
        assert all("耐心" not in one.record.decode() for one in entries)


class TestTerm:
    def test_it_is_twenty_years_after_the_last_day_unless_said_otherwise(self, house, shown):
        until = house.publication(shown.piece_id).valid_until
        assert shown.kept_until == until.replace(year=until.year + 20)
        assert house.platform.vault.kept_until(record_key(house.tenant_id, shown.id)) >= shown.kept_until

    def test_it_only_grows_and_the_vault_hears_of_it(self, house, shown):
        with house.by("administrator") as uow:
            lengthen_term(uow, RecordClass.PUBLICATION, 25)
        with pytest.raises(TermOnlyGrows), house.by("administrator") as uow:
            lengthen_term(uow, RecordClass.PUBLICATION, 24)
        with pytest.raises(InvalidInput), house.by("administrator") as uow:
            lengthen_term(uow, RecordClass.PUBLICATION, 1000)
        with pytest.raises(AccessDenied), house.by("auditor") as uow:
            lengthen_term(uow, RecordClass.PUBLICATION, 30)
        with system(house) as uow:
            assert keep_promises(uow) == 1
        with system(house) as uow:
            assert keep_promises(uow) == 0

        (item,) = items(house)
        assert item.kept_until.year == shown.kept_until.year + 5
        for key in (record_key(house.tenant_id, item.id), file_key(house.tenant_id, item.files[0])):
            assert house.platform.vault.kept_until(key) >= item.kept_until

    def test_nobody_destroys_a_record_inside_it(self, house, shown):
        with pytest.raises(RecordIsKept), house.by("administrator") as uow:
            destroy_record(uow, shown.id)

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM archive_item",
            "TRUNCATE archive_item",
            "UPDATE archive_item SET kept_until = now()",
            "UPDATE archive_item SET values = '{}'",
            "UPDATE archive_item SET words = ''",
            "UPDATE archive_item SET record_sha256 = repeat('0', 64)",
        ],
    )
    def test_the_database_refuses_too(self, house, shown, statement):
        with house.platform.engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(statement))


class TestHold:
    @pytest.fixture
    def hold(self, house, shown):
        with house.by("reviewer") as uow:
            return place_hold(
                uow, HoldTarget(HoldScope.PIECE, piece_id=shown.piece_id), reason="（2026）示例 1 号案"
            )

    def sync(self, house) -> None:
        with system(house) as uow:
            keep_promises(uow)

    def test_the_vault_holds_the_record_and_its_pictures(self, house, shown, hold):
        self.sync(house)
        vault = house.platform.vault
        assert vault.is_held(record_key(house.tenant_id, shown.id))
        assert vault.is_held(file_key(house.tenant_id, shown.files[0]))
        with pytest.raises(RecordKept):
            vault.remove(record_key(house.tenant_id, shown.id), at=datetime(2100, 1, 1, tzinfo=UTC))

    def test_it_is_lifted_by_a_second_person_alone(self, house, shown, hold):
        with pytest.raises(SecondPersonNeeded), house.by("reviewer_b") as uow:
            release_hold(uow, hold.id)
        with house.by("reviewer") as uow:
            ask_release(uow, hold.id, reason="结案")
        with pytest.raises(SecondPersonNeeded), house.by("reviewer") as uow:
            release_hold(uow, hold.id)
        with house.by("reviewer_b") as uow:
            release_hold(uow, hold.id)
        self.sync(house)
        assert not house.platform.vault.is_held(record_key(house.tenant_id, shown.id))
        with pytest.raises(Missing), house.by("reviewer_b") as uow:
            release_hold(uow, hold.id)

    @pytest.mark.parametrize(
        "statement",
        [
            "DELETE FROM legal_hold",
            "TRUNCATE legal_hold",
            "UPDATE legal_hold SET scope = 'everything', piece_id = NULL",
            "UPDATE legal_hold SET released_by = placed_by, released_at = now()",
            "UPDATE legal_hold SET release_asked_by = placed_by, released_by = placed_by",
        ],
    )
    def test_the_database_refuses_what_is_not_lifted_by_two(self, house, hold, statement):
        with house.platform.engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(statement))

    def test_an_auditor_places_none(self, house, shown):
        with pytest.raises(AccessDenied), house.by("auditor") as uow:
            place_hold(uow, HoldTarget(HoldScope.EVERYTHING), reason="无权")

    def test_a_hold_on_nothing_that_is_known_is_refused(self, house, shown):
        with pytest.raises(InvalidInput), house.by("reviewer") as uow:
            place_hold(uow, HoldTarget(HoldScope.PIECE, piece_id=shown.id), reason="不存在")


class TestAfterTheTerm:
    """A record of the last century: its term is over by every clock."""

    @pytest.fixture
    def old(self, house, clock):
        now, clock.at = clock.at, datetime(2001, 5, 1, tzinfo=UTC)
        house.published("advisor", "note", headline=SENTENCE)
        seal_all(house)
        clock.at = now
        (item,) = items(house)
        assert item.kept_until < now
        return item

    @pytest.mark.parametrize(
        "target",
        [
            lambda item: HoldTarget(HoldScope.EVERYTHING),
            lambda item: HoldTarget(HoldScope.PIECE, piece_id=item.piece_id),
            lambda item: HoldTarget(HoldScope.ADVISOR, advisor_id=item.advisor_id),
            lambda item: HoldTarget(HoldScope.PRODUCT, product=item.product_type),
        ],
        ids=["everything", "piece", "advisor", "product"],
    )
    def test_a_hold_still_keeps_it_from_services_and_from_the_database(self, house, old, target):
        with house.by("reviewer") as uow:
            place_hold(uow, target(old), reason="调查")
        with pytest.raises(RecordIsKept), house.by("administrator") as uow:
            destroy_record(uow, old.id)
        with house.platform.engine.connect() as connection, pytest.raises(IntegrityError, match="hold"):
            connection.execute(text("DELETE FROM archive_item"))

    def test_it_goes_with_a_certificate_that_stays(self, house, old):
        with (
            house.platform.engine.connect() as connection,
            pytest.raises(IntegrityError, match="certificate"),
        ):
            connection.execute(text("DELETE FROM archive_item"))
        with house.by("administrator") as uow:
            destroy_record(uow, old.id)
        with system(house) as uow:
            assert keep_promises(uow) == 1

        vault = house.platform.vault
        for key in (record_key(house.tenant_id, old.id), file_key(house.tenant_id, old.files[0])):
            with pytest.raises(ObjectMissing):
                vault.read(key)
        kept = json.loads(vault.read(f"destroyed/{house.tenant_id}/{old.id}.json"))
        assert kept["destruction"]["record_sha256"] == old.record_sha256
        assert house.platform.signer.is_genuine(
            kept["destruction"]["key"],
            canonical_json(kept["destruction"]),
            bytes.fromhex(kept["signature"]),
        )
        with house.platform.engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text("DELETE FROM destruction"))
        with house.platform.sessions() as session:
            assert session.scalars(select(Destruction.cleared_at)).one() is not None

    def test_a_picture_that_another_record_shows_stays(self, house, old):
        house.published("advisor_b", "note", headline="另一句话")
        seal_all(house)
        other = next(one for one in items(house) if one.id != old.id)
        assert other.files != old.files
        with house.by("administrator") as uow:
            destroy_record(uow, old.id)
        with system(house) as uow:
            keep_promises(uow)
        assert house.platform.vault.read(file_key(house.tenant_id, other.files[0]))
