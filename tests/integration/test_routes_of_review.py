"""Steps, quorums and seats: what goes which way, who may take which step, and what stays as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.domain.errors import (
    AccessDenied,
    AlreadyDecided,
    GateClosed,
    IllegalTransition,
    InvalidInput,
    SelfApproval,
)
from app.domain.organisation import Role
from app.domain.piece import PieceState
from app.domain.review import Outcome, ReviewState
from app.domain.route import Risk, RouteRule, StepPlan, StepState, UseChannel
from app.domain.template import ProductType
from app.models.audit import AuditEntry
from app.models.review import Decision, Review, ReviewStep
from app.models.route import ReviewRoute, RouteStep
from app.services.independence import OneVote
from app.services.piece import save_piece
from app.services.publication import publish_piece
from app.services.review import NotSeated, decide
from app.services.route import (
    LastRoute,
    RoutePlan,
    create_route,
    order_routes,
    retire_route,
    revise_route,
    standing_routes,
)
from tests.factories import House

FIRST, SECOND = StepPlan("初审"), StepPlan("复审")
LEGAL = StepPlan("法务", role=Role.LEGAL)


def steps_of(house: House, piece_id: UUID) -> list[tuple[str, StepState]]:
    with house.platform.sessions() as session:
        found = session.execute(
            select(RouteStep.name, ReviewStep.state)
            .join(ReviewStep, ReviewStep.route_step_id == RouteStep.id)
            .where(ReviewStep.review_id == house.review_of(piece_id).id)
            .order_by(ReviewStep.position)
        )
        return [(name, state) for name, state in found]


def decisions_of(house: House, piece_id: UUID) -> list[Decision]:
    with house.platform.sessions() as session:
        return list(
            session.scalars(
                select(Decision).where(Decision.piece_id == piece_id).order_by(Decision.decided_at)
            )
        )


def test_without_any_configuration_one_reviewer_decides(small_house: House) -> None:
    piece_id = small_house.in_review("operator", "note")
    assert steps_of(small_house, piece_id) == [("初审", StepState.OPEN)]
    small_house.decide(piece_id)
    assert small_house.piece(piece_id).state is PieceState.APPROVED


def test_two_steps_take_two_people(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    assert steps_of(house, piece_id) == [("初审", StepState.PASSED), ("复审", StepState.OPEN)]
    house.decide(piece_id, who="reviewer_b")
    assert house.piece(piece_id).state is PieceState.APPROVED
    assert [one.is_final for one in decisions_of(house, piece_id)] == [False, True]


def test_nobody_votes_in_two_steps_of_one_round(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    with pytest.raises(OneVote):
        house.decide(piece_id, who="reviewer")
    assert house.piece(piece_id).state is PieceState.IN_REVIEW


def test_a_quorum_counts_people(small_house: House) -> None:
    house = small_house
    house.route(replace(FIRST, quorum=2))
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    assert house.piece(piece_id).state is PieceState.IN_REVIEW
    with pytest.raises(AlreadyDecided):
        house.decide(piece_id, who="reviewer")
    house.decide(piece_id, who="reviewer_b")
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_a_refusal_in_any_step_ends_the_round(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND, LEGAL)
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    house.decide(piece_id, Outcome.REQUEST_CHANGES, who="reviewer_b", reason="缺少出处")
    assert house.piece(piece_id).state is PieceState.CHANGES_REQUESTED
    assert house.review_of(piece_id).state is ReviewState.DECIDED
    assert [state for _, state in steps_of(house, piece_id)] == [
        StepState.PASSED,
        StepState.ENDED,
        StepState.ENDED,
    ]


def test_legal_takes_the_legal_step_and_no_other(small_house: House) -> None:
    house = small_house
    house.route(FIRST, LEGAL)
    piece_id = house.in_review("operator", "note")
    with pytest.raises(NotSeated):
        house.decide(piece_id, who="legal")
    house.decide(piece_id, who="reviewer")
    with pytest.raises(NotSeated):
        house.decide(piece_id, who="reviewer_b")
    house.decide(piece_id, who="legal")
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_a_seat_at_head_office_is_not_taken_from_a_branch(small_house: House) -> None:
    house = small_house
    local = house.person("sh-reviewer", Role.REVIEWER, "/HQ/SH/")
    house.people["sh_reviewer"] = local
    house.route(FIRST, replace(SECOND, seat_path="/HQ/"))
    piece_id = house.in_review("advisor", "note")
    house.decide(piece_id, who="sh_reviewer")
    other = house.in_review("advisor", "note", headline="晚安")
    house.decide(other, who="reviewer")
    with pytest.raises(NotSeated):
        house.decide(other, who="sh_reviewer")
    house.decide(piece_id, who="reviewer_b")
    assert house.piece(piece_id).state is PieceState.PUBLISHED


def test_a_decision_for_a_step_that_has_passed_changes_nothing(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    review = house.review_of(piece_id)
    house.decide(piece_id, who="reviewer")
    with pytest.raises(AlreadyDecided) as late, house.by("reviewer_b") as uow:
        decide(uow, review.id, Outcome.APPROVE, content_hash=review.revision.content_hash, step=1)
    assert late.value.data == {"state": "in_review", "step": 2}
    assert len(decisions_of(house, piece_id)) == 1


def test_an_approval_that_is_not_final_publishes_nothing(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    with house.platform.sessions.begin() as session:
        session.execute(text("UPDATE piece SET state = 'approved' WHERE id = :id"), {"id": piece_id})
    with pytest.raises(GateClosed), house.by("operator") as uow:
        publish_piece(uow, piece_id, path="/HQ/")


def test_fund_takes_two_steps_and_a_greeting_one_without_any_code(house: House) -> None:
    funds = RouteRule(product_types=frozenset({ProductType.FUND, ProductType.MONEY_FUND}))
    house.route(FIRST, SECOND, rule=funds, name="基金")
    house.route(FIRST, rule=RouteRule(kinds=frozenset({"festival"})), name="节日问候")
    fund = house.in_review("advisor", message="先看清自己能等多久。")
    greeting = house.in_review("operator", "festival-spring")
    assert [name for name, _ in steps_of(house, fund)] == ["初审", "复审"]
    assert [name for name, _ in steps_of(house, greeting)] == ["初审"]


@pytest.mark.parametrize(
    ("rule", "takes"),
    [
        (RouteRule(path="/HQ/SH/"), True),
        (RouteRule(path="/HQ/SZ/"), False),
        (RouteRule(kinds=frozenset({"daily"})), True),
        (RouteRule(kinds=frozenset({"poster"})), False),
        (RouteRule(risks=frozenset({Risk.MEDIUM})), True),
        (RouteRule(risks=frozenset({Risk.HIGH})), False),
        (RouteRule(channels=frozenset({UseChannel.MOMENTS})), True),
        (RouteRule(channels=frozenset({UseChannel.PRINT})), False),
        (RouteRule(product_types=frozenset({ProductType.NONE})), True),
        (RouteRule(product_types=frozenset({ProductType.FUND})), False),
    ],
)
def test_a_route_is_chosen_by_unit_product_kind_risk_and_channel(
    small_house: House, rule: RouteRule, takes: bool
) -> None:
    small_house.route(FIRST, SECOND, rule=rule)
    piece_id = small_house.in_review("advisor", "note")
    assert len(steps_of(small_house, piece_id)) == (2 if takes else 1)


def test_a_piece_meant_for_print_takes_the_route_of_print(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND, rule=RouteRule(channels=frozenset({UseChannel.PRINT})))
    with house.by("operator") as uow:
        piece_id = save_piece(uow, "note", {}, channel=UseChannel.PRINT).id
    house.submit("operator", piece_id)
    assert len(steps_of(house, piece_id)) == 2


def test_another_channel_voids_the_approval_though_the_words_stay(small_house: House) -> None:
    """What passed the short way for a chat is not in print before it went the way of print."""
    house = small_house
    house.route(FIRST, SECOND, rule=RouteRule(channels=frozenset({UseChannel.PRINT})))
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id)
    before = house.piece(piece_id)
    assert before.state is PieceState.APPROVED
    with house.by("operator") as uow:
        save_piece(uow, "note", {}, piece_id=piece_id, channel=UseChannel.PRINT)
    after = house.piece(piece_id)
    assert (after.state, after.current_revision_id) == (PieceState.DRAFT, before.current_revision_id)
    with pytest.raises(IllegalTransition), house.by("operator") as uow:
        publish_piece(uow, piece_id)
    house.submit("operator", piece_id)
    assert len(steps_of(house, piece_id)) == 2


def test_saying_the_same_channel_again_changes_nothing(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id)
    with house.by("operator") as uow:
        save_piece(uow, "note", {}, piece_id=piece_id, channel=UseChannel.MOMENTS)
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_the_first_route_in_the_order_wins(small_house: House) -> None:
    house = small_house
    one, two = house.route(FIRST, name="一步"), house.route(FIRST, SECOND, name="两步")
    assert len(steps_of(house, house.in_review("operator", "note"))) == 1
    with house.by("administrator") as uow:
        rest = [route.id for route in standing_routes(uow) if route.id not in {one.id, two.id}]
        order_routes(uow, [two.id, one.id, *rest])
    assert len(steps_of(house, house.in_review("operator", "note", headline="午安"))) == 2


def test_what_is_in_review_keeps_the_route_it_started_with(small_house: House) -> None:
    house = small_house
    route = house.route(FIRST, SECOND)
    before = house.in_review("operator", "note")
    with house.by("administrator") as uow:
        revise_route(uow, route.id, RoutePlan("三步", RouteRule(), (FIRST, SECOND, LEGAL)))
    after = house.in_review("operator", "note", headline="午安")
    assert [name for name, _ in steps_of(house, before)] == ["初审", "复审"]
    assert [name for name, _ in steps_of(house, after)] == ["初审", "复审", "法务"]
    house.decide(before, who="reviewer")
    house.decide(before, who="reviewer_b")
    assert house.piece(before).state is PieceState.APPROVED


def test_the_same_plan_again_makes_no_version(small_house: House) -> None:
    house = small_house
    route = house.route(FIRST, SECOND)
    with house.by("administrator") as uow:
        revise_route(uow, route.id, RoutePlan("两步审核", RouteRule(), (FIRST, SECOND)))
    with house.platform.sessions() as session:
        numbers = session.scalars(
            select(ReviewRoute.number).where(ReviewRoute.lineage_id == route.lineage_id)
        ).all()
    assert numbers == [1]


def test_the_route_that_takes_everything_cannot_go(small_house: House) -> None:
    house = small_house
    house.in_review("operator", "note")  # the institution has its default route from now on
    with house.by("administrator") as uow:
        [default] = standing_routes(uow)
    with pytest.raises(LastRoute), house.by("administrator") as uow:
        retire_route(uow, default.id)
    with pytest.raises(LastRoute), house.by("administrator") as uow:
        rule = RouteRule(product_types=frozenset({ProductType.FUND}))
        revise_route(uow, default.id, RoutePlan("基金", rule, (FIRST,)))


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        (RoutePlan("", RouteRule(), (FIRST,)), "name"),
        (RoutePlan("空", RouteRule(), ()), "steps"),
        (RoutePlan("太长", RouteRule(), (FIRST,) * 6), "steps"),
        (RoutePlan("无此机构", RouteRule(path="/HQ/XX/"), (FIRST,)), "path"),
        (RoutePlan("无权", RouteRule(), (StepPlan("初审", role=Role.BRAND),)), "steps.1.role"),
        (RoutePlan("零人", RouteRule(), (StepPlan("初审", quorum=0),)), "steps.1.quorum"),
        (RoutePlan("瞬间", RouteRule(), (StepPlan("初审", term=timedelta(0)),)), "steps.1.term_hours"),
        (RoutePlan("空座", RouteRule(), (StepPlan("初审", seat_path="/X/"),)), "steps.1.seat_path"),
    ],
)
def test_a_route_that_could_not_work_is_refused_at_its_field(
    small_house: House, plan: RoutePlan, field: str
) -> None:
    with pytest.raises(InvalidInput) as refused, small_house.by("administrator") as uow:
        create_route(uow, plan)
    assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize("who", ["reviewer", "operator", "brand", "auditor", "advisor"])
def test_nobody_but_an_administrator_changes_a_route(small_house: House, who: str) -> None:
    with pytest.raises(AccessDenied), small_house.by(who) as uow:
        create_route(uow, RoutePlan("一步", RouteRule(), (FIRST,)))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE route_step SET quorum = 0",
        "DELETE FROM route_step",
        "UPDATE review_route SET org_path = '/HQ/SZ/'",
        "DELETE FROM review_route",
        "UPDATE review SET route_id = NULL",
        "UPDATE review SET route = 'auto'",
        "UPDATE review_step SET state = 'open' WHERE state = 'passed'",
        "UPDATE review_step SET route_step_id = (SELECT id FROM route_step WHERE name = '复审')",
    ],
)
def test_the_database_keeps_a_round_on_its_route(small_house: House, change: str) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    house.decide(house.in_review("operator", "note"))
    with pytest.raises(DBAPIError), house.platform.sessions.begin() as session:
        session.execute(text(change))


_VOTE = """
    INSERT INTO decision (id, tenant_id, review_id, step_id, is_final, piece_id, revision_id, content_hash,
        outcome, reason, decided_by, decided_at, seal)
    SELECT gen_random_uuid(), v.tenant_id, v.id, s.id, true, v.piece_id, v.revision_id, r.content_hash,
        'approve', '', :by, now(), repeat('0', 64)
      FROM review v JOIN piece_revision r ON r.id = v.revision_id
      JOIN review_step s ON s.review_id = v.id AND s.state = 'open'
     WHERE v.piece_id = :piece
