"""A foreign id answers exactly as one that does not exist: on every route, from the map of routes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.bootstrap import Platform
from app.domain.inspection import LOTS
from app.domain.organisation import Actor, Grant, Role
from app.domain.recall import RecallBy, RecallTarget
from app.domain.retention import HoldScope
from app.domain.route import StepPlan
from app.models.archive import ArchiveItem
from app.models.edition import Edition
from app.models.inspection import Inspection
from app.models.user import Membership
from app.services.absence import set_absence
from app.services.advisor import change_own_profile
from app.services.evidence import EvidenceScope
from app.services.evidence_pack import ask_pack, make_pack
from app.services.recall import propose_recall
from app.services.record import seal_record
from app.services.retention import HoldTarget, place_hold
from app.services.sampling import set_sampling
from app.services.template import clear_template
from tests.architecture.test_routes import rules
from tests.factories import POSTER, House

# Parts of an address that name nothing of a tenant, or name it by a secret that may be shown to anybody.
OPEN_PARTS = {
    "approval_no",
    "code",
    "filename",
    "kind",
    "name",
    "side",
    "number",
    "slug",
    "suffix",
    "token",
    "record_class",
    "sha256",  # of a file, and named only beside the record it belongs to
}


@dataclass(frozen=True)
class Neighbours:
    """The ids of one part of the world that the asker may not see, by the name routes give them."""

    advisor_id: UUID
    user_id: UUID
    unit_id: UUID
    piece_id: UUID
    review_id: UUID
    publication_id: UUID
    edition_id: UUID
    finding_id: UUID
    recall_id: UUID
    route_id: UUID
    inspection_id: UUID
    absence_id: UUID
    change_id: UUID
    pin_id: UUID
    item_id: UUID
    hold_id: UUID
    pack_id: UUID


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform)


def neighbours(house: House, path: str, who: str) -> Neighbours:
    piece_id, published_id = house.in_review(who), house.published(who)
    with house.platform.sessions() as session:
        edition_id = session.scalars(select(Edition.id).where(Edition.piece_id == published_id)).one()
    advisor = house.people[who]
    assert advisor.advisor_id is not None
    with house.by("operator") as uow:
        recall = propose_recall(uow, RecallTarget.of(RecallBy.PIECE, str(published_id)), reason="写错")
    with house.by(who) as uow:
        change = change_own_profile(uow, title="资深")
    assert change is not None
    return Neighbours(
        advisor_id=advisor.advisor_id,
        user_id=advisor.user_id,
        unit_id=house.units[path],
        piece_id=piece_id,
        review_id=house.review_of(piece_id).id,
        publication_id=house.publication(published_id).id,
        edition_id=edition_id,
        finding_id=uuid4(),  # is named only beside its piece
        recall_id=recall.id,
        route_id=house.route(StepPlan("初审")).id,
        inspection_id=drawn(house, who),
        absence_id=gone(house, path),
        change_id=change.id,
        pin_id=uuid4(),  # is named only beside its review
        item_id=archived(house, published_id),
        hold_id=held(house, published_id),
        pack_id=made(house, published_id),
    )


def archived(house: House, piece_id: UUID) -> UUID:
    """The record of a published piece in the archive."""
    with house.platform.sessions() as session:
        return session.scalars(select(ArchiveItem.id).where(ArchiveItem.piece_id == piece_id)).first()


def held(house: House, piece_id: UUID) -> UUID:
    """A hold on the records of a piece."""
    with house.by(house.person(f"{house.tenant_id.hex[:8]}-{piece_id.hex[:6]}", Role.LEGAL, "/HQ/")) as uow:
        return place_hold(uow, HoldTarget(HoldScope.PIECE, piece_id=piece_id), reason="投诉 1 号").id


def made(house: House, piece_id: UUID) -> UUID:
    """An evidence pack about a piece, made."""
    with house.platform.unit_of_work(Actor.system("record", house.tenant_id)) as uow:
        seal_record(uow, archived(house, piece_id))
    with house.by("auditor") as uow:
        pack_id = ask_pack(uow, EvidenceScope(piece_id=piece_id)).id
    assert make_pack(house.platform.unit_of_work, house.tenant_id, pack_id)
    return pack_id


def drawn(house: House, who: str) -> UUID:
    """An inspection of something of theirs that passed by itself."""
    with house.by("administrator") as uow:
        set_sampling(uow, share_bp=LOTS, seed="")
    with house.by("reviewer") as uow:
        clear_template(uow, POSTER, 1)
    house.in_review(who)
    with house.platform.sessions() as session:
        return session.scalars(select(Inspection.id).where(Inspection.tenant_id == house.tenant_id)).one()


def gone(house: House, path: str) -> UUID:
    """The absence of a reviewer of that part of the organisation."""
    now = house.platform.clock.now()
    with house.by(house.person(f"{house.tenant_id.hex[:8]}-gone", Role.REVIEWER, path)) as uow:
        return set_absence(uow, starts_at=now, ends_at=now + timedelta(days=1)).id


def with_every_role(house: House, path: str):
    """Somebody whom no missing role stops, only the border of their subtree."""
    person = house.advisor("尽责", "/HQ/SH/01/")
    with house.platform.sessions.begin() as session:
        for role in set(Role) - {Role.ADVISOR}:
            session.add(
                Membership(
                    id=uuid4(),
                    tenant_id=house.tenant_id,
                    user_id=person.user_id,
                    role=role,
                    org_unit_id=house.units[path],
                )
            )
    return person


def addressed(client: FlaskClient):
    """Every route that names something by an id: (method, route, its id's name)."""
    for rule in rules(client.application):
        ids = rule.arguments - OPEN_PARTS
        if not ids or rule.rule.startswith("/api/"):
            continue
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            yield method, rule.rule, ids


def answer_to(client: FlaskClient, method: str, route: str, found: object) -> tuple[int, str]:
    """Status and body, without what differs from request to request: its id and the ids asked for."""
    address = re.sub(
        r"<(?:\w+:)?(\w+)>",
        lambda place: str(getattr(found, place[1], None) or "1"),
        route,
    )
    form = None if method == "GET" else WELL_FORMED
    answer = client.open(address, method=method, data=form, headers={"Accept": "text/html"})
    body = answer.text.replace(answer.headers.get("X-Request-Id", "-"), "REQUEST")
    body = CSRF_TOKEN.sub("TOKEN", body)
    for value in vars(found).values():
        body = body.replace(str(value), "ID")
    return answer.status_code, body


# Sent with every form, so that none is refused for its wording before its id is looked at.
WELL_FORMED = {"reason": "投诉", "outcome": "approve", "content_hash": "0" * 64, "kind": "wording"}
CSRF_TOKEN = re.compile(r'(?<="csrf-token" content=")[^"]+|(?<=name="csrf_token" value=")[^"]+')
NAMES = {field.name for field in fields(Neighbours)}
NOWHERE = Neighbours(*(uuid4() for _ in NAMES))


def test_every_route_names_its_things_by_a_name_this_matrix_knows(client):
    unknown = {name for _, _, ids in addressed(client) for name in ids} - NAMES
    assert unknown == set()


@pytest.mark.parametrize("border", ["another tenant", "a sibling branch"])
def test_a_foreign_id_answers_as_a_missing_one(client, platform, house, border):
    if border == "another tenant":
        theirs = neighbours(House.build(platform, slug="other"), "/HQ/SZ/01/", "advisor_b")
        asker = with_every_role(house, "/HQ/")
    else:
        theirs = neighbours(house, "/HQ/SZ/01/", "advisor_b")
        asker = with_every_role(house, "/HQ/SH/")
    house.log_in(client, asker)
    told = []
    for method, route, _ in addressed(client):
        foreign, missing = (answer_to(client, method, route, found) for found in (theirs, NOWHERE))
        if foreign != missing or foreign[0] not in {403, 404}:
            told.append((method, route, foreign[0], missing[0]))
    assert told == []


def test_ones_own_id_is_answered(client, house):
    """The matrix means something only if the same person does reach what lies within their border."""
    mine = neighbours(house, "/HQ/SH/01/", "advisor")
    house.log_in(client, with_every_role(house, "/HQ/SH/"))

    assert client.get(f"/organisation/advisors/{mine.advisor_id}").status_code == 200
    assert client.get(f"/users/{mine.user_id}").status_code == 200
    assert client.get(f"/organisation?unit={mine.unit_id}").status_code == 200


@pytest.mark.parametrize("page", ["/organisation", "/users?role=advisor", "/audit", "/imports"])
def test_no_list_shows_a_word_of_another_tenant(client, platform, house, page):
    other = House.build(platform, slug="other", templates=False)
    other.advisor("金丝雀", "/HQ/SH/01/", staff_no="CANARY1")
    with other.by("administrator") as uow:
        uow.audit.record("advisor:create", "CANARY1")
    house.log_in(client, "administrator")

    answer = client.get(page)
    assert answer.status_code == 200
    assert "金丝雀" not in answer.text
    assert "CANARY1" not in answer.text


def test_a_branch_administrator_sees_and_governs_their_branch_alone(client, house):
    of_branch = house.person("sh-admin", Role.ADMINISTRATOR, "/HQ/SH/")
    house.log_in(client, of_branch)

    listed = client.get("/users?q=demo").text
    assert "demo-branch_head" in listed
    assert "demo-administrator" not in listed
    head_office = house.people["administrator"].user_id
    assert client.post(f"/users/{head_office}/password", data={"password": "x" * 20}).status_code == 404
    # the trail belongs to the institution as a whole
    assert client.get("/audit").status_code == 403


def test_a_role_cannot_be_granted_beyond_ones_own_subtree(client, house):
    of_branch = house.person("sh-admin", Role.ADMINISTRATOR, "/HQ/SH/")
    house.log_in(client, of_branch)
    answer = client.post(
        "/users",
        data={
            "login": "mole",
            "name": "mole",
            "password": "long enough for us",
            "role": "administrator",
            "unit": str(house.units["/HQ/"]),
        },
    )

    assert answer.status_code == 422
    assert of_branch.grants == (Grant(Role.ADMINISTRATOR, "/HQ/SH/"),)
