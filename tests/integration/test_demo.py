"""The demo tenant: what it promises to show, and that nothing in it is pretended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.bootstrap import Platform, build_platform
from app.cli.demo import demo_logins as printed_logins
from app.cli.demo import seed_demo as seed_by_command
from app.domain.organisation import Actor, OrgLevel, Role, TenantId
from app.domain.piece import PieceState
from app.domain.review import ReviewState, Route
from app.domain.tracking import EventKind, HitClass
from app.embedded.demo.logins import DEMO_LOGINS, PASSWORD
from app.embedded.demo.seed import seed_demo
from app.embedded.errors import DemoRefused
from app.embedded.postgres import PostgresServer
from app.factory import create_app
from app.models.advisor import Advisor
from app.models.asset import Asset
from app.models.audit import AuditEntry
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.review import Decision, Review
from app.models.tenant import Tenant
from app.models.tracking import DailyRollup, Event, Lead, Visit
from app.models.user import Membership
from app.services.audit import verify_audit
from app.services.publication import publication_is_genuine
from app.services.sign_in import MIN_PASSWORD_LENGTH
from tests.conftest import fresh_database, settings_for
from tests.fakes import FixedClock, MemoryObjectStore, RecordingTaskQueue

NOW = datetime(2026, 11, 23, 1, 30, tzinfo=UTC)
# Recall and archiving have no service yet.
SHOWN_STATES = set(PieceState) - {PieceState.RECALLED, PieceState.ARCHIVED}


def platform_on(url: str, folder: Path, store: MemoryObjectStore | None = None, **more: str) -> Platform:
    return build_platform(
        settings_for(url, folder, **more),
        store=store or MemoryObjectStore(),
        queue=RecordingTaskQueue(),
        clock=FixedClock(NOW),
    )


@pytest.fixture(scope="module")
def demo(
    postgres: PostgresServer, migrated: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The platform with the demo in it; seeding costs some seconds, so the module shares one."""
    with fresh_database(postgres, migrated) as url:
        platform = platform_on(url, tmp_path_factory.mktemp("demo"))
        assert seed_demo(platform.engine, platform.surroundings)
        yield platform
        platform.engine.dispose()


@pytest.fixture
def session(demo: Platform) -> Iterator[Session]:
    with demo.sessions() as session:
        yield session


def tenant_of(session: Session) -> TenantId:
    return TenantId(session.scalars(select(Tenant.id)).one())


def count(session: Session, *what: object) -> int:
    return session.scalar(select(func.count()).select_from(*what)) or 0  # type: ignore[arg-type]


def test_it_is_a_bank_of_four_branches_twelve_outlets_and_two_hundred_advisors(session: Session) -> None:
    levels = Counter(session.scalars(select(OrgUnit.level)))
    assert levels == {OrgLevel.HQ: 1, OrgLevel.BRANCH: 4, OrgLevel.SUB_BRANCH: 12}
    assert count(session, Advisor) == 200


def test_names_are_as_varied_as_names_are(session: Session) -> None:
    names = list(session.scalars(select(Advisor.name)))
    for rare in "𠮷㛃䶮𬶋𰻞":
        assert any(rare in name for name in names), rare
    assert min(map(len, names)) == 2
    assert max(map(len, names)) >= 11


def test_some_advisors_lack_a_licence_some_have_one_that_lapsed(session: Session) -> None:
    advisors = session.scalars(select(Advisor)).all()
    assert any("基金从业" not in one.licences for one in advisors)
    assert any(one.licence_until and one.licence_until < NOW.date() for one in advisors)
    assert any(one.verified_fields == [] for one in advisors)
    assert any(not one.is_active for one in advisors)


def test_every_portrait_is_kept_with_its_rights(demo: Platform, session: Session) -> None:
    assets = {one.sha256: one for one in session.scalars(select(Asset))}
    assert len(assets) == 24
    used = {sha for sha in session.scalars(select(Advisor.photo_sha256)) if sha}
    assert used <= set(assets)
    for sha256, asset in assets.items():
        assert asset.rights
        assert demo.store.exists(f"assets/{asset.tenant_id}/{sha256}")


