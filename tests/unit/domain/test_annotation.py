"""A pin is carried to the next revision: at the same slot, open, changed or fixed."""

from app.domain.annotation import PinStanding, PinState, pin_standing

THEN = {"headline": "稳赚不赔", "message": "早安"}


def test_a_pin_whose_slot_was_left_alone_is_still_open():
    now = THEN | {"message": "晚安"}
    assert pin_standing(PinState.OPEN, "headline", THEN, now) is PinStanding.OPEN


def test_a_pin_whose_slot_was_rewritten_asks_to_be_looked_at():
    now = THEN | {"headline": "慢慢来"}
    assert pin_standing(PinState.OPEN, "headline", THEN, now) is PinStanding.CHANGED


def test_a_slot_that_was_emptied_was_changed():
    assert pin_standing(PinState.OPEN, "headline", THEN, {"message": "早安"}) is PinStanding.CHANGED


def test_a_pin_between_the_slots_asks_to_be_looked_at_after_any_change():
    now = THEN | {"message": "晚安"}
    assert pin_standing(PinState.OPEN, None, THEN, now) is PinStanding.CHANGED
    assert pin_standing(PinState.OPEN, None, THEN, THEN) is PinStanding.OPEN


def test_a_fixed_pin_stays_fixed_whatever_changes():
    assert pin_standing(PinState.FIXED, "headline", THEN, {}) is PinStanding.FIXED
