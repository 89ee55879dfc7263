"""Values into slots: everything wrong with them is said at once, slot by slot."""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from templates_lib import fonts
from templates_lib.manifest import MAX_SLOT_CHARS, Slot, SlotKind, TemplateManifest
from templates_lib.pictures import BadImageError, ImageValue, check_image
from templates_lib.qr import QrError, check_url

Value = str | ImageValue
_V = TypeVar("_V")

_LONGEST = 2 * MAX_SLOT_CHARS


class SlotErrorCode(StrEnum):
    REQUIRED = "required"
    TOO_LONG = "too_long"
    UNKNOWN_SLOT = "unknown_slot"
    LOCKED = "locked"
    NOT_IN_PHRASES = "not_in_phrases"
    CONTROL_CHARACTER = "control_character"
    MISSING_GLYPH = "missing_glyph"
    OVERFLOW = "overflow"
    BAD_IMAGE = "bad_image"
    BAD_DATE = "bad_date"
    BAD_URL = "bad_url"
    WRONG_KIND = "wrong_kind"


@dataclass(frozen=True, slots=True)
class SlotError:
    """One thing wrong with one slot. `fits` is the longest beginning that would do, if any."""

    slot: str
    code: SlotErrorCode
    reason: str
    fits: str | None = None


class SlotErrors(ValueError):
    """All that is wrong with a set of values."""

    code = "slots"

    def __init__(self, errors: tuple[SlotError, ...]) -> None:
        super().__init__("; ".join(f"{error.slot}: {error.reason}" for error in errors))
        self.errors = errors

    def in_size(self, label: str) -> "SlotErrors":
        """The same, said of one size of a design that comes in several."""
        return SlotErrors(tuple(replace(error, reason=f"{label}：{error.reason}") for error in self.errors))


@dataclass(frozen=True, slots=True)
class Filled:
    """Values that a template accepts, defaults filled in.

    `texts` holds every slot but the pictures (dates as ISO text, QR codes as their address; an
    empty optional slot is an empty text). `images` holds the pictures that were given.
    """

    manifest: TemplateManifest
    texts: Mapping[str, str]
    images: Mapping[str, ImageValue]

    def date(self, name: str) -> dt.date | None:
        text = self.texts[name]
        return dt.date.fromisoformat(text) if text else None


def fill(
    manifest: TemplateManifest,
    values: Mapping[str, Value],
    *,
    given: Mapping[str, Value | None] = MappingProxyType({}),
    checked: Filled | None = None,
) -> Filled:
    """Check values against the slots. Raises SlotErrors with everything that is wrong.

    A slot that is left out takes its default; one given as an empty text stays empty. What was
    `given` before, and found good as it stands in `checked`, is not checked again.
    """
    errors: list[SlotError] = []
    texts: dict[str, str] = {}
    images: dict[str, ImageValue] = {}
    known = {slot.name for slot in manifest.slots}
    errors.extend(
        SlotError(_shown(name), SlotErrorCode.UNKNOWN_SLOT, f"模板没有名为 {_shown(name)} 的槽位")
        for name in values
        if name not in known
    )
    for slot in manifest.slots:
        value = values.get(slot.name)
        if checked is not None and slot.name in given and given[slot.name] == value:
            if slot.name in checked.texts:
                texts[slot.name] = checked.texts[slot.name]
            else:
                images.update({slot.name: value} if isinstance(value, ImageValue) else {})
            continue
        if slot.locked and value is not None:
            errors.append(SlotError(slot.name, SlotErrorCode.LOCKED, f"「{slot.label}」已锁定，不能修改"))
            continue
        if slot.kind is SlotKind.IMAGE:
            error = _image_fault(slot, value)
            if isinstance(value, ImageValue) and error is None:
                images[slot.name] = value
        else:
            text = slot.default or "" if value is None else value
            error = _text_fault(slot, text)
            if isinstance(text, str):
                texts[slot.name] = _tidy(text)
        if error is not None:
            errors.append(error)
    if errors:
        raise SlotErrors(tuple(errors))
    return Filled(manifest, MappingProxyType(texts), MappingProxyType(images))