def test_there_is_a_person_in_every_role_and_each_can_log_in(demo: Platform, session: Session) -> None:
    assert set(session.scalars(select(Membership.role))) == set(Role)
    assert len(PASSWORD) >= MIN_PASSWORD_LENGTH
    app = create_app(platform=demo)
    app.config["WTF_CSRF_ENABLED"] = False
    for one in DEMO_LOGINS:
        answer = app.test_client().post("/login", data={"login": one.login, "password": one.password})
        assert answer.status_code == 303, one.login


def test_pieces_are_in_every_state(session: Session) -> None:
    assert set(session.scalars(select(Piece.state))) == SHOWN_STATES
    assert (
        count(session, Piece) - count(session, select(Piece).where(Piece.advisor_id.is_not(None)).subquery())
        == 15
    )


def test_the_queue_holds_forty_mixed_items(session: Session) -> None:
    """Two of them were handed in a moment ago: the worker opens their reviews when it starts."""
    waiting = session.scalars(
        select(Piece)
        .where(Piece.state.in_([PieceState.IN_REVIEW, PieceState.CHECKING]))
        .options(joinedload(Piece.current_revision))
    ).all()
    assert len(waiting) == 40
    headlines = Counter(
        piece.current_revision.values.get("headline") for piece in waiting if piece.current_revision
    )
    assert headlines["时间会奖励\n耐心的人"] >= 12
    verdicts = Counter(
        session.scalars(
            select(CheckRun.verdict)
            .join(Review, Review.check_run_id == CheckRun.id)
            .where(Review.state == ReviewState.OPEN)
        )
    )
    assert verdicts["review"] >= 6
    assert verdicts["pass"] >= 20
    claimed = select(Review).where(Review.state == ReviewState.OPEN, Review.claimed_by.is_not(None))
    assert count(session, claimed.subquery()) == 3


def test_some_pieces_passed_by_themselves_and_some_by_a_person(session: Session) -> None:
    decided = Counter(session.scalars(select(Review.route).where(Review.state == ReviewState.DECIDED)))
    assert decided[Route.AUTO] >= 5
    assert decided[Route.PEOPLE] >= 10


def test_nothing_was_published_without_a_genuine_decision(demo: Platform, session: Session) -> None:
    publications = session.scalars(select(Publication).options(joinedload(Publication.revision))).all()
    assert len(publications) >= 20
    with demo.unit_of_work(Actor.system("test", tenant_of(session))) as uow:
        for publication in publications:
            assert publication_is_genuine(uow, publication)
    decisions = session.execute(
        select(Decision, Review)
        .join(Review, Review.id == Decision.review_id)
        .options(joinedload(Review.revision))
    ).all()
    assert all(decision.decided_by not in review.revision.contributors for decision, review in decisions)


def test_its_audit_chain_holds_and_time_never_runs_backwards_in_it(session: Session) -> None:
    entries, fault = verify_audit(session, tenant_of(session))
    assert fault is None
    assert entries > 400
    times = list(session.scalars(select(AuditEntry.at).order_by(AuditEntry.seq)))
    assert times == sorted(times)
    assert times[-1] <= NOW


def test_the_daily_figures_are_what_the_events_say(session: Session) -> None:
    key = (Event.occurred_on, Event.piece_id, Event.advisor_id, Event.channel, Event.kind)
    human = func.count().filter(Event.hit_class == HitClass.HUMAN)
    events = {tuple(row) for row in session.execute(select(*key, human, func.count()).group_by(*key))}
    rollup = (
        DailyRollup.day,
        DailyRollup.piece_id,
        DailyRollup.advisor_id,
        DailyRollup.channel,
        DailyRollup.kind,
    )
    sums = (func.sum(DailyRollup.human), func.sum(DailyRollup.raw))
    figures = {tuple(row) for row in session.execute(select(*rollup, *sums).group_by(*rollup))}
    assert figures == events
    assert 50_000 < count(session, Event) < 100_000


def test_visitors_of_every_class_came_on_thirty_days(session: Session) -> None:
    assert set(session.scalars(select(Event.hit_class).distinct())) == set(HitClass)
    assert set(session.scalars(select(Event.kind).distinct())) == set(EventKind)
    days = session.scalars(select(Event.occurred_on).distinct()).all()
    assert len(days) == 30


