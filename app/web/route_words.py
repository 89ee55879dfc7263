"""What risks, channels, reasons and steps are called on the pages."""

from __future__ import annotations

from typing import Final

from flask import Flask

from app.domain.errors import InvalidInput
from app.domain.review import Reason
from app.domain.route import Risk, StepState, UseChannel
from app.web.i18n import translate

RISKS: Final[dict[Risk, str]] = {
    Risk.LOW: "低：未命中规则，文字和设计都有人看过",
    Risk.MEDIUM: "中：有新写的文字、未放行的设计或未核验的资料",
    Risk.HIGH: "高：检测要求人工细看",
}
RISK_NAMES: Final[dict[Risk, str]] = {Risk.LOW: "低风险", Risk.MEDIUM: "中风险", Risk.HIGH: "高风险"}
CHANNELS: Final[dict[UseChannel, str]] = {
    UseChannel.MOMENTS: "朋友圈",
    UseChannel.GROUP: "社群",
    UseChannel.WECOM: "企业微信",
    UseChannel.OFFICIAL_ACCOUNT: "公众号",
    UseChannel.PRINT: "线下印刷",
}
REASONS: Final[dict[Reason, str]] = {
    Reason.CLEARED_DESIGN: "设计已由合规放行",
    Reason.VERIFIED_PROFILE: "个人资料均已核验",
    Reason.POOL_PHRASES: "文字取自推荐语库或模板默认",
    Reason.CARRIED: "与上次通过时相同",
    Reason.APPROVED_PIECE: "作品已通过审核",
    Reason.VERDICT: "检测结果",
    Reason.OWN_WORDS: "自行填写",
    Reason.UNVERIFIED: "资料未核验",
    Reason.DESIGN_NOT_CLEARED: "设计尚未放行",
    Reason.FOR_EVERYBODY: "面向全员",
}
VERDICTS: Final = {"block": "禁止", "review": "需细看", "warn": "提示", "pass": "未命中"}
STEP_STATES: Final[dict[StepState, str]] = {
    StepState.WAITING: "未开始",
    StepState.OPEN: "进行中",
    StepState.PASSED: "已通过",
    StepState.ENDED: "未进行",
}


def channel_choices() -> list[tuple[str, str]]:
    """Where a piece may be meant to be shown, to choose from."""
    return [(value.value, translate(words)) for value, words in CHANNELS.items()]


def chosen_channel(value: str | None) -> UseChannel | None:
    """What a form says; None where it says nothing of it. Raises InvalidInput for anything else."""
    if not value:
        return None
    try:
        return UseChannel(value)
    except ValueError:
        raise InvalidInput.of("channel", "unknown", translate("请从列表里选择使用渠道。")) from None


def reason_words(code: str, labels: dict[str, str] | None = None) -> str:
    """A reason in words; what stands behind its colon is a slot's label or a verdict."""
    kind, _, about = code.partition(":")
    words = translate(REASONS[Reason(kind)])
    if not about:
        return words
    known = VERDICTS if kind == Reason.VERDICT else (labels or {})
    return f"{words}：{translate(known[about]) if about in known else about}"


def register_route_words(app: Flask) -> None:
    """Give templates the filters `reason_words`, `risk_words`, `step_words` and `channel_words`."""
    app.add_template_filter(lambda channel: translate(CHANNELS[UseChannel(channel)]), "channel_words")
    app.add_template_filter(reason_words, "reason_words")
    app.add_template_filter(lambda risk: translate(RISK_NAMES[Risk(risk)]), "risk_words")
    app.add_template_filter(lambda state: translate(STEP_STATES[StepState(state)]), "step_words")