def _shown(name: str) -> str:
    """A name that is none of ours, so that a page can hold it: short, and every sign printable."""
    return repr(name)[1:-1][:80]


def without_omitted(manifest: TemplateManifest, values: Mapping[str, _V]) -> dict[str, _V]:
    """A design's values as the size of this manifest takes them: without the slots it omits."""
    omitted = manifest.drawn_as.omits if manifest.drawn_as else frozenset()
    return {name: value for name, value in values.items() if name not in omitted}


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _image_fault(slot: Slot, value: Value | None) -> SlotError | None:
    if value is None or value == "":
        if slot.required:
            return SlotError(slot.name, SlotErrorCode.REQUIRED, f"请上传「{slot.label}」")
        return None
    if not isinstance(value, ImageValue):
        return SlotError(slot.name, SlotErrorCode.WRONG_KIND, f"「{slot.label}」需要一张图片")
    try:
        check_image(value)
    except BadImageError as error:
        return SlotError(slot.name, SlotErrorCode.BAD_IMAGE, str(error))
    return None


def _text_fault(slot: Slot, value: Value) -> SlotError | None:
    if not isinstance(value, str):
        return SlotError(slot.name, SlotErrorCode.WRONG_KIND, f"「{slot.label}」需要文字")
    if len(value) > _LONGEST:
        # not looked at sign by sign: nobody typed this
        reason = f"「{slot.label}」有 {len(value)} 个字，远超过可以印出的长度"
        return SlotError(slot.name, SlotErrorCode.TOO_LONG, reason)
    text = _tidy(value)
    if not text:
        if slot.required:
            return SlotError(slot.name, SlotErrorCode.REQUIRED, f"请填写「{slot.label}」")
        return None
    odd = _first_control_character(text, may_break=slot.max_lines != 1)
    if odd is not None:
        reason = f"「{slot.label}」含有不可见的控制字符 U+{ord(odd):04X}"
        clean = "".join(c for c in text if _first_control_character(c, may_break=False) is None)
        return SlotError(slot.name, SlotErrorCode.CONTROL_CHARACTER, reason, clean)
    if slot.max_chars is not None and len(text) > slot.max_chars:
        reason = f"「{slot.label}」最多 {slot.max_chars} 个字，现有 {len(text)} 个"
        return SlotError(slot.name, SlotErrorCode.TOO_LONG, reason, text[: slot.max_chars])
    match slot.kind:
        case SlotKind.PHRASE if text not in slot.phrases:
            reason = f"「{slot.label}」请从备选语句中选择"
            return SlotError(slot.name, SlotErrorCode.NOT_IN_PHRASES, reason)
        case SlotKind.DATE:
            return _date_fault(slot, text)
        case SlotKind.QR:
            return _url_fault(slot, text)
        case _:
            pass
    return _glyph_fault(slot, text)


def _glyph_fault(slot: Slot, text: str) -> SlotError | None:
    missing = fonts.missing_glyphs(text)
    if not missing:
        return None
    shown = "、".join(f"{character}（U+{ord(character):04X}）" for character in missing)
    drawable = "".join(character for character in text if character not in missing)
    reason = f"「{slot.label}」中的 {shown} 暂无字形，无法印出"
    return SlotError(slot.name, SlotErrorCode.MISSING_GLYPH, reason, drawable)


def _first_control_character(text: str, *, may_break: bool) -> str | None:
    """Find the first character that is unassigned, a control, a direction mark or half a pair."""
    if text.isprintable():
        return None  # nearly every value: no control, no mark, nothing unassigned
    for character in text:
        if character == "\n" and may_break:
            continue
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            # Python's tables may be older than our fonts: what a face draws is a character
            if unicodedata.category(character) == "Cn" and ord(character) in fonts.covered_characters():
                continue
            return character
    return None


def _date_fault(slot: Slot, text: str) -> SlotError | None:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return SlotError(slot.name, SlotErrorCode.BAD_DATE, f"「{slot.label}」请写成 2026-11-21 的样子")
    return None


def _url_fault(slot: Slot, text: str) -> SlotError | None:
    try:
        check_url(text)
    except QrError as error:
        return SlotError(slot.name, SlotErrorCode.BAD_URL, str(error))
    return None
