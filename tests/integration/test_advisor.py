"""A profile, what of it is verified, and the portrait that may be printed."""

from __future__ import annotations

import io
from datetime import date

import pytest
from PIL import Image
from sqlalchemy import select

from app.bootstrap import Platform
from app.domain.advisor import ProfileField
from app.domain.errors import AccessDenied, InvalidInput, Missing, UnsupportedFile
from app.domain.organisation import Scope
from app.models.asset import Asset
from app.queries.advisor import advisors
from app.services.access import own_advisor
from app.services.advisor import (
    Profile,
    change_profile,
    create_advisor,
    open_account,
    portrait_of,
    upload_portrait,
    verify_fields,
)
from app.services.handover import leave
from app.services.profile import decide_change, open_change
from app.services.rendition import asset_key
from tests.factories import House

PIXELS = 10_000_000


@pytest.fixture
def house(platform: Platform) -> House:
    return House.build(platform, templates=False)


def picture(kind: str = "JPEG", size: tuple[int, int] = (300, 400), mode: str = "RGB", **options) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, 90 if mode == "L" else None).save(out, kind, **options)
    return out.getvalue()


def upload(
    house: House, data: bytes, *, who: str = "advisor", attested: bool = True, most_pixels: int = PIXELS
):
    with house.by(who) as uow:
        return upload_portrait(uow, data, attested=attested, most_pixels=most_pixels)


def stored(house: House) -> Image.Image:
    house.approve_profiles()
    with house.by("advisor") as uow:
        found = portrait_of(uow, own_advisor(uow))
    assert found is not None
    return Image.open(io.BytesIO(found.data))


def rotated_with_place() -> bytes:
    """A picture on its side that also says where it was taken."""
    image = Image.new("RGB", (400, 300), (200, 30, 30))
    exif = image.getexif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    exif[0x010F] = "CANARY-CAMERA"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_portrait_is_kept_as_a_jpeg_of_ours(house, kind):
    asset = upload(house, picture(kind))

    assert (asset.kind, asset.content_type) == ("portrait", "image/jpeg")
    assert stored(house).size == (300, 375)
    assert "本人" in asset.rights


def test_a_portrait_is_turned_upright_and_says_nothing_of_where_it_was_taken(house):
    data = rotated_with_place()
    assert b"CANARY-CAMERA" in data
    upload(house, data)

    kept = stored(house)
    assert kept.size == (300, 375)
    assert not kept.getexif()
    with house.by("advisor") as uow:
        key = asset_key(uow, own_advisor(uow).photo_sha256)
    assert b"CANARY" not in house.platform.store.get(key)


def test_what_follows_the_picture_in_its_file_is_gone(house):
    upload(house, picture() + b"PK\x03\x04 and a <script> CANARY")

    house.approve_profiles()
    with house.by("advisor") as uow:
        assert b"CANARY" not in portrait_of(uow, own_advisor(uow)).data


def test_a_transparent_picture_stands_on_white(house):
    upload(house, picture("PNG", mode="RGBA"))

    assert stored(house).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        picture()[:200],
        picture(size=(20, 20)),
        picture("PNG", size=(9_000, 60)),
        picture("WEBP", save_all=True, append_images=[Image.new("RGB", (300, 400), "red")]),
    ],
    ids=["empty", "cut", "tiny", "huge", "animated"],
)
def test_a_picture_that_cannot_be_printed_is_refused_with_its_reason(house, data):
    with pytest.raises(InvalidInput) as refused:
        upload(house, data)
    assert refused.value.faults[0].field == "photo"
    assert list(house.platform.store.keys("assets/")) == []


@pytest.mark.parametrize(
    "data",
    [b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture("GIF", mode="L"), picture("TIFF"), b"%!PS-Adobe"],
    ids=["svg", "gif", "tiff", "eps"],
)
def test_a_file_is_judged_by_its_content_and_other_kinds_are_never_decoded(house, data):
    with pytest.raises(UnsupportedFile):
        upload(house, data)


def test_a_picture_beyond_the_limit_is_refused_by_its_header(house):
    with pytest.raises(InvalidInput) as refused:
        upload(house, picture(), most_pixels=300 * 400 - 1)
    assert refused.value.faults[0].code == "too_many_pixels"


