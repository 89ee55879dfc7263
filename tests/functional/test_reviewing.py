"""The reviewer's desk, entered as a reviewer enters it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.domain.organisation import Role
from app.domain.review import CLAIM_TERM, Ground, Outcome, Refusal
from app.models.review import Decision
from app.queries.review import FoundHit
from app.services.review import claim_review
from tests.factories import House
from tests.fakes import FixedClock

A_BROWSER = {"Accept": "text/html"}
OWN_WORDS = "山高路远\n步履不停"


@pytest.fixture
def reviewer(house: House, client: FlaskClient) -> FlaskClient:
    return house.log_in(client, "reviewer")


def item(house: House, piece_id: UUID) -> str:
    return f"/reviews/{house.review_of(piece_id).id}"


def decide(
    client: FlaskClient, house: House, piece_id: UUID, outcome: str = "approve", **more: object
) -> TestResponse:
    form = {"outcome": outcome, "content_hash": house.review_of(piece_id).revision.content_hash, **more}
    return client.post(f"{item(house, piece_id)}/decision", data=form, headers=A_BROWSER)


def test_the_queue_groups_a_design_and_puts_the_longest_waiting_first(
    house: House, reviewer: FlaskClient, clock: FixedClock
) -> None:
    first = house.in_review("advisor", headline=OWN_WORDS)
    clock.advance(timedelta(minutes=1))
    card = house.in_review("advisor", "card-benchmark")
    clock.advance(timedelta(minutes=1))
    second = house.in_review("advisor_b", headline="慢慢来\n比较快")

    page = reviewer.get("/reviews").text

    places = [page.index(item(house, one)) for one in (first, second, card)]
    assert places == sorted(places)
    assert page.index("2 件") < page.index("1 件")


def test_the_queue_shows_a_branch_reviewer_only_their_own_subtree(house: House, client: FlaskClient) -> None:
    shanghai = house.in_review("advisor", headline=OWN_WORDS)
    suzhou = house.in_review("advisor_b", headline=OWN_WORDS)
    house.log_in(client, house.person("suzhou-reviewer", Role.REVIEWER, "/HQ/SZ/"))

    page = client.get("/reviews").text

    assert item(house, suzhou) in page
    assert item(house, shanghai) not in page
    assert client.get(item(house, shanghai)).status_code == 404
    assert client.get(f"{item(house, shanghai)}/picture.jpg").status_code == 404


def test_the_queue_is_searched_by_the_makers_name(house: House, reviewer: FlaskClient) -> None:
    found = house.in_review("advisor", headline=OWN_WORDS)
    other = house.in_review("advisor_b", headline=OWN_WORDS)

    page = reviewer.get("/reviews?q=李知遥").text

    assert item(house, found) in page
    assert item(house, other) not in page


def test_an_item_shows_first_what_differs_from_the_template(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    page = reviewer.get(item(house, piece)).text

    assert page.index("与模板默认内容相比") < page.index("picture.jpg")
    assert re.search(r"<del>.*?山有四季", page, re.DOTALL)
    assert re.search(r"<ins>.*?山高路远", page, re.DOTALL)


def test_an_item_shows_what_differs_from_the_revision_approved_before(
    house: House, reviewer: FlaskClient
) -> None:
    piece = house.in_review("operator", headline="秋收冬藏\n静待春来")
    house.decide(piece)
    house.revise("operator", piece, headline="秋收冬藏\n静待花开")

    page = reviewer.get(item(house, piece)).text

    assert "与上次通过的第 1 稿相比" in page
    assert re.search(r"<del>.*?春来", page)
    assert re.search(r"<ins>.*?花开", page)


def test_a_verdict_that_lets_pass_says_how_many_places_to_look_at(
    house: House, reviewer: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # few rules only warn, and which do is the compliance officers' to change
    hits = tuple(
        FoundHit(
            "wording", "warn", "headline", at, at + 2, OWN_WORDS[at : at + 2], "", "宜换一种说法。", None
        )
        for at in (0, 2)
    )
    monkeypatch.setattr("app.web.review.hits_of", lambda *_: hits)
    monkeypatch.setattr("app.web.review.verdict_of", lambda *_: "warn")
    page = reviewer.get(item(house, house.in_review("advisor", headline=OWN_WORDS))).text
    assert "可用，2 处需留意" in page


def test_the_picture_under_review_is_the_picture_that_was_approved(
    house: House, reviewer: FlaskClient
) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    picture = reviewer.get(f"{item(house, piece)}/picture.jpg")
    decide(reviewer, house, piece)

    with house.platform.sessions() as session:
        shown = session.scalars(select(Decision.shown_sha256).where(Decision.piece_id == piece)).one()
    assert picture.headers["ETag"].strip('"') == shown


def test_the_picture_to_compare_with_is_the_one_approved_before(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("operator", headline="秋收冬藏\n静待春来")
    approved = reviewer.get(f"{item(house, piece)}/picture.jpg").data
    house.decide(piece)
    house.revise("operator", piece, headline="秋收冬藏\n静待花开")

    assert "before.jpg" in reviewer.get(item(house, piece)).text
    assert reviewer.get(f"{item(house, piece)}/before.jpg").data == approved


def test_an_earlier_decision_on_the_same_words_stands_beside_them(
    house: House, reviewer: FlaskClient
) -> None:
    before = house.in_review("advisor", headline=OWN_WORDS)
    house.decide(before, Outcome.REQUEST_CHANGES, who="reviewer_b", reason="语气请再平实一些。")
    now = house.in_review("advisor_b", headline=OWN_WORDS)

    page = reviewer.get(item(house, now)).text

    assert "语气请再平实一些。" in page


def test_approving_publishes_an_advisors_own_piece_and_goes_to_the_next(
    house: House, reviewer: FlaskClient
) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    waiting = house.in_review("advisor_b", headline=OWN_WORDS)

    answer = decide(reviewer, house, piece)

    assert (answer.status_code, answer.location) == (303, item(house, waiting))
    assert house.piece(piece).state == "published"
    assert house.publication(piece).approval_no in reviewer.get(answer.location).text


def test_after_the_last_item_the_queue_says_that_all_is_done(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    answer = decide(reviewer, house, piece)

    assert answer.location == "/reviews"
    assert "都审完了" in reviewer.get("/reviews").text


def test_asking_for_changes_needs_a_reason(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    answer = decide(reviewer, house, piece, "request_changes", reason="  ")

    assert answer.status_code == 422
    assert "请写明原因" in answer.text
    assert house.piece(piece).state == "in_review"


def test_a_ready_wording_is_kept_with_the_reason(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    decide(
        reviewer,
        house,
        piece,
        "request_changes",
        reason="请换一种说法。",
        **{"wording.headline": "稳健前行\r\n不负时光", "wording.message": ""},
    )

    with house.platform.sessions() as session:
        reason = session.scalars(select(Decision.reason).where(Decision.piece_id == piece)).one()
    assert Refusal.from_text(reason) == Refusal("请换一种说法。", (), {"headline": "稳健前行\n不负时光"})


def test_a_rejection_keeps_its_grounds(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)

    decide(reviewer, house, piece, "reject", ground=["promise", "rights"], reason="")

    with house.platform.sessions() as session:
        reason = session.scalars(select(Decision.reason).where(Decision.piece_id == piece)).one()
    assert Refusal.from_text(reason).grounds == (Ground.PROMISE, Ground.RIGHTS)
    assert house.piece(piece).state == "rejected"


def test_a_contributor_is_told_why_they_may_not_decide(house: House, client: FlaskClient) -> None:
    both = house.two_roles("maker-and-judge", Role.OPERATOR, Role.REVIEWER, path="/HQ/")
    piece = house.in_review(both, headline=OWN_WORDS)
    house.log_in(client, both)

    page = client.get(item(house, piece))
    answer = decide(client, house, piece)

    assert "您参与了这份作品的制作" in page.text
    assert 'value="approve"' not in page.text
    assert answer.status_code == 403
    assert "四眼原则" in answer.text
    assert house.piece(piece).state == "in_review"


def test_deciding_a_revision_that_was_replaced_shows_the_one_that_waits(
    house: House, reviewer: FlaskClient
) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    seen = house.review_of(piece)
    house.withdraw("advisor", piece)
    house.revise("advisor", piece, headline="慢慢来\n比较快")

    answer = reviewer.post(
        f"/reviews/{seen.id}/decision",
        data={"outcome": "approve", "content_hash": seen.revision.content_hash},
        headers=A_BROWSER,
    )

    assert answer.status_code == 409
    assert "您的决定没有生效" in answer.text
    assert item(house, piece) in answer.text
    assert house.piece(piece).state == "in_review"


def test_the_second_of_two_decisions_is_told_of_the_first(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    house.decide(piece, Outcome.REJECT, who="reviewer_b", reason="与产品不符。")

    answer = decide(reviewer, house, piece)

    assert answer.status_code == 409
    assert "与产品不符。" in answer.text
    assert house.piece(piece).state == "rejected"


def test_opening_an_item_shows_a_colleague_who_is_on_it(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    reviewer.get(item(house, piece))

    reviewer.post("/logout")
    house.log_in(reviewer, "reviewer_b")
    page = reviewer.get(item(house, piece)).text

    assert "demo-reviewer 正在处理" in page
    assert 'value="approve"' not in page
    assert "demo-reviewer 处理中" in reviewer.get("/reviews").text


def test_a_colleague_takes_an_item_over_knowingly(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    with house.by("reviewer_b") as uow:
        claim_review(uow, house.review_of(piece).id)

    reviewer.post(f"{item(house, piece)}/claim")

    assert 'value="approve"' in reviewer.get(item(house, piece)).text


def test_a_claim_lapses_when_nobody_stays_on_it(
    house: House, reviewer: FlaskClient, clock: FixedClock
) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    with house.by("reviewer_b") as uow:
        claim_review(uow, house.review_of(piece).id)
    clock.advance(CLAIM_TERM)

    assert 'value="approve"' in reviewer.get(item(house, piece)).text


def test_an_item_put_back_is_free_again(house: House, reviewer: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    reviewer.get(item(house, piece))

    reviewer.post(f"{item(house, piece)}/release")

    assert house.review_of(piece).claimed_by is None


def test_the_next_item_skips_what_a_colleague_is_on(house: House, reviewer: FlaskClient) -> None:
    first = house.in_review("advisor", headline=OWN_WORDS)
    taken = house.in_review("advisor_b", headline=OWN_WORDS)
    free = house.in_review("advisor", headline="慢慢来\n比较快")
    with house.by("reviewer_b") as uow:
        claim_review(uow, house.review_of(taken).id)

    assert decide(reviewer, house, first).location == item(house, free)


def test_an_auditor_reads_an_item_without_claiming_it(house: House, client: FlaskClient) -> None:
    piece = house.in_review("advisor", headline=OWN_WORDS)
    house.log_in(client, "auditor")

    page = client.get(item(house, piece))

    assert page.status_code == 200
    assert 'value="approve"' not in page.text
    assert house.review_of(piece).claimed_by is None


@pytest.mark.parametrize("who", ["advisor", "brand", "operator", "branch_head", "administrator"])
def test_nobody_else_comes_to_the_reviewers_desk(house: House, client: FlaskClient, who: str) -> None:
    house.log_in(client, who)

    assert client.get("/reviews").status_code == 403


def test_the_queue_asks_as_much_for_many_items_as_for_few(
    house: House, reviewer: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    house.in_review("advisor", headline=OWN_WORDS)
    few = count_queries(lambda: reviewer.get("/reviews"))
    for who in ("advisor", "advisor_b") * 3:
        house.in_review(who, "card-benchmark")

    assert count_queries(lambda: reviewer.get("/reviews")) == few


def test_queue_item_and_decision_ask_no_more_with_fifty_items_than_with_five(
    small_house: House, client: FlaskClient, count_queries: Callable[[Callable[[], object]], int]
) -> None:
    house, reviewer = small_house, small_house.log_in(client, "reviewer")
    numbers = itertools.count(1)

    def wait(times: int) -> UUID:
        pieces = [house.in_review("advisor", "note", headline=f"第{next(numbers)}件") for _ in range(times)]
        return pieces[-1]

    def asked(piece_id: UUID) -> list[int]:
        pages = (
            lambda: reviewer.get("/reviews"),
            lambda: reviewer.get(item(house, piece_id)),
            lambda: decide(reviewer, house, piece_id),
        )
        return [count_queries(page) for page in pages]

    asked(wait(1))  # what is asked once in a process is asked now
    with_five = asked(wait(5))
    with_fifty = asked(wait(46))
    # near the end of a short queue its beginning is looked at as well
    assert all(many <= few for many, few in zip(with_fifty, with_five, strict=True))
