"""The fast way draws what the page laid out whole would show, or it is not taken."""

import io
import os
import random
import re

import numpy as np
import pytest
from PIL import Image

from templates_lib.compile import compile_template
from templates_lib.compose import JPEG, PNG, compose, compose_filled, hold
from templates_lib.fill import SlotErrors, fill
from templates_lib.pictures import ImageValue
from templates_lib.skeleton import Way
from tests.unit.templates_lib.factories import BODY, STYLE, URL, picture, write_template
from tests.unit.templates_lib.test_library import SAMPLES, compiled, values_of

NAME = '<p class="name" data-field="name">{{ name }}</p>'
PLAIN = BODY.replace('<span data-field="name">{{ name }}</span></p>', "</p>" + NAME)
STYLED = STYLE + (
    ".name { position: absolute; left: 230px; top: 170px; width: 150px; font-size: 18px;"
    " line-height: 26px; white-space: nowrap }"
)
NAMES = int(os.environ.get("NAMES", "800"))  # `make fuzz` takes more
VALUES = {"headline": "早安，朋友", "name": "王小明", "qr": URL}


def drawn(picture) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"), np.float64)


def likeness(one: np.ndarray, two: np.ndarray) -> float:
    """The mean structural similarity of two pictures in grey, in windows of 7 × 7.

    Source: Wang, Bovik, Sheikh and Simoncelli, 2004.
    """

    def mean(field: np.ndarray) -> np.ndarray:
        sums = np.pad(field, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
        return (sums[7:, 7:] - sums[:-7, 7:] - sums[7:, :-7] + sums[:-7, :-7]) / 49

    x, y = one.mean(2), two.mean(2)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float((((2 * mx * my + c1) * (2 * cov + c2)) / ((mx * mx + my * my + c1) * (vx + vy + c2))).mean())


@pytest.mark.parametrize(("slug", "version", "name"), SAMPLES)
def test_every_sample_goes_the_fast_way_and_looks_as_the_whole_page(slug, version, name):
    design = compiled(slug, version)
    filled = fill(design.manifest, values_of(slug, version, name))
    for page in sorted({place.page for place in design.skeleton(filled).places}):
        fast = compose_filled(design, filled, format=PNG, page=page)
        whole = compose_filled(design, filled, format=PNG, page=page, least=Way.FULL)
        assert (fast.way, fast.reason) == (Way.FAST, "")
        assert likeness(drawn(fast), drawn(whole)) >= 0.995


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return compile_template(write_template(tmp_path_factory.mktemp("note") / "1", body=PLAIN, style=STYLED))


def test_the_same_values_make_the_same_bytes_after_others_were_drawn(note):
    first = compose(note, VALUES).data
    compose(note, VALUES | {"headline": "晚安", "made_on": "2026-11-21"})
    assert compose(note, VALUES).data == first


def test_the_same_values_make_the_same_bytes_in_a_fresh_engine(note):
    again = compile_template(note.source)
    assert compose(again, VALUES).data == compose(note, VALUES).data


@pytest.mark.parametrize("kind", [JPEG, PNG])
def test_slots_held_for_a_run_of_pictures_change_no_byte(note, kind):
    held = hold(note, VALUES, ["headline", "mood", "photo"])
    for name in ("于一", "阿卜杜热西提", "王𬶋𰻞"):
        values = VALUES | {"name": name}
        assert compose(held, values, format=kind).data == compose(note, values, format=kind).data


@pytest.mark.parametrize("kind", [JPEG, PNG])
def test_a_spliced_picture_is_the_one_encoded_whole(note, kind):
    filled = fill(note.manifest, VALUES)
    spliced = compose_filled(note, filled, format=kind)
    assert spliced.data == compose_filled(note, filled, format=kind, spliced=False).data


def test_ink_that_reaches_out_of_its_place_is_drawn_whole_and_not_cut(tmp_path):
    style = STYLED.replace("line-height: 26px", "line-height: 4px")
    design = compile_template(write_template(tmp_path / "1", body=PLAIN, style=style))
    fast = compose(design, VALUES, format=PNG)
    whole = compose_filled(design, fill(design.manifest, VALUES), format=PNG, least=Way.FULL)
    assert likeness(drawn(fast), drawn(whole)) >= 0.995


@pytest.mark.parametrize("kind", [JPEG, PNG])
def test_ink_that_reaches_beside_its_place_is_coded_with_the_rest(tmp_path, kind):
    """Letters set so close that the last of them stands past the end of its line."""
    close = STYLED + ".name { left: 176px; top: 0; width: 60px; letter-spacing: -12px }"
    design = compile_template(write_template(tmp_path / "1", body=PLAIN, style=close))
    filled = fill(design.manifest, VALUES | {"name": "永永永永永永永永永永"})
    made = compose_filled(design, filled, format=kind)
    assert made.way is Way.FAST
    assert (drawn(made)[0:26, 240:250] < 128).any()
    assert made.data == compose_filled(design, filled, format=kind, spliced=False).data


def test_other_values_than_those_held_are_refused(note):
    held = hold(note, VALUES, ["headline"])
    with pytest.raises(ValueError, match="held"):
        compose(held, VALUES | {"headline": "晚安"})


def test_one_held_set_never_serves_for_another(note):
    for headline in ("早安", "午安", "晚安"):
        values = VALUES | {"headline": headline}
        assert compose(hold(note, values, ["headline"]), values).data == compose(note, values).data


def test_the_slow_way_looks_as_the_whole_page_too(note):
    filled = fill(note.manifest, VALUES)
    slow = compose_filled(note, filled, format=PNG, least=Way.SLOW)
    whole = compose_filled(note, filled, format=PNG, least=Way.FULL)
    assert slow.way is Way.SLOW
    assert likeness(drawn(slow), drawn(whole)) >= 0.995


@pytest.mark.parametrize(
    ("style", "way", "reason"),
    [
        (".name { text-align: justify }", Way.SLOW, "aligned justify"),
        (".name { opacity: .5 }", Way.SLOW, "opacity"),
        (".name { transform: rotate(-3deg) }", Way.SLOW, "transform"),
        (".name { text-decoration: underline }", Way.SLOW, "text-decoration-line"),
        (".name { text-transform: uppercase }", Way.SLOW, "text-transform"),
        (".name { text-align: right }", Way.FAST, ""),
        (".name { text-align: center; letter-spacing: 4px }", Way.FAST, ""),
        (".name { color: rgba(20, 40, 60, .5) }", Way.FAST, ""),
    ],
)
def test_a_style_the_fast_way_cannot_honour_is_not_drawn_the_fast_way(tmp_path, style, way, reason):
    design = compile_template(write_template(tmp_path / "1", body=PLAIN, style=STYLED + style))
    made = compose(design, VALUES, format=PNG)
    assert made.way is way
    assert reason in made.reason
    whole = compose_filled(design, fill(design.manifest, VALUES), format=PNG, least=Way.FULL)
    assert likeness(drawn(made), drawn(whole)) >= 0.995


def test_a_slot_whose_width_moves_a_neighbour_has_the_page_drawn_whole(tmp_path):
    beside = PLAIN.replace(NAME, f'<p class="small">{NAME[:0]}<b data-field="name">{{{{ name }}}}</b>')
    body = re.sub(r'(<b data-field="name">.*?</b>)', r"\1<i>先生</i></p>", beside)
    design = compile_template(write_template(tmp_path / "1", body=body, style=STYLE))
    made = compose(design, VALUES)
    assert made.way is Way.FULL
    assert "name" in made.reason


def test_a_character_of_another_face_goes_the_slow_way_and_the_picture_says_so(tmp_path):
    style = STYLED + '.name { font-family: "Imprimatur Kai", "Noto Sans CJK SC" }'
    design = compile_template(write_template(tmp_path / "1", body=PLAIN, style=style))
    made = compose(design, VALUES | {"name": "王𰻞𬶋"}, format=PNG)
    assert (made.way, made.reason) == (Way.SLOW, "name: a character of another face")
    assert compose(design, VALUES, format=PNG).way is Way.FAST


def test_a_picture_with_photo_goes_the_fast_way(note):
    made = compose(note, VALUES | {"photo": ImageValue(picture())})
    assert made.way is Way.FAST


RARE = "𠮷㛃䶮𬶋𰻞龘喆犇堃玥淼焱懿"
FAMILY = "王李张刘陈杨黄赵周吴徐孙欧阳司马诸葛上官"
GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文志远思雨梓涵浩然宇轩诗琪"
ODD = "·（）()ABCz9 é Ł．－🎉😀\u200d\u0301"


def random_name(source: random.Random) -> str:
    kind = source.random()
    if kind < 0.6:
        return source.choice(FAMILY) + "".join(source.sample(GIVEN, source.choice((1, 2))))
    pool = GIVEN + RARE * 3 + (ODD if kind > 0.8 else "")
    return "".join(source.choice(pool) for _ in range(source.randint(1, 16)))


def drawn_or_refused(note, name):
    try:
        return compose_filled(note, fill(note.manifest, VALUES | {"name": name}), format=PNG)
    except SlotErrors as refused:
        return refused.errors


def test_random_names_are_drawn_whole_or_refused(note):
    """Never tofu, never a cut line: no ink stands outside the place the design gives a name."""
    source = random.Random("names")
    nobody = drawn(compose(note, {key: value for key, value in VALUES.items() if key != "name"}, format=PNG))
    still = nobody.copy()
    still[165:200, 225:390] = 0  # where a name may be
    still[170:230, 20:80] = 0  # and the first character of it, for want of a photo
    refused = 0
    for _ in range(NAMES):
        made = drawn_or_refused(note, random_name(source))
        if isinstance(made, tuple):
            refused += 1
            assert {error.slot for error in made} == {"name"}
            continue
        assert made.way is not Way.FULL, made.reason
        pixels = drawn(made)
        assert (pixels[165:200, 230:380] < 128).any()
        pixels[165:200, 225:390] = 0
        pixels[170:230, 20:80] = 0
        assert (pixels == still).all()
    assert 0 < refused < NAMES / 2
