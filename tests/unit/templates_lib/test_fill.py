import io

import pytest
from PIL import Image, ImageFile

from templates_lib.compile import compile_template
from templates_lib.compose import compose
from templates_lib.fill import SlotErrorCode, SlotErrors, fill
from templates_lib.pictures import ImageValue, clean_image
from templates_lib.twin import text_twin
from tests.unit.templates_lib.factories import URL, picture, write_template


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return write_template(tmp_path_factory.mktemp("note")).manifest


@pytest.fixture(scope="module")
def note(tmp_path_factory):
    return compile_template(write_template(tmp_path_factory.mktemp("note")))


def faults(manifest, **values):
    with pytest.raises(SlotErrors) as caught:
        fill(manifest, {"qr": URL, **values})
    return {error.slot: error for error in caught.value.errors}


def test_what_is_left_out_takes_its_default(manifest):
    filled = fill(manifest, {"qr": URL})

    assert filled.texts["headline"] == "你好"
    assert filled.texts["seal"] == "示例银行"
    assert filled.texts["name"] == ""


def test_what_is_given_empty_stays_empty_where_that_is_allowed(manifest):
    assert fill(manifest, {"qr": URL, "mood": ""}).texts["mood"] == ""


def test_a_required_slot_given_empty_is_refused(manifest):
    assert faults(manifest, headline="  ")["headline"].code is SlotErrorCode.REQUIRED


def test_all_faults_are_said_at_once(manifest):
    found = faults(manifest, headline="", mood="午安", colour="red")

    assert set(found) == {"headline", "mood", "colour"}


@pytest.mark.parametrize(
    ("slot", "value", "code"),
    [
        ("colour", "red", SlotErrorCode.UNKNOWN_SLOT),
        ("seal", "别的银行", SlotErrorCode.LOCKED),
        ("seal", "示例银行", SlotErrorCode.LOCKED),
        ("disclosure", "没有风险", SlotErrorCode.UNKNOWN_SLOT),
        ("headline", "长" * 61, SlotErrorCode.TOO_LONG),
        ("mood", "午安", SlotErrorCode.NOT_IN_PHRASES),
        ("made_on", "二月三十日", SlotErrorCode.BAD_DATE),
        ("made_on", "2026-02-30", SlotErrorCode.BAD_DATE),
        ("qr", "javascript:alert(1)", SlotErrorCode.BAD_URL),
        ("qr", "https://user@evil.example/", SlotErrorCode.BAD_URL),
        ("qr", "https://例子.测试/", SlotErrorCode.BAD_URL),
        ("headline", "你\x00好", SlotErrorCode.CONTROL_CHARACTER),
        ("headline", "你\u202e好", SlotErrorCode.CONTROL_CHARACTER),
        ("headline", "保\u200b本", SlotErrorCode.CONTROL_CHARACTER),
        ("headline", "你\ud842好", SlotErrorCode.CONTROL_CHARACTER),
        ("name", "两\n行", SlotErrorCode.CONTROL_CHARACTER),
        ("headline", "早安🙂", SlotErrorCode.MISSING_GLYPH),
        ("headline", "\ue000", SlotErrorCode.CONTROL_CHARACTER),
        ("photo", "portrait.jpg", SlotErrorCode.WRONG_KIND),
    ],
)
def test_a_value_that_does_not_belong_is_refused_by_its_code(manifest, slot, value, code):
    assert faults(manifest, **{slot: value})[slot].code is code


def test_an_image_where_words_belong_is_refused(manifest):
    found = faults(manifest, headline=ImageValue(picture()))

    assert found["headline"].code is SlotErrorCode.WRONG_KIND


def test_a_missing_glyph_is_named_and_the_rest_offered(manifest):
    fault = faults(manifest, headline="早安🙂")["headline"]

    assert "U+1F642" in fault.reason
    assert fault.fits == "早安"


