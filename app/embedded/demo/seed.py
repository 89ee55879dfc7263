"""Make 示例银行: always the same people and figures, from one seed, ending today.

Its people are invented; what they did is not pretended. Pieces go through the services, so that
every decision bears its seal and the audit chain holds; only visitors' events are written directly,
as many as a month brings.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session, sessionmaker

from app.embedded.demo.drawing import DrawingAhead
from app.embedded.demo.events import keep_events
from app.embedded.demo.logins import TENANT_SLUG
from app.embedded.demo.people import invent_people
from app.embedded.demo.pieces import Storyteller
from app.embedded.demo.stories import all_stories
from app.embedded.demo.timeline import NoQueue, SetClock, Timeline
from app.models.tenant import Tenant
from app.services.remembered import Remembered
from app.services.unit_of_work import Surroundings, scope_session_to_tenant

SEED: Final = 20261
_FOUNDED_DAYS_AGO: Final = 45


def seed_demo(engine: Engine, around: Surroundings) -> bool:
    """Add the demo tenant; False where it is there already.

    All of it is one transaction: killed half-way it leaves nothing behind, and the next start
    begins anew.
    """
    now = around.clock.now().replace(microsecond=0)
    clock = SetClock(now - timedelta(days=_FOUNDED_DAYS_AGO))
    around = replace(
        around,
        clock=clock,
        queue=NoQueue(),
        pictures=Remembered(capacity=64),
        fitting=Remembered(capacity=64),
    )
    with engine.connect() as connection, connection.begin():
        # what services commit inside is committed with the whole
        sessions = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        scope_session_to_tenant(sessions)
        if not _may_begin(sessions):
            return False
        rng = random.Random(SEED)  # noqa: S311 - it must be the same each time
        timeline = Timeline(sessions, around, clock, now)
        with DrawingAhead(around) as ahead:
            with sessions.begin() as session:
                people = invent_people(session, around.store, around.reader.name, rng, clock.now())
            around.rules()  # read while the other processes lay out samples
            teller = Storyteller(timeline, people, ahead, rng)
            teller.release_templates()
            teller.set_up_review()
            stories = all_stories(timeline, people, rng)
            teller.draw_ahead(stories)
            for story in stories:
                teller.tell(story)
            teller.close_the_books(_FOUNDED_DAYS_AGO - 1)
            teller.look_afterwards(_FOUNDED_DAYS_AGO - 1)
            timeline.play()
        keep_events(timeline, people, SEED)
    return True


def _may_begin(sessions: sessionmaker[Session]) -> bool:
    with sessions.begin() as session:
        # two that start at once never both begin
        session.execute(select(func.pg_advisory_xact_lock(func.hashtext("imprimatur/demo"))))
        return session.scalar(select(Tenant.id).where(Tenant.slug == TENANT_SLUG)) is None
