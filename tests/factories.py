"""Build an institution for a test in one call; a test states only what it is about.

Everything goes through the services, so that what a test starts from is what the platform makes.
Only people and the organisation are written directly: they are the facts a test begins with.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.bootstrap import Platform
from app.domain.organisation import Actor, AdvisorId, Grant, OrgLevel, Role, TenantId, UserId
from app.domain.profile import ProfileChangeState
from app.domain.review import Outcome
from app.domain.route import RouteRule, StepPlan, StepState
from app.models.advisor import Advisor
from app.models.check import CheckRun
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.profile import ProfileChange
from app.models.publication import Publication
from app.models.review import Review, ReviewStep
from app.models.route import ReviewRoute
from app.models.tenant import Tenant
from app.models.user import Membership, User
from app.services.piece import save_piece
from app.services.profile import decide_change
from app.services.publication import publish_piece
from app.services.review import decide, run_check
from app.services.route import RoutePlan, create_route
from app.services.sign_in import hash_password
from app.services.submission import submit_for_review, withdraw_piece
from app.services.template import clear_template, load_library, publish_template

PASSWORD = "correct horse battery"
_PASSWORD_HASH = hash_password(PASSWORD)
_numbers = itertools.count(1)
POSTER = "poster-qiushi"


@dataclass
class House:
    """One tenant: head office, two branches with a sub-branch each, a person in every role."""

    platform: Platform
    tenant_id: TenantId
    units: dict[str, UUID] = field(default_factory=dict)  # by path
    people: dict[str, Actor] = field(default_factory=dict)  # by role, and "advisor", "advisor_b"

    @classmethod
    def build(cls, platform: Platform, *, slug: str = "demo", templates: bool = True) -> House:
        tenant = Tenant(
            id=uuid4(),
            slug=slug,
            name="示例银行",
            short_name="示例",
            sector="bank",
            hotline="95000",
            brand_tokens={},
            created_at=platform.clock.now(),
        )
        house = cls(platform, TenantId(tenant.id))
        with platform.sessions.begin() as session:
            session.add(tenant)
            session.flush()
            prefix = slug.upper()[:6]
            for path, name, level in (
                ("/HQ/", "总行", OrgLevel.HQ),
                ("/HQ/SH/", "上海分行", OrgLevel.BRANCH),
                ("/HQ/SH/01/", "上海静安支行", OrgLevel.SUB_BRANCH),
                ("/HQ/SZ/", "苏州分行", OrgLevel.BRANCH),
                ("/HQ/SZ/01/", "苏州工业园区支行", OrgLevel.SUB_BRANCH),
            ):
                parent = path.rstrip("/").rpartition("/")[0] + "/"
                unit = OrgUnit(
                    id=uuid4(),
                    tenant_id=tenant.id,
                    parent_id=house.units.get(parent),
                    code=f"{prefix}{path.strip('/').replace('/', '-')}",
                    name=name,
                    level=level,
                    path=path,
                )
                session.add(unit)
                session.flush()
                house.units[path] = unit.id
        for role in Role:
            if role is not Role.ADVISOR:
                path = "/HQ/SH/" if role is Role.BRANCH_HEAD else "/HQ/"
                house.people[role.value] = house.person(f"{slug}-{role.value}", role, path)
        house.people["reviewer_b"] = house.person(f"{slug}-reviewer-b", Role.REVIEWER, "/HQ/")
        house.people["advisor"] = house.advisor("李知遥", "/HQ/SH/01/")
        house.people["advisor_b"] = house.advisor("欧阳𠮷", "/HQ/SZ/01/")
        if templates:
            house.release_templates()
        return house

    def person(self, login: str, role: Role, path: str, name: str | None = None) -> Actor:
        user = User(
            id=uuid4(),
            tenant_id=self.tenant_id,
            login=login,
            name=name or login,
            password_hash=_PASSWORD_HASH,
            created_at=self.platform.clock.now(),
        )
        with self.platform.sessions.begin() as session:
            session.add(user)
            session.flush()
            session.add(
                Membership(
                    id=uuid4(),
                    tenant_id=self.tenant_id,
                    user_id=user.id,
                    role=role,
                    org_unit_id=self.units[path],
                )
            )
        return Actor(self.tenant_id, user.name, UserId(user.id), grants=(Grant(role, path),))

    def advisor(self, name: str, path: str, **facts: Any) -> Actor:
        """An advisor with a login of their own: login and staff number are the same."""
        staff_no = facts.pop("staff_no", f"A{next(_numbers):05d}")
        person = self.person(staff_no, Role.ADVISOR, path, name=name)
        facts = {
            "title": "理财经理",
            "phone": "13800000000",
            "licence_no": "S0000000000000",
            "licences": ["基金从业"],
            "tags": ["理财经理"],
            "verified_fields": ["name", "title", "phone", "licence_no", "photo"],
            "photo_sha256": None,
            "licence_until": None,
            **facts,
        }
        advisor = Advisor(
            id=uuid4(),
            tenant_id=self.tenant_id,
            user_id=person.user_id,
            org_unit_id=self.units[path],
            staff_no=staff_no,
            name=name,
            created_at=self.platform.clock.now(),
            **facts,
        )
        with self.platform.sessions.begin() as session:
            session.add(advisor)
        return Actor(
            self.tenant_id,
            name,
            person.user_id,
            AdvisorId(advisor.id),
            person.grants,
        )

    def release_templates(self, *, cleared: bool = False) -> None:
        """Every design of the library, published by brand; cleared by a reviewer if asked."""
        with self.by("brand") as uow:
            load_library(uow)
        for manifest in self.platform.surroundings.shelf.catalog.versions():
            with self.by("brand") as uow:
                publish_template(uow, manifest.slug, manifest.version)
            if cleared:
                with self.by("reviewer") as uow:
                    clear_template(uow, manifest.slug, manifest.version)

    def by(self, who: str | Actor) -> Any:
        """A unit of work in somebody's name."""
        return self.platform.unit_of_work(self.people[who] if isinstance(who, str) else who)

    def two_roles(self, login: str, first: Role, second: Role, path: str) -> Actor:
        """Somebody who holds two roles on one subtree."""
        person = self.person(login, first, path)
        with self.platform.sessions.begin() as session:
            session.add(
                Membership(
                    id=uuid4(),
                    tenant_id=self.tenant_id,
                    user_id=person.user_id,
                    role=second,
                    org_unit_id=self.units[path],
                )
            )
        return replace(person, grants=(*person.grants, Grant(second, path)))

    def draft(self, who: str | Actor = "advisor", slug: str = POSTER, **entered: str) -> UUID:
        with self.by(who) as uow:
            return save_piece(uow, slug, entered).id

    def in_review(self, who: str | Actor = "advisor", slug: str = POSTER, **entered: str) -> UUID:
        """A submitted piece whose check is done; gives the piece's id."""
        piece_id = self.draft(who, slug, **entered)
        self.submit(who, piece_id)
        return piece_id

    def revise(self, who: str | Actor, piece_id: UUID, **entered: str) -> None:
        """Change a piece and send it for review again."""
        with self.by(who) as uow:
            save_piece(uow, "", entered, piece_id=piece_id)
        self.submit(who, piece_id)

    def approve_profiles(self, who: str = "reviewer") -> None:
        """Agree to every change of a profile that waits."""
        with self.platform.sessions() as session:
            waiting = session.scalars(
                select(ProfileChange.id).where(
                    ProfileChange.state == ProfileChangeState.OPEN,
                    ProfileChange.tenant_id == self.tenant_id,
                )
            ).all()
        for change_id in waiting:
            with self.by(who) as uow:
                decide_change(uow, change_id, approve=True)

    def withdraw(self, who: str | Actor, piece_id: UUID) -> None:
        with self.by(who) as uow:
            withdraw_piece(uow, piece_id)

    def submit(self, who: str | Actor, piece_id: UUID) -> None:
        with self.by(who) as uow:
            submit_for_review(uow, piece_id)
        self.run_checks()

    def run_checks(self) -> None:
        """Do what the worker would: every check that was queued."""
        with self.platform.sessions() as session:
            waiting = session.scalars(select(CheckRun.id).where(CheckRun.completed_at.is_(None))).all()
        for run_id in waiting:
            with self.platform.unit_of_work(Actor.system("check", self.tenant_id)) as uow:
                run_check(uow, run_id)

    def review_of(self, piece_id: UUID) -> Review:
        """The newest round of a piece."""
        with self.platform.sessions() as session:
            return session.scalars(
                select(Review)
                .where(Review.piece_id == piece_id)
                .order_by(Review.opened_at.desc(), Review.round.desc())
                .options(joinedload(Review.revision))
                .limit(1)
            ).one()

    def decide(
        self,
        piece_id: UUID,
        outcome: Outcome = Outcome.APPROVE,
        who: str = "reviewer",
        reason: str = "",
    ) -> None:
        review = self.review_of(piece_id)
        with self.by(who) as uow:
            decide(
                uow,
                review.id,
                outcome,
                content_hash=review.revision.content_hash,
                step=self.open_step(piece_id),
                reason=reason,
            )

    def route(self, *steps: StepPlan, rule: RouteRule | None = None, name: str = "两步审核") -> ReviewRoute:
        """A configured route; without a rule it takes everything before the default one."""
        with self.by("administrator") as uow:
            return create_route(uow, RoutePlan(name, rule or RouteRule(), steps))

    def open_step(self, piece_id: UUID) -> int:
        """The step in which a piece waits."""
        with self.platform.sessions() as session:
            return session.scalars(
                select(ReviewStep.position)
                .join(Review, Review.id == ReviewStep.review_id)
                .where(Review.piece_id == piece_id, ReviewStep.state == StepState.OPEN)
            ).one()

    def published(self, who: str = "advisor", slug: str = POSTER, **entered: str) -> UUID:
        """A piece that went the whole way: an advisor's own to themselves, a master to everybody."""
        piece_id = self.in_review(who, slug, **entered)
        if self.piece(piece_id).state == "in_review":
            self.decide(piece_id)
        if self.piece(piece_id).advisor_id is None:
            with self.by("operator") as uow:
                publish_piece(uow, piece_id, path="/HQ/")
        return piece_id

    def piece(self, piece_id: UUID) -> Piece:
        with self.platform.sessions() as session:
            return session.get_one(Piece, piece_id)

    def publication(self, piece_id: UUID) -> Publication:
        with self.platform.sessions() as session:
            return session.scalars(
                select(Publication)
                .where(Publication.piece_id == piece_id)
                .order_by(Publication.published_at.desc())
                .limit(1)
            ).one()

    def log_in(self, client: FlaskClient, who: str | Actor) -> FlaskClient:
        """Sign a browserless client in as somebody."""
        person = self.people[who] if isinstance(who, str) else who
        with self.platform.sessions() as session:
            login = session.get_one(User, person.user_id).login
        answer = client.post("/login", data={"login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client
