"""Rules change; a verdict of old comes again as it was, and what is live is judged by the new ones."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from app.domain.errors import AccessDenied, Missing
from app.domain.organisation import Actor
from app.models.audit import AuditEntry
from app.models.check import CheckRun
from app.ports import ObjectStoreUnavailable
from app.services.recheck import live_revisions, note_recheck, recheck_revisions, replay_check
from app.services.review import run_check
from app.services.ruleset import RulesetNotKept, ruleset_key
from app.services.submission import submit_for_review
from compliance.finding import Severity
from compliance.report import Verdict
from compliance.ruleset import Ruleset, load_ruleset, read_ruleset
from tests.factories import House
from tests.fakes import MemoryObjectStore

NOTE = "note"
_LATER = timedelta(seconds=1)
_PACK = """\
dated: 2027-01-01
rules:
  - id: own_word/{severity}
    title: 本行用语
    severity: {severity}
    basis: 《本行用语规范》第一条
    reason: 本行不再这样问候。
    suggestion: 您好
    terms: [{word}]
    examples:
      violations: [{word}, 祝您{word}, {word}各位]
      compliant: [您好, 再见, 谢谢]
"""


def stricter(word: str, severity: str = "block") -> Ruleset:
    """The shipped rules, and one that stops a word."""
    own = _PACK.format(word=word, severity=severity)
    return read_ruleset([*load_ruleset().files, ("own/words.yaml", own.encode())])


def judge_by(house: House, ruleset: Ruleset) -> None:
    """Start the platform anew with other rules."""
    around = house.platform.surroundings
    house.platform.__dict__["surroundings"] = replace(around, rules=lambda: ruleset)


def run_of(house: House, piece_id: UUID) -> CheckRun:
    with house.platform.sessions() as session:
        revision_id = house.piece(piece_id).current_revision_id
        return session.scalars(select(CheckRun).where(CheckRun.revision_id == revision_id)).one()


def older_run(house: House, piece_id: UUID, **other: Any) -> UUID:
    """Another completed check of the piece, as a process before this one might have left it."""
    run = run_of(house, piece_id)
    facts = {
        column.key: getattr(run, column.key) for column in CheckRun.__table__.columns if column.key != "id"
    }
    older = CheckRun(**facts | {"id": uuid4(), "completed_at": house.platform.clock.now() + _LATER} | other)
    with house.platform.sessions.begin() as session:
        session.add(older)
        return older.id


def without_document(house: House, piece_id: UUID) -> dict[str, Any]:
    report = run_of(house, piece_id).report
    return {key: value for key, value in report.items() if key != "document"}


def actions_of(house: House) -> list[str]:
    with house.platform.sessions() as session:
        return list(session.scalars(select(AuditEntry.tag).order_by(AuditEntry.seq)))


def test_the_rules_of_a_verdict_are_kept_once_under_their_digest(
    small_house: House, store: MemoryObjectStore
) -> None:
    small_house.in_review("operator", NOTE)
    small_house.in_review("operator", NOTE, headline="晚安")
    digest = load_ruleset().digest
    assert list(store.keys("rulesets/")) == [ruleset_key(digest)]
    kept = store.get(ruleset_key(digest))
    judge_by(small_house, stricter("早安"))
    small_house.in_review("operator", NOTE, headline="晚安")
    assert len(list(store.keys("rulesets/"))) == 2
    assert store.get(ruleset_key(digest)) == kept


def test_a_verdict_waits_for_the_store_that_keeps_its_rules(
    small_house: House, store: MemoryObjectStore
) -> None:
    house = small_house
    piece_id = house.draft("operator", NOTE)
    with house.by("operator") as uow:
        submit_for_review(uow, piece_id)
    run_id = run_of(house, piece_id).id
    store.is_full = True
    by = Actor.system("check", house.tenant_id)
    with pytest.raises(ObjectStoreUnavailable), house.platform.unit_of_work(by) as uow:
        run_check(uow, run_id)
    assert run_of(house, piece_id).completed_at is None
    store.is_full = False
    with house.platform.unit_of_work(by) as uow:
        run_check(uow, run_id)
    assert run_of(house, piece_id).verdict == "pass"


def test_an_old_verdict_comes_again_from_the_rules_it_was_made_with(small_house: House) -> None:
    house = small_house
    judge_by(house, stricter("早安", "review"))
    piece_id = house.in_review("operator", NOTE)
    run = run_of(house, piece_id)
    judge_by(house, load_ruleset())
    with house.by("reviewer") as uow:
        replay = replay_check(uow, run.id)
    assert replay.is_same
    assert (replay.before, replay.again) == ("review", "review")
    assert replay.ruleset_digest == stricter("早安", "review").digest
    assert replay.read_as_kept
    assert actions_of(house)[-1] == "check:replay"


def test_what_the_run_read_is_kept_though_the_sample_advisor_has_another_name_now(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", NOTE)
    run = run_of(house, piece_id)
    house.advisor("欧阳稳赚不赔保本", "/HQ/SH/01/")
    with house.by("auditor") as uow:
        assert replay_check(uow, run.id).is_same
    older = older_run(house, piece_id, report=without_document(house, piece_id))
    with house.by("auditor") as uow:
        anew = replay_check(uow, older)
    assert not anew.read_as_kept
    assert not anew.is_same
    assert "稳赚不赔" in [one["text"] for one in anew.added]


def test_a_run_that_says_what_its_rules_never_said_does_not_come_again(small_house: House) -> None:
    house = small_house
    judge_by(house, stricter("早安", "review"))
    piece_id = house.in_review("operator", NOTE)
    forged = older_run(
        house, piece_id, verdict="pass", report=run_of(house, piece_id).report | {"findings": []}
    )
    with house.by("auditor") as uow:
        replay = replay_check(uow, forged)
    assert not replay.is_same
    assert [one["rule_id"] for one in replay.added] == ["own_word/review"]
    assert (replay.before, replay.again) == ("pass", "review")


@pytest.mark.parametrize("damage", ["gone", "not a zip", "other rules"])
def test_rules_that_are_not_those_that_were_kept_reproduce_nothing(
    small_house: House, store: MemoryObjectStore, damage: str
) -> None:
    house = small_house
    run = run_of(house, house.in_review("operator", NOTE))
    judge_by(house, stricter("早安"))
    house.in_review("operator", NOTE, headline="晚安")
    key = ruleset_key(run.ruleset_digest)
    if damage == "gone":
        store.delete(key)
    else:
        other = store.get(ruleset_key(stricter("早安").digest))
        store.put(key, other if damage == "other rules" else b"PK", "application/zip")
    with pytest.raises(RulesetNotKept), house.by("reviewer") as uow:
        replay_check(uow, run.id)


def test_an_old_check_is_reproduced_within_ones_own_house_by_whoever_reviews(small_house: House) -> None:
    house = small_house
    run = run_of(house, house.in_review("operator", NOTE))
    other = House.build(house.platform, slug="other", templates=False)
    with pytest.raises(Missing), other.by("reviewer") as uow:
        replay_check(uow, run.id)
    with pytest.raises(AccessDenied), house.by("operator") as uow:
        replay_check(uow, run.id)


def test_what_is_published_or_approved_is_judged_by_the_rules_of_today(small_house: House) -> None:
    house = small_house
    published = house.published("operator", NOTE)
    approved = house.in_review("operator", NOTE, headline="早安各位")
    house.decide(approved)
    house.published("operator", NOTE, headline="晚安")
    house.in_review("operator", NOTE, headline="早安早安")  # nobody has approved it
    house.draft("operator", NOTE)
    judge_by(house, stricter("早安"))
    with house.by("reviewer") as uow:
        revisions = live_revisions(uow)
        changed = recheck_revisions(uow, revisions)
        note_recheck(uow, judged=len(revisions), changed=changed)
    assert len(revisions) == 3
    assert {one.piece_id for one in changed} == {published, approved}
    for one in changed:
        assert (one.before, one.after, one.weight) == ("pass", Verdict.BLOCK, Severity.BLOCK)
        assert [found.rule_id for found in one.new] == ["own_word/block"]
    assert actions_of(house)[-1] == "check:recheck"


def test_what_was_said_before_an_approval_is_not_said_as_new(small_house: House) -> None:
    house = small_house
    judge_by(house, stricter("早安", "review"))
    piece_id = house.published("operator", NOTE)
    with house.by("auditor") as uow:
        assert recheck_revisions(uow, live_revisions(uow)) == []
    judge_by(house, stricter("早安", "block"))
    with house.by("auditor") as uow:
        (changed,) = recheck_revisions(uow, live_revisions(uow))
    assert changed.piece_id == piece_id
    assert changed.weight is Severity.BLOCK  # the same words, and a graver rule


def test_rules_that_were_loosened_change_a_verdict_and_stop_nothing(small_house: House) -> None:
    house = small_house
    judge_by(house, stricter("早安", "review"))
    house.published("operator", NOTE)
    judge_by(house, load_ruleset())
    with house.by("auditor") as uow:
        (changed,) = recheck_revisions(uow, live_revisions(uow))
    assert (changed.before, changed.after, changed.weight) == ("review", Verdict.PASS, Severity.NOTE)
    assert changed.new == ()


def test_a_live_piece_that_cannot_be_judged_any_more_weighs_as_a_block(small_house: House) -> None:
    house = small_house
    piece_id = house.published("operator", NOTE)
    older_run(house, piece_id, report=without_document(house, piece_id))
    with house.by("auditor") as uow:
        assert recheck_revisions(uow, live_revisions(uow)) == []  # read anew, it says the same
    shelf = house.platform.surroundings.shelf
    manifest = next(iter(shelf.catalog.versions()))
    body = shelf.catalog.source(manifest.slug, manifest.version).directory / "body.html"
    body.write_text(body.read_text("utf-8").replace("headline", "headline "), "utf-8")
    shelf._compiled.clear()  # as a process would that starts now
    with house.by("auditor") as uow:
        (changed,) = recheck_revisions(uow, live_revisions(uow))
    assert changed.after is None
    assert changed.weight is Severity.BLOCK
    assert "不一致" in changed.fault


def test_what_ended_is_not_live(small_house: House) -> None:
    house = small_house
    house.published("operator", NOTE)
    until = house.publication(house.published("operator", NOTE, headline="晚安")).valid_until
    with house.by("auditor") as uow:
        assert len(live_revisions(uow)) == 2
        assert live_revisions(uow, since=until) == []
        assert len(live_revisions(uow, since=house.platform.clock.now())) == 2
    house.platform.clock.at = until
    with house.by("auditor") as uow:
        assert live_revisions(uow) == []
