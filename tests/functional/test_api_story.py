"""The main job through the API alone, by machines with tokens."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from app.ports import ObjectStoreUnavailable
from templates_lib.qr import decode_qr
from tests.factories import POSTER, House
from tests.fakes import MemoryObjectStore
from tests.functional.machine import Machine, Switchboard, named, problem

NOTE = "note"  # the small design; what needs a real one asks for full_switchboard
WORDS = {"headline": "早睡早起"}


@pytest.fixture
def switchboard(small_house: House) -> Switchboard:
    return Switchboard(small_house)


@pytest.fixture
def full_switchboard(house: House) -> Switchboard:
    return Switchboard(house)


def made(machine: Machine, slug: str = NOTE, **values: str) -> str:
    answer = machine.post("/pieces", {"template": {"slug": slug}, "values": values})
    assert answer.status_code == 201, answer.text
    return answer.get_json()["id"]


def submitted(switchboard: Switchboard, who: str, slug: str = NOTE, **values: str) -> str:
    machine = switchboard.of(who)
    piece_id = made(machine, slug, **values)
    assert machine.post(f"/pieces/{piece_id}/submit").status_code == 200
    switchboard.house.run_checks()
    return piece_id


def waiting(reviewer: Machine, piece_id: str) -> dict:
    queue = reviewer.get("/reviews", state="open").get_json()["items"]
    return next(review for review in queue if review["piece_id"] == piece_id)


def approve(reviewer: Machine, piece_id: str) -> dict:
    review = waiting(reviewer, piece_id)
    answer = reviewer.post(
        f"/reviews/{review['id']}/decisions",
        {"outcome": "approve", "content_hash": review["content_hash"]},
    )
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_an_advisors_piece_goes_from_draft_to_public_with_links(full_switchboard: Switchboard) -> None:
    advisor = full_switchboard.of("advisor")
    piece_id = submitted(full_switchboard, "advisor", POSTER, message="慢一点，也是一种走法。")

    approve(full_switchboard.of("reviewer"), piece_id)

    story = advisor.get(f"/pieces/{piece_id}").get_json()
    assert story["state"] == "published"
    assert [step["action"] for step in story["steps"]] == [
        "edit", "submit", "pass_check", "approve", "publish",
    ]  # fmt: skip
    (edition,) = advisor.get("/editions", piece_id=piece_id).get_json()["items"]
    links = {link["channel"]: link["url"] for link in edition["links"]}
    assert links.keys() == {"qr", "moments", "group", "oa", "sms", "offline"}
    picture = advisor.post("/renders", {"edition_id": edition["id"]})
    assert decode_qr(picture.data) == (links["qr"],)


def test_what_head_office_publishes_can_be_opened_by_the_audience(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "brand")
    approve(switchboard.of("reviewer"), piece_id)

    published = switchboard.of("operator").post(
        "/publications",
        {
            "piece_id": piece_id,
            "audience": {"path": "/HQ/SH/", "tags": ["理财经理"]},
            "valid_until": "2026-12-31T23:59:59+08:00",
            "why": "适合月末回访",
        },
    )

    assert published.status_code == 201, published.text
    assert published.get_json()["valid_until"] == "2026-12-31T15:59:59Z"
    opened = switchboard.of("advisor").post("/editions", {"piece_id": piece_id})
    assert opened.status_code == 201, opened.text
    elsewhere = switchboard.of("advisor_b").post("/editions", {"piece_id": piece_id})
    assert elsewhere.status_code == 404


def test_a_publication_that_is_taken_down_ends_its_pictures(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "brand")
    approve(switchboard.of("reviewer"), piece_id)
    operator, advisor = switchboard.of("operator"), switchboard.of("advisor")
    publication = operator.post("/publications", {"piece_id": piece_id}).get_json()
    edition = advisor.post("/editions", {"piece_id": piece_id}).get_json()

    ended = operator.post(f"/publications/{publication['id']}/take-down", {"note": "利率已调整"})

    assert ended.get_json()["standing"] == "taken_down"
    assert advisor.post("/renders", {"edition_id": edition["id"]}).status_code == 410
    again = operator.post(f"/publications/{publication['id']}/take-down", {"note": "再来一次"})
    assert problem(again)["code"] == "illegal_transition"


def test_an_unapproved_piece_cannot_be_published(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "brand")

    refused = switchboard.of("operator").post("/publications", {"piece_id": piece_id})

    assert refused.status_code == 409
    assert problem(refused)["code"] == "gate_closed"


def test_nobody_approves_what_they_made(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    review = waiting(switchboard.of("reviewer"), piece_id)

    refused = switchboard.of("advisor").post(
        f"/reviews/{review['id']}/decisions",
        {"outcome": "approve", "content_hash": review["content_hash"]},
    )

    assert refused.status_code == 403


def test_a_decision_on_other_content_than_the_current_is_refused(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    review = waiting(switchboard.of("reviewer"), piece_id)

    refused = switchboard.of("reviewer").post(
        f"/reviews/{review['id']}/decisions", {"outcome": "approve", "content_hash": "0" * 64}
    )

    assert problem(refused)["code"] == "stale_revision"


def test_a_refusal_without_a_reason_names_the_field(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    review = waiting(switchboard.of("reviewer"), piece_id)

    refused = switchboard.of("reviewer").post(
        f"/reviews/{review['id']}/decisions",
        {"outcome": "reject", "content_hash": review["content_hash"]},
    )

    assert refused.status_code == 422
    assert named(refused) == {"reason"}


def test_a_review_shows_what_differs_from_the_template(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    reviewer = switchboard.of("reviewer")

    story = reviewer.get(f"/reviews/{waiting(reviewer, piece_id)['id']}").get_json()

    changes = {change["slot"]: change for change in story["changes"]}
    assert changes["headline"]["before"] == "早安"
    assert changes["headline"]["after"] == WORDS["headline"]
    assert story["check"]["verdict"] == "pass"


def test_the_picture_of_a_decision_is_kept_byte_for_byte(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    decision = approve(switchboard.of("reviewer"), piece_id)

    kept = switchboard.of("auditor").get(f"/renditions/{decision['shown_sha256']}")

    assert hashlib.sha256(kept.data).hexdigest() == decision["shown_sha256"]
    assert switchboard.of("advisor_b").get(f"/renditions/{decision['shown_sha256']}").status_code == 404


def test_a_piece_is_rendered_the_same_for_its_maker_and_its_reviewer(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)

    mine = switchboard.of("advisor").post("/renders", {"piece_id": piece_id})
    theirs = switchboard.of("reviewer").post("/renders", {"piece_id": piece_id})

    assert mine.mimetype == "image/jpeg"
    assert mine.data == theirs.data
    assert mine.headers["ETag"] == f'"{hashlib.sha256(mine.data).hexdigest()}"'


def test_a_change_leaves_the_slots_it_does_not_name(full_switchboard: Switchboard) -> None:
    advisor = full_switchboard.of("advisor")
    piece_id = made(advisor, POSTER, headline="时间会奖励\n耐心的人")

    advisor.patch(f"/pieces/{piece_id}", {"values": {"message": "慢一点，也是一种走法。"}})

    *_, last = advisor.get(f"/pieces/{piece_id}").get_json()["revisions"]
    assert last["number"] == 2
    assert last["values"]["headline"] == "时间会奖励\n耐心的人"
    assert last["values"]["message"] == "慢一点，也是一种走法。"


def test_a_locked_slot_is_refused_by_name(full_switchboard: Switchboard) -> None:
    refused = full_switchboard.of("advisor").post(
        "/pieces", {"template": {"slug": POSTER}, "values": {"kicker": "内部特供"}}
    )
    assert named(refused) == {"kicker"}


def test_forbidden_words_are_stopped_before_anybody_waits(switchboard: Switchboard) -> None:
    advisor = switchboard.of("advisor")
    piece_id = made(advisor, headline="稳赚不赔")

    refused = advisor.post(f"/pieces/{piece_id}/submit")

    assert refused.status_code == 422
    found = problem(refused)
    assert found["code"] == "check_blocked"
    assert any(finding["text"] == "稳赚不赔" for finding in found["findings"])
    assert advisor.get(f"/pieces/{piece_id}").get_json()["state"] == "draft"


def test_an_advisors_draft_is_nobody_elses(switchboard: Switchboard) -> None:
    piece_id = made(switchboard.of("advisor"), **WORDS)
    reviewer = switchboard.of("reviewer")
    assert reviewer.get(f"/pieces/{piece_id}").status_code == 404
    assert reviewer.post("/renders", {"piece_id": piece_id}).status_code == 404
    assert reviewer.get("/pieces").get_json()["items"] == []


def test_a_piece_can_be_taken_back_once(switchboard: Switchboard) -> None:
    piece_id = submitted(switchboard, "advisor", **WORDS)
    advisor = switchboard.of("advisor")

    assert advisor.post(f"/pieces/{piece_id}/withdraw").get_json()["state"] == "withdrawn"
    assert advisor.post(f"/pieces/{piece_id}/withdraw").status_code == 409


def test_the_same_request_under_one_key_makes_one_piece(switchboard: Switchboard) -> None:
    advisor = switchboard.of("advisor")
    asked = {"template": {"slug": NOTE}, "values": WORDS}

    first = advisor.post("/pieces", asked, headers={"Idempotency-Key": "order-7"})
    again = advisor.post("/pieces", asked, headers={"Idempotency-Key": "order-7"})

    assert first.status_code == again.status_code == 201
    assert first.get_json() == again.get_json()
    assert len(advisor.get("/pieces").get_json()["items"]) == 1


def test_another_request_under_a_used_key_is_refused(switchboard: Switchboard) -> None:
    advisor = switchboard.of("advisor")
    key = {"Idempotency-Key": "order-7"}
    advisor.post("/pieces", {"template": {"slug": NOTE}}, headers=key)

    other = advisor.post("/pieces", {"template": {"slug": NOTE}, "values": WORDS}, headers=key)

    assert other.status_code == 409
    assert problem(other)["code"] == "different_repeat"


def test_a_key_belongs_to_whoever_sent_it(switchboard: Switchboard) -> None:
    key = {"Idempotency-Key": "1"}
    mine = switchboard.of("advisor").post("/pieces", {"template": {"slug": NOTE}}, headers=key)
    theirs = switchboard.of("advisor_b").post("/pieces", {"template": {"slug": NOTE}}, headers=key)
    assert mine.get_json()["id"] != theirs.get_json()["id"]


def test_brand_releases_a_template_version_once(switchboard: Switchboard) -> None:
    brand = switchboard.of("brand")
    released = brand.get(f"/templates/{NOTE}/1").get_json()
    assert released["state"] == "published"

    assert brand.post(f"/templates/{NOTE}/1/publish").status_code == 409
    assert switchboard.of("advisor").post(f"/templates/{NOTE}/1/publish").status_code == 403


class AbsentStore(MemoryObjectStore):
    """A store that cannot be asked."""

    def put(self, key: str, data: bytes, content_type: str) -> None:
        raise ObjectStoreUnavailable

    def get(self, key: str) -> bytes:
        raise ObjectStoreUnavailable


def test_a_store_that_is_away_says_when_to_come_back(switchboard: Switchboard) -> None:
    piece_id = made(switchboard.of("advisor"), **WORDS)
    platform = switchboard.house.platform
    platform.__dict__["surroundings"] = replace(platform.surroundings, store=AbsentStore())

    refused = switchboard.of("advisor").post("/renders", {"piece_id": piece_id})

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    problem(refused)
