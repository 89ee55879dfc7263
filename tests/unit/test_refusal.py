"""Why a piece goes back is one text that people and the platform both read."""

from __future__ import annotations

from app.domain.review import Ground, Refusal


def test_a_refusal_is_read_back_as_it_was_written() -> None:
    refusal = Refusal(
        "请换成不承诺结果的说法。\n第二行也在。",
        (Ground.PROMISE, Ground.SOURCE),
        {"headline": "稳健前行\n不负时光", "message": "过去的表现不代表将来。"},
    )

    assert Refusal.from_text(refusal.to_text()) == refusal


def test_a_refusal_reads_as_plain_words() -> None:
    refusal = Refusal("请换一种说法。", (Ground.PROMISE,), {"headline": "稳健前行"})

    assert refusal.to_text() == "承诺或暗示收益\n请换一种说法。\n建议措辞〔headline〕：稳健前行"


def test_a_reason_from_elsewhere_is_all_words() -> None:
    assert Refusal.from_text("照片请换成本人的。") == Refusal("照片请换成本人的。")


def test_nothing_said_is_an_empty_text() -> None:
    assert Refusal("  ").to_text() == ""