@pytest.mark.parametrize("character", "𠮷㛃䶮𬶋𰻞")
def test_a_rare_character_of_a_name_is_accepted(manifest, character):
    assert fill(manifest, {"qr": URL, "name": character}).texts["name"] == character


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        picture("GIF"),
        picture("TIFF"),
        picture("BMP"),
        picture("JPEG")[:-300],
        picture("PNG", size=(400, 400))[:-60],
        picture("JPEG", size=(20, 20)),
        picture("PNG", size=(9000, 60)),
    ],
    ids=["empty", "svg", "gif", "tiff", "bmp", "half-jpeg", "half-png", "tiny", "too-wide"],
)
def test_a_picture_that_is_not_whole_and_plain_is_refused(manifest, data):
    # another part of the process may have asked Pillow to be forgiving
    ImageFile.LOAD_TRUNCATED_IMAGES = True

    assert faults(manifest, photo=ImageValue(data))["photo"].code is SlotErrorCode.BAD_IMAGE


def test_a_header_that_asks_for_much_memory_is_refused_before_decoding(manifest):
    honest = picture("PNG", size=(64, 64))
    bomb = honest[:16] + (30_000).to_bytes(4, "big") * 2 + honest[24:]

    assert faults(manifest, photo=ImageValue(bomb))["photo"].code is SlotErrorCode.BAD_IMAGE


def test_an_animated_picture_is_refused(manifest):
    target = io.BytesIO()
    frames = [Image.new("RGB", (60, 60), colour) for colour in ("red", "blue")]
    frames[0].save(target, "WEBP", save_all=True, append_images=frames[1:])

    fault = faults(manifest, photo=ImageValue(target.getvalue()))["photo"]
    assert fault.code is SlotErrorCode.BAD_IMAGE


def test_a_photo_is_turned_upright_and_loses_its_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "a camera that knows where it was"
    value = ImageValue(picture("JPEG", size=(120, 80), exif=exif.tobytes()))

    clean = clean_image(value)

    assert clean.pixels.size == (80, 120)
    assert b"camera" not in clean.data
    assert not Image.open(io.BytesIO(clean.data)).getexif()


def test_bytes_behind_the_picture_do_not_survive():
    clean = clean_image(ImageValue(picture("PNG") + b"PK\x03\x04 a hidden archive"))

    assert b"hidden archive" not in clean.data


@pytest.mark.parametrize(
    "value",
    [
        "a\0b",
        "\ud800",
        "\udfff早安",
        "早\u202e安",
        "\u2066早安\u2069",
        "早\u200b安",
        "早\ufeff安",
        "早\u00ad安",
        "👨\u200d👩\u200d👧\u200d👦",
        "🇨🇳",
        "❤️",
        "e" + "\u0301" * 1000,
        "字" + "\u20dd" * 1000,
        "\u2028早安",
        "\x85",
        "\ue000",
        "\U0010ffff",
        "ا" * 30,
        "早" * 1_000_000,
        "\n" * 1_000_000,
        " " * 1_000_000,
        "\u0301" * 1_000_000,
        "{{ 7 * 7 }}",
        "<script>alert(1)</script>",
        "</section><img src=file:///etc/passwd>",
        "&#x202e;",
        "url(file:///etc/passwd)",
        "''\"\"><b>",
    ],
)
@pytest.mark.parametrize("slot", ["headline", "name", "mood", "made_on", "qr"])
def test_whatever_is_typed_is_drawn_or_refused_with_a_reason(note, slot, value):
    """Nothing a person can send is an accident; what is drawn is drawn as it was typed."""
    refused, read_out = outcome(note, slot, value)

    assert set(refused) <= {slot}
    assert refused or read_out == "".join(value.split())


def outcome(note, slot, value):
    """The reasons by slot; and, where there are none, what the picture says in that slot."""
    values = {"qr": URL, slot: value}
    try:
        compose(note, values)
    except SlotErrors as caught:
        return {error.slot: error.reason.encode() for error in caught.errors}, ""
    lines = text_twin(note.manifest, fill(note.manifest, values))
    return {}, "".join("".join(line.text.split()) for line in lines if line.slot == slot)


@pytest.mark.parametrize("name", ["\ud800", "a" * 100_000, "\0", "<b>"])
def test_a_slot_that_does_not_exist_is_named_so_that_it_can_be_shown(manifest, name):
    with pytest.raises(SlotErrors) as refused:
        fill(manifest, {name: "x", "qr": URL})

    assert len(str(refused.value).encode()) < 300