def test_nothing_is_kept_without_the_word_that_it_may_be_used(house):
    with pytest.raises(InvalidInput) as refused:
        upload(house, picture(), attested=False)
    assert refused.value.faults[0].field == "attested"
    with house.platform.sessions() as session:
        assert session.scalars(select(Asset)).all() == []


def test_a_portrait_is_nobodys_face_until_a_second_person_agrees(house):
    upload(house, picture())
    with house.by("advisor") as uow:
        advisor = own_advisor(uow)
        change = open_change(uow, advisor.id)
        assert advisor.photo_sha256 is None
    with house.by("reviewer") as uow:
        decide_change(uow, change.id, approve=True)
    with house.by("advisor") as uow:
        advisor = own_advisor(uow)
        assert advisor.photo_sha256 == change.after["photo"]
        assert "photo" in advisor.verified_fields


def test_only_what_is_there_can_be_vouched_for(house):
    advisor_id = house.people["advisor"].advisor_id
    with house.by("administrator") as uow:
        verified = verify_fields(uow, advisor_id, set(ProfileField)).verified_fields
    # there is no photo to vouch for
    assert verified == ["name", "title", "phone", "licence_no"]


def test_what_the_institution_states_is_verified_and_what_it_empties_is_not(house):
    with house.by("administrator") as uow:
        advisor = create_advisor(
            uow,
            house.units["/HQ/SH/"],
            "N1",
            Profile("新人", title="理财经理", licence_until=date(2027, 1, 1)),
        )
    assert advisor.verified_fields == ["name", "title"]
    with house.by("administrator") as uow:
        advisor = change_profile(uow, advisor.id, Profile("新人", licence_no="S9", tags=["养老"]))
        change = open_change(uow, advisor.id)
    # what is printed nowhere holds at once
    assert (advisor.verified_fields, advisor.tags) == (["name", "title"], ["养老"])
    with house.by("reviewer") as uow:
        advisor = decide_change(uow, change.id, approve=True).advisor
    assert advisor.verified_fields == ["name", "licence_no"]


def test_every_fault_of_a_profile_is_said_at_once(house):
    with pytest.raises(InvalidInput) as refused, house.by("administrator") as uow:
        create_advisor(
            uow, house.units["/HQ/SH/"], "a b", Profile("", title="长" * 41, phone="1", tags=["x" * 21])
        )
    assert {fault.field for fault in refused.value.faults} == {"staff_no", "name", "title", "phone", "tags"}


def test_an_advisor_of_another_branch_is_missing_and_nobody_else_may_change_profiles(house):
    advisor_b = house.people["advisor_b"].advisor_id
    with pytest.raises(AccessDenied), house.by("branch_head") as uow:
        change_profile(uow, advisor_b, Profile("x"))
    with pytest.raises(Missing), house.by("administrator") as uow:
        change_profile(uow, house.units["/HQ/"], Profile("x"))


def test_whoever_leaves_can_no_longer_act_as_an_advisor(house):
    with house.by("administrator") as uow:
        leave(uow, house.people["advisor"].advisor_id)
    with pytest.raises(Missing), house.by("advisor") as uow:
        own_advisor(uow)


def test_an_account_is_opened_once_under_the_staff_number(house):
    with house.by("administrator") as uow:
        advisor = create_advisor(uow, house.units["/HQ/SH/"], "N1", Profile("新人"))
        assert open_account(uow, advisor.id, "long enough for us").login == "N1"
    with pytest.raises(InvalidInput), house.by("administrator") as uow:
        open_account(uow, advisor.id, "long enough for us")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("知遥", ["李知遥"]),
        ("lizhiyao", ["李知遥"]),
        ("LZY", ["李知遥"]),
        ("oy", ["欧阳𠮷"]),
        ("𠮷", ["欧阳𠮷"]),
        ("李 lzy", ["李知遥"]),
        ("%", []),
        ("nobody", []),
    ],
)
def test_somebody_is_found_by_name_sound_and_initials(house, search, found):
    with house.by("administrator") as uow:
        page = advisors(uow.session, Scope(("/HQ/",)), search=search)
    assert [line.name for line in page.rows] == found


def test_a_list_shows_only_its_own_part_of_the_tree(house):
    with house.by("administrator") as uow:
        page = advisors(uow.session, Scope(("/HQ/SZ/",)))
    assert [line.name for line in page.rows] == ["欧阳𠮷"]
