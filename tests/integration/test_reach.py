"""Reach: whichever way a figure is cut or opened, it is the same figure."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from app.domain.organisation import Actor, Permission, Scope
from app.domain.reach import Counting, Metric, Period, Question, last_folded_day
from app.domain.tracking import EventKind, HitClass, LinkChannel, day_of
from app.models.tracking import DailyRollup
from app.queries import reach
from app.queries.reach import Tally
from app.services.rollup import fold_stale_days
from tests.factories import House
from tests.visitors import code_of, keep_event

FIGURES = {
    Metric.ARRIVALS: ("arrivals", "arrivals_all"),
    Metric.VIEWS: ("views", "views_all"),
    Metric.LEADS: ("leads", "leads_all"),
    Metric.SCANS: ("scans", None),
    Metric.CLICKS: ("clicks", None),
    Metric.FORWARDS: ("forwards", None),
}


@pytest.fixture
def busy(house: House) -> House:
    """Two pieces, three advisors in three units, ten days of all kinds of events, folded."""
    house.people["head_advisor"] = house.advisor("顾清源", "/HQ/")
    pieces = [house.draft("operator"), house.draft("operator", slug="card-benchmark")]
    chosen, now = random.Random(11), house.platform.clock.now()
    visitors = [f"{number:032x}" for number in range(12)]
    for piece_id in pieces:
        for who in ("advisor", "advisor_b", "head_advisor"):
            code_of(house, piece_id, who=who)
    for _ in range(300):
        keep_event(
            house,
            chosen.choice(pieces),
            chosen.choice(["advisor", "advisor", "advisor_b", "head_advisor"]),
            now - timedelta(days=chosen.randrange(10), seconds=chosen.randrange(30_000)),
            kind=chosen.choice(list(EventKind)),
            hit_class=chosen.choice([HitClass.HUMAN, *HitClass]),
            channel=chosen.choice(list(LinkChannel)),
            source=chosen.choice(["wechat", "wecom", "browser"]),
            visitor=chosen.choice(visitors),
        )
    with house.platform.unit_of_work(Actor.system("fold", house.tenant_id)) as uow:
        fold_stale_days(uow)
    return house


@pytest.fixture
def question(busy: House) -> Question:
    today = day_of(busy.platform.clock.now())
    return Question(busy.tenant_id, Scope(("/HQ/",)), Period.of_days(30, today=today), today)


@pytest.fixture
def session(busy: House) -> Session:
    with busy.platform.sessions() as opened:
        yield opened


def summed(tallies: list[Tally]) -> Tally:
    return sum(tallies, Tally())


CUTS: dict[str, Callable[[Session, Question], list[Tally]]] = {
    "by day": lambda s, q: [line.tally for line in reach.by_day(s, q)],
    "by unit": lambda s, q: [line.tally for line in reach.by_unit(s, q)],
    "by advisor": lambda s, q: [line.tally for line in reach.by_advisor(s, q, offset=0, limit=99)[0]],
    "by piece": lambda s, q: [line.tally for line in reach.by_piece(s, q, offset=0, limit=99)[0]],
    "by channel": lambda s, q: [line.tally for line in reach.by_channel(s, q)],
    "by source": lambda s, q: [line.tally for line in reach.by_source(s, q)],
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_every_cut_adds_up_to_the_headline(session: Session, question: Question, cut) -> None:
    assert summed(cut(session, question)) == reach.headline(session, question).tally != Tally()


def test_the_classes_add_up_to_every_arrival(session: Session, question: Question) -> None:
    classes = reach.by_class(session, question)
    tally = reach.headline(session, question).tally
    assert sum(line.arrivals for line in classes) == tally.arrivals_all
    assert sum(one.arrivals for one in classes if one.hit_class is HitClass.HUMAN) == tally.arrivals


def narrowings(session: Session, question: Question) -> list[Question]:
    """The question, and every narrower one that a click on the board leads to."""
    found = [question]
    units = reach.units_in(session, question.tenant_id, question.scope)
    found += [replace(question, unit_path=one.path) for one in units]
    found += [replace(question, unit_path=one.path, only_this_unit=True) for one in units]
    found += [
        replace(question, advisor_id=UUID(line.key))
        for line in reach.by_advisor(session, question, offset=0, limit=99)[0]
    ]
    found += [
        replace(question, piece_id=UUID(line.key))
        for line in reach.by_piece(session, question, offset=0, limit=99)[0]
    ]
    found += [replace(question, channel=channel) for channel in LinkChannel]
    found += [question.on(day) for day in question.period.days[-12:]]
    return found


def test_every_figure_has_exactly_as_many_events_behind_it(session: Session, question: Question) -> None:
    for asked in narrowings(session, question):
        tally = reach.headline(session, asked).tally
        for metric, (human, everything) in FIGURES.items():
            assert reach.count_events(session, asked, metric, Counting.HUMAN) == getattr(tally, human)
            if everything:
                behind = reach.events(session, asked, metric, Counting.ALL)
                assert len(behind) == getattr(tally, everything)


def test_people_are_listed_one_by_one(session: Session, question: Question) -> None:
    people = reach.headline(session, question).people
    listed = reach.events(session, question, Metric.PEOPLE, Counting.HUMAN)
    assert len(listed) == people
    assert len({(day_of(one.at), one.visitor) for one in listed}) == people
    assert 0 < people <= reach.headline(session, question).tally.arrivals


def test_the_levels_of_the_organisation_agree(session: Session, question: Question) -> None:
    for line in reach.by_unit(session, question):
        if not line.own_level:
            unit = next(
                one
                for one in reach.units_in(session, question.tenant_id, question.scope)
                if str(one.id) == line.key
            )
            below = reach.by_unit(session, replace(question, unit_path=unit.path))
            assert summed([one.tally for one in below]) == line.tally


def test_the_rollup_and_the_events_say_the_same(session: Session, question: Question) -> None:
    """Read all days from the events, and all but the latest two from the rollup."""
    long_ago = replace(question, today=question.period.first - timedelta(days=1))
    assert last_folded_day(long_ago.today) < question.period.first
    assert reach.by_day(session, long_ago) == reach.by_day(session, question)
    assert reach.by_unit(session, long_ago) == reach.by_unit(session, question)
    assert reach.headline(session, long_ago) == reach.headline(session, question)


def test_past_days_come_from_the_rollup_alone(busy: House, session: Session, question: Question) -> None:
    with busy.platform.sessions.begin() as other:
        other.execute(delete(DailyRollup))
    past = replace(question, period=Period(question.period.first, last_folded_day(question.today)))
    latest = replace(
        question, period=Period(last_folded_day(question.today) + timedelta(days=1), question.today)
    )
    assert reach.headline(session, past).tally == Tally()
    assert reach.headline(session, latest).tally != Tally()


def test_nothing_outside_the_scope_is_in_any_answer(session: Session, question: Question) -> None:
    whole = reach.headline(session, question).tally
    parts = [
        reach.headline(session, replace(question, scope=Scope((path,)))).tally
        for path in ("/HQ/SH/", "/HQ/SZ/")
    ]
    own = reach.headline(session, replace(question, unit_path="/HQ/", only_this_unit=True)).tally
    assert summed([*parts, own]) == whole
    shanghai = replace(question, scope=Scope(("/HQ/SH/",)))
    listed = reach.events(session, shanghai, Metric.ARRIVALS, Counting.ALL)
    assert {one.unit for one in listed} == {"上海静安支行"}
    assert [line.label for line in reach.by_advisor(session, shanghai, offset=0, limit=9)[0]] == ["李知遥"]


def test_an_empty_scope_sees_nothing(session: Session, question: Question) -> None:
    nowhere = replace(question, scope=Scope(()))
    assert reach.headline(session, nowhere).tally == Tally()
    assert reach.events(session, nowhere, Metric.ARRIVALS, Counting.ALL) == []


def test_a_narrower_unit_never_widens_the_scope(session: Session, question: Question) -> None:
    foreign = replace(question, scope=Scope(("/HQ/SH/",)), unit_path="/HQ/SZ/")
    assert reach.headline(session, foreign).tally == Tally()


def test_another_tenant_with_the_same_paths_is_not_in_it(
    busy: House, session: Session, question: Question
) -> None:
    other = House.build(busy.platform, slug="other")
    assert reach.headline(session, replace(question, tenant_id=other.tenant_id)).tally == Tally()


def test_active_advisors_and_pieces_in_use_need_a_person(
    busy: House, session: Session, question: Question
) -> None:
    head = reach.headline(session, question)
    assert head.active_advisors == 3
    assert head.advisors == 3
    assert head.pieces_in_use == 2
    assert busy.people["operator"].scope_for(Permission.REACH_VIEW) == Scope(("/HQ/",))


def test_a_unit_nobody_came_to_is_still_on_the_list(session: Session, question: Question) -> None:
    quiet = replace(question, channel=LinkChannel.SMS, period=Period(question.today, question.today))
    assert {line.label for line in reach.by_unit(session, quiet)} >= {"上海分行", "苏州分行"}