"""


def test_the_database_calls_no_approval_final_before_the_route_is_completed(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    with (
        pytest.raises(DBAPIError, match="route is not completed"),
        house.platform.sessions.begin() as session,
    ):
        session.execute(text(_VOTE), {"by": house.people["reviewer"].user_id, "piece": piece_id})


def test_the_database_counts_one_person_once(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    house.decide(piece_id, who="reviewer")
    with pytest.raises(DBAPIError, match="one vote"), house.platform.sessions.begin() as session:
        session.execute(text(_VOTE), {"by": house.people["reviewer"].user_id, "piece": piece_id})


def test_a_step_that_waits_is_not_decided_before_its_turn(small_house: House) -> None:
    house = small_house
    house.route(FIRST, LEGAL)
    piece_id = house.in_review("operator", "note")
    with pytest.raises(DBAPIError, match="open step"), house.platform.sessions.begin() as session:
        session.execute(
            text(_VOTE.replace("s.state = 'open'", "s.state = 'waiting'")),
            {"by": house.people["legal"].user_id, "piece": piece_id},
        )


def test_each_vote_is_one_entry_of_the_record(small_house: House) -> None:
    house = small_house
    house.route(FIRST, SECOND)
    piece_id = house.in_review("operator", "note")
    review_id = house.review_of(piece_id).id
    house.decide(piece_id, who="reviewer")
    house.decide(piece_id, who="reviewer_b")
    with house.platform.sessions() as session:
        tags = session.scalars(
            select(AuditEntry.tag)
            .where(AuditEntry.subject_id.in_([str(piece_id), str(review_id)]))
            .order_by(AuditEntry.seq)
        ).all()
    assert tags == [
        "piece:create",
        "piece:edit",
        "piece:submit",
        "review:open",
        "review:approve_step",
        "piece:approve",
    ]


def test_a_new_revision_keeps_the_approval_of_what_it_did_not_change(house: House) -> None:
    """The wording of slot A was approved; only slot B is news."""
    piece_id = house.in_review("operator", "card-pension")
    values = house.review_of(piece_id).revision.values
    changed = next(name for name in ("title", "headline", "lead") if name in values)
    house.decide(piece_id)
    with house.by("operator") as uow:
        save_piece(uow, "", {changed: "慢慢来"}, piece_id=piece_id)
    house.submit("operator", piece_id)
    review = house.review_of(piece_id)
    assert changed not in review.carried
    assert set(values) - set(review.carried) == {changed}
    assert review.state is ReviewState.OPEN


def test_a_save_without_change_keeps_the_approval(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note", headline="慢慢来")
    house.decide(piece_id)
    with house.by("operator") as uow:
        save_piece(uow, "", {"headline": "慢慢来"}, piece_id=piece_id)
    assert house.piece(piece_id).state is PieceState.APPROVED


def test_a_refused_revision_carries_nothing_on(small_house: House) -> None:
    house = small_house
    piece_id = house.in_review("operator", "note", headline="慢慢来")
    house.decide(piece_id, Outcome.REQUEST_CHANGES, reason="换一句")
    house.revise("operator", piece_id, headline="晚安")
    assert house.review_of(piece_id).carried == []


def test_the_author_of_a_design_decides_on_nothing_made_from_it(small_house: House) -> None:
    house = small_house
    brand = house.people["brand"]
    reviewing = replace(brand, grants=(*brand.grants, *house.people["reviewer"].grants))
    house.people["brand_reviewer"] = reviewing
    piece_id = house.in_review("operator", "note")
    with pytest.raises(SelfApproval):
        house.decide(piece_id, who="brand_reviewer")


def test_an_item_has_an_owner_from_the_start(small_house: House) -> None:
    house = small_house
    reviewers = {house.people[who].user_id for who in ("reviewer", "reviewer_b", "both")}
    owners = []
    for headline in ("一", "二", "三"):
        piece_id = house.in_review("operator", "note", headline=headline)
        with house.platform.sessions() as session:
            owners.append(
                session.scalars(
                    select(ReviewStep.assigned_to)
                    .join(Review, Review.id == ReviewStep.review_id)
                    .where(Review.piece_id == piece_id)
                ).one()
            )
    assert set(owners) == reviewers  # three items, three people with equally much to do
