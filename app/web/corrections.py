"""What a correction is called: in the forms that begin one, and in the note that a stranger reads."""

from __future__ import annotations

from typing import Final

from app.domain.errors import InvalidInput
from app.domain.publication import CorrectionKind
from app.web.i18n import translate as _

_WORDS: Final[dict[CorrectionKind, str]] = {
    CorrectionKind.FIGURES: "数据或日期有误",
    CorrectionKind.WORDING: "表述不准确",
    CorrectionKind.OUTDATED: "信息已更新",
    CorrectionKind.LAYOUT: "版面调整",
    CorrectionKind.PROFILE: "客户经理资料更新",
}


def correction_choices() -> list[tuple[str, str]]:
    return [(kind.value, _(words)) for kind, words in _WORDS.items()]


def correction_words(kind: CorrectionKind | None) -> str:
    return _(_WORDS[kind]) if kind is not None else ""


def correction_kind(text: str | None) -> CorrectionKind:
    """The kind a form names. Raises InvalidInput for none."""
    try:
        return CorrectionKind(text or "")
    except ValueError:
        raise InvalidInput.of("kind", "unknown", _("请选择更正的原因。")) from None