def test_every_event_belongs_to_a_visit_and_every_lead_to_both(session: Session) -> None:
    arrivals = select(Event).where(Event.kind.in_([EventKind.SCAN, EventKind.CLICK, EventKind.FORWARD]))
    views = select(Event).where(Event.kind == EventKind.VIEW)
    leads = select(Event).where(Event.kind == EventKind.LEAD)
    assert count(session, arrivals.subquery()) == count(session, Visit)
    assert count(session, views.subquery()) == count(
        session, select(Visit).where(Visit.viewed_at.is_not(None)).subquery()
    )
    assert count(session, leads.subquery()) == count(session, Lead)
    assert set(session.scalars(select(Lead.visit_token))) <= set(session.scalars(select(Visit.token)))


def test_nobody_came_before_a_piece_was_public_or_after_it_ended(session: Session) -> None:
    stray = (
        select(Event.id)
        .join(Publication, Publication.piece_id == Event.piece_id)
        .where(
            (Event.occurred_at < Publication.valid_from)
            | (
                (Event.kind != EventKind.VIEW)
                & (Event.kind != EventKind.LEAD)
                & (Event.occurred_at >= func.coalesce(Publication.ended_at, Publication.valid_until))
            )
            | (Event.occurred_at > NOW)
        )
    )
    assert session.scalars(stray).all() == []


def test_a_ring_of_colleagues_opens_each_others_links(session: Session) -> None:
    """What a later look for inflated figures should find: one visitor, many advisors, day by day."""
    rings = session.execute(
        select(Event.visitor)
        .where(Event.kind == EventKind.CLICK, Event.hit_class == HitClass.HUMAN)
        .group_by(Event.occurred_on, Event.visitor)
        .having(func.count(Event.advisor_id.distinct()) >= 3)
    ).all()
    assert len(rings) >= 20


def test_seeding_again_changes_nothing(demo: Platform, session: Session) -> None:
    before = count(session, AuditEntry)
    assert not seed_demo(demo.engine, demo.surroundings)
    assert count(session, Tenant) == 1
    assert count(session, AuditEntry) == before


def test_the_login_page_offers_the_demo_logins(demo: Platform) -> None:
    page = create_app(platform=demo).test_client().get("/login").text
    assert all(f"{one.login} / {PASSWORD}" in page for one in DEMO_LOGINS)


def test_the_terminal_shows_the_demo_logins(demo: Platform) -> None:
    table = "\n".join(printed_logins(demo.settings))
    assert PASSWORD in table
    assert all(one.login in table and one.role_in_english in table for one in DEMO_LOGINS)


def test_a_production_login_page_names_no_login(demo: Platform, tmp_path: Path) -> None:
    production = platform_on(
        demo.settings.database.url,
        tmp_path,
        IMPRIMATUR_ENVIRONMENT="production",
        IMPRIMATUR_PUBLIC_URL="https://imprimatur.test",
    )
    assert PASSWORD not in create_app(platform=production).test_client().get("/login").text
    production.engine.dispose()


def test_without_a_demo_no_login_is_offered(platform: Platform) -> None:
    assert PASSWORD not in create_app(platform=platform).test_client().get("/login").text
    assert printed_logins(platform.settings) == []


def test_production_takes_no_demo(database_url: str, tmp_path: Path) -> None:
    settings = settings_for(
        database_url,
        tmp_path,
        IMPRIMATUR_ENVIRONMENT="production",
        IMPRIMATUR_PUBLIC_URL="https://imprimatur.test",
    )
    with pytest.raises(DemoRefused):
        seed_by_command(settings)


class FullStore(MemoryObjectStore):
    """Takes the portraits and the first pictures, then has no room left."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        if len(self.objects) > 26:
            raise OSError("no space left")
        super().put(key, data, content_type)


def test_broken_off_halfway_it_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    platform = platform_on(database_url, tmp_path, FullStore())
    with pytest.raises(OSError, match="no space left"):
        seed_demo(platform.engine, platform.surroundings)
    with platform.sessions() as session:
        assert count(session, Tenant) == 0
        assert count(session, AuditEntry) == 0
    platform.engine.dispose()
