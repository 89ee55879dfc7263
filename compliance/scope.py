"""Why a forbidden word may stand where it stands.

About half of all lawful marketing texts contain a word of the list: in a negation, held up to be
refuted, in a question that is answered no, in a report of a penalty. A frame is recognised by what
opens it, by how far that reaches, and by what ends it:

- a *negator* governs the phrase behind it, up to the end of the clause;
- a *warning verb* (谨防, 别信) governs its object, in the same clause or in quotation marks;
- a *telling noun* (骗局, 话术, 罚单) colours its whole sentence, and what is quoted or listed under it;
- a *turn* to one's own product (我们这款…, 就找我) between the opening and the hit ends every frame,
  unless it stands in the same quotation marks as the hit;
- what is itself denied opens nothing: 谁说不能保本, 不保本才怪, 绝不是骗局 are no excuses.

A disclaimer elsewhere never cancels a promise. The frame that lowered a hit is named in the finding.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self

from compliance import cues
from compliance.speech import informing, tells

_SENTENCE_END = "。!?;\n"
_CLAUSE_END = _SENTENCE_END + ",:|"
_OPENING, _CLOSING = "“「『‘《【", "”」』’》】"


class Frame(StrEnum):
    """The contexts in which a hit is lawful."""

    NEGATION = "negation"
    REFUTATION = "refutation"
    ANSWER = "answer"
    LAW = "law"
    DEFINITION = "definition"
    QUIZ = "quiz"
    NAME = "name"
    LAWFUL_FACT = "lawful_fact"
    INFORMING = "informing"  # told of a whole piece, by `compliance.speech`


ALL_FRAMES = frozenset(Frame)
# insured deposits excuse a promise of principal, not a comparison with deposits
USUAL_FRAMES = ALL_FRAMES - {Frame.LAWFUL_FACT}

_LOOK_BACK = 60
_LOOK_AHEAD = 60
_FAR = 300
_LONGEST_TITLE = 30
_BARE_REACH = 4  # a bare 不 reaches the verb behind it, not a whole clause
_SAME_BREATH = 18
_TOLD_REACH = 120
_REPLY_REACH = 22
_BESIDE_BEFORE, _BESIDE_AFTER = 8, 14
_KEPT = 64  # what is known of so many surroundings is kept: several rules ask about the same


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands round a hit, within a bounded window."""

    far_before: str
    far_after: str
    before: str
    after: str
    sentence_before: str
    sentence_after: str
    hit: str
    quote: int  # how far before the hit the quotation opens in which it stands, -1 where in none

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Self:
        before = text[max(0, start - _LOOK_BACK) : start]
        after = text[end : end + _LOOK_AHEAD]
        return cls(
            text[max(0, start - _FAR) : start],
            text[end : end + _FAR],
            before,
            after,
            sentence_before=_tail(before, _SENTENCE_END),
            sentence_after=_head(after, _SENTENCE_END),
            hit=text[start:end],
            quote=_quotation(before, text[start:end] + after),
        )

    @property
    def quoted(self) -> bool:
        return self.quote >= 0

    @property
    def asks_either_way(self) -> bool:
        """Tell whether the hit is the second half of a question like 会不会亏, not shrugged off behind."""
        asked = cues.EITHER_WAY.match(self.before[-1:] + self.hit[:3]) or (
            cues.OR_ELSE.match(self.after) or (self.after[:1] in "不没" and self.hit[-1:] == self.after[1:2])
        )
        return bool(asked) and cues.SHRUGGED_OFF.match(self.after) is None

    @property
    def far_beyond(self) -> str:
        """Return what stands behind the quotation, or behind the hit."""
        if not self.quoted:
            return self.far_after
        ends = [at for char in _CLOSING + '"' if (at := self.far_after.find(char)) >= 0]
        return self.far_after[min(ends) + 1 :] if ends else self.far_after

    @property
    def quoting_sentence(self) -> str:
        """Return what stands before the quotation in its sentence, or before the hit."""
        outside = self.before[: len(self.before) - self.quote] if self.quoted else self.before
        return _tail(outside, _SENTENCE_END)


def judge(text: str, start: int, end: int, frames: frozenset[Frame] = ALL_FRAMES) -> str | None:
    """Return why the hit `text[start:end]` is lawful in its context, else `None`.

    `text` is normalised. The first frame that holds, in the order of `_READERS`, is named.
    """
    return _judged(_Context.of(text, start, end), frames)


@lru_cache(maxsize=_KEPT)
def _judged(context: "_Context", frames: frozenset[Frame]) -> str | None:
    for frame, read in _READERS:
        if frame in frames and (reason := read(context)) is not None:
            return reason
    return None


def is_plain(text: str, start: int, end: int) -> bool:
    """Tell whether a hit is said outright.

    It is not where it stands in quotation marks, beside a negation that no frame explains, or in a
    piece that warns, explains or reports: there a person decides, whatever the rule says.
    """
    context = _Context.of(text, start, end)
    beside = context.sentence_before[-_BESIDE_BEFORE:] + "□" + context.sentence_after[:_BESIDE_AFTER]
    if context.quoted or cues.NEGATES.search(cues.PSEUDO.sub("", cues.STANDING.sub("", beside))):
        return False
    return not _puts_on_guard(f"{context.far_before}{context.hit}{context.far_after}")


@lru_cache(maxsize=_KEPT)
def _alarm_in(piece: str) -> re.Match[str] | None:
    """Return what raises the alarm in a piece."""
    return _undenied(cues.GUARD, piece)


@lru_cache(maxsize=_KEPT)
def _puts_on_guard(piece: str) -> bool:
    """Tell whether anything in a piece warns, explains or reports."""
    return _alarm_in(piece) is not None or cues.MILD_GUARD.search(piece) is not None or tells(piece)


def _tail(text: str, ends: str) -> str:
    return text[max(text.rfind(char) for char in ends) + 1 :]


def _head(text: str, ends: str) -> str:
    return text[: min((at for char in ends if (at := text.find(char)) >= 0), default=len(text))]


def _quotation(before: str, after: str) -> int:
    """Return how many characters before the hit the quotation opens that it stands in."""
    opened = max(before.rfind(char) for char in _OPENING)
    closed = max(before.rfind(char) for char in _CLOSING)
    if opened > closed and any(char in after for char in _CLOSING):
        return len(before) - opened
    if before.count('"') % 2 and '"' in after:
        return len(before) - before.rfind('"')
    return -1


def _turns(between: str) -> bool:
    return cues.TURN.search(between) is not None


def _undenied(cue: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the last place where a cue stands that is not itself denied."""
    last = None
    for found in cue.finditer(text):
        if not _is_denied(text, found):
            last = found
    return last


def _first_undenied(cue: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next((found for found in cue.finditer(text) if not _is_denied(text, found)), None)


def _is_denied(text: str, found: re.Match[str]) -> bool:
    return cues.DENIED_CUE.search(text[max(0, found.start() - 5) : found.start()]) is not None


def _negated(context: _Context) -> str | None:
    if cues.ARRIVED.search(context.after):
        return None
    said_before = _unquoted(context.quoting_sentence).rstrip(_OPENING + '"')
    if context.quoted and (unsaid := cues.UNSAID.search(said_before)):
        return (
            None if cues.DOUBLED.search(unsaid.string[: unsaid.start()]) else f"否定表述：“{unsaid.group()}”"
        )
    clause = _tail(context.before, _CLAUSE_END)
    masked = cues.PSEUDO.sub(lambda found: "□" * len(found.group()), clause)
    if cues.ONE_AND_OTHER.match(context.after):
        return "对照着说明，一个如此，一个不如此"
    rest = context.hit + context.sentence_after[:_SAME_BREATH]
    ruled_out = cues.RULED_OUT.search(rest)
    if ruled_out is not None and not _turns(rest[ruled_out.end() :] + context.after[:_SAME_BREATH]):
        return f"说明这样不行：“{ruled_out.group()}”"
    nearest: re.Match[str] | None = None
    for found in cues.NEGATOR.finditer(masked):
        if cues.BRIDGE.fullmatch(masked, found.end()):
            nearest = found
    if nearest is None:
        return None
    if cues.DOUBLED.search(masked[: nearest.start()]) or cues.DENIED_AFTER.match(context.after):
        return None
    bridge = masked[nearest.end() :]
    if nearest.group() in cues.BARE and (len(bridge) > _BARE_REACH or cues.CONCEDED.search(bridge)):
        return None
    return f"否定表述：“{nearest.group()}”"


def _marked_wrong(context: _Context) -> str | None:
    before = cues.WRONG_MARK_BEFORE.search(context.before)
    if cues.WRONG_MARK.match(context.after) or (before and not cues.EXPLAINED.search(before.group())):
        return "判断题里标为错误的说法"
    if cues.EXPLAINED.search(context.sentence_before):
        return None  # what explains the answer is meant
    quiz = _undenied(cues.QUIZ, context.far_before)
    if quiz is not None and not _turns(cues.OPTION.sub("", _tail(context.far_before[quiz.end() :], "\n"))):
        return "题目里供判断的说法"
    return None


def _answered(context: _Context) -> str | None:
    """Recognise 能保本吗？不能: a question whose answer begins with a refusal; and 会不会亏."""
    if context.asks_either_way:
        return "只是提问，没有作出承诺"
    if cues.WHETHER.search(context.sentence_before + context.hit) and cues.HANGS_ON.match(context.after):
        return "只是提出问题，说明要看具体情况"
    if _declined(context):
        return "别人这样问、这样说，已作了否定回答"
    question = cues.QUESTION.match(context.after)
    if question is None or cues.RHETORICAL.match(context.sentence_before):
        return None
    answer = context.after[question.end() :]
    reply = cues.ANSWERED_NO.match(answer)
    if reply is None or cues.ANSWER_PSEUDO.search(answer[: reply.end() + 4]):
        return None
    return "提问之后作了否定回答"


def _declined(context: _Context) -> bool:
    """Tell whether the hit is what somebody asks or says, and the answer declines it."""
    asked = _last(cues.ASKS, context.far_before + context.hit)
    if asked is None:
        return False
    if cues.REPLIES.search((context.far_before + context.hit)[asked.end() :]):
        return False  # the hit stands in the answer
    answer = cues.REPLIES.search(context.far_after)
    if answer is None or answer.start() > _LOOK_AHEAD:
        return False
    reply = context.far_after[answer.end() : answer.end() + _REPLY_REACH]
    return cues.DECLINES.search(reply) is not None


def _last(cue: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(cue.finditer(text), key=re.Match.start, default=None)


def _defined(context: _Context) -> str | None:
    if _turns(context.sentence_after):
        return None  # R2就是不会亏的意思,放心选: explained in order to sell
    if cues.DEFINED_BEFORE.search(context.before) or cues.DEFINED_AFTER.match(context.after):
        return "在解释这个词的意思"
    defining = cues.DEFINING.search(context.sentence_before)
    if defining is not None and not _turns(defining.group()):
        return "在解释这个词的意思"
    return None


def _cited(context: _Context) -> str | None:
    # the sentences of a law are long
    law_before = _tail(context.far_before[: len(context.far_before) - max(0, context.quote)], _SENTENCE_END)
    law = cues.LAW.search(law_before)
    before = law_before
    if law and cues.LAW_VERB.search(before[law.start() :]) and not _turns(before[law.end() :]):
        return "引用法律法规"
    penalty = _undenied(cues.PENALTY, before)
    if penalty and not _turns(before[penalty.end() :]):
        return "通报、处罚案例"
    after = context.hit + _head(context.far_beyond[:_LOOK_AHEAD], _SENTENCE_END)
    penalty = cues.PENALTY.search(after)
    if penalty and not _turns(after[: penalty.start()]):
        return "通报、处罚案例"
    return None


def _refuted(context: _Context) -> str | None:
    return _warned_before(context) or _judged_after(context) or _listed(context) or _told_in_warning(context)


def _warned_before(context: _Context) -> str | None:
    before = context.quoting_sentence
    noun = _undenied(cues.TELLING_NOUN, before)
    if noun is not None and (cues.SAYS.match(before, noun.end()) or not _turns(before[noun.end() :])):
        return f"作为警示对象提及：“{noun.group()}”"
    verb = _undenied(cues.WARNING_VERB, before)
    if verb is None or _turns(before[verb.end() :]) or cues.SELLING_OBJECT.match(before, verb.end()):
        return None
    object_before = before[verb.end() :]
    if not context.quoted and ("," in _unquoted(object_before) or verb.group() in cues.PROMPTED):
        return None
    return f"作为警示对象提及：“{verb.group()}”"


def _judged_after(context: _Context) -> str | None:
    after = context.far_beyond[:_LOOK_AHEAD] if context.quoted else context.sentence_after
    if context.quoted and (disowned := cues.DISOWNED.search(context.far_beyond[:_LOOK_AHEAD])):
        return f"说明并非出自本机构：“{disowned.group()}”"
    closed = cues.CLOSING_QUOTE.match(after)
    if closed is not None:  # the hit itself reaches into a quotation
        after = after[closed.end() :]
    if (own := _undenied(cues.NAMED_FALSE, context.hit)) is not None:
        return f"作为警示对象提及：“{own.group()}”"
    reach = after if context.quoted else after[:_SAME_BREATH]
    later = _first_undenied(cues.VERDICT_AFTER, reach) or _first_undenied(cues.TELLING_NOUN, after)
    if later is None and cues.UNMASKED.search(context.sentence_before):
        after = context.after
        later = _first_undenied(cues.KEPT_AWAY, after)
    if later is None or _turns(after[: later.start()]):
        return None
    return f"作为警示对象提及：“{later.group()}”"


def _told_in_warning(context: _Context) -> str | None:
    """Recognise a piece that puts its readers on their guard and asks for nothing."""
    return _warning_in(f"{context.far_before}{context.hit}{context.far_after}")


@lru_cache(maxsize=_KEPT)
def _warning_in(piece: str) -> str | None:
    """Return by what a piece warns, asked once for all hits in a short one."""
    alarm = _alarm_in(piece)
    if alarm is None:
        mild = _undenied(cues.MILD_GUARD, piece)
        alarm = mild if mild is not None and informing(piece) is not None else None
    if alarm is None or cues.SELLING_OBJECT.match(piece, alarm.end()) or cues.ERRAND.search(piece):
        return None
    return f"全文在提醒防范：“{alarm.group()}”"


def _listed(context: _Context) -> str | None:
    """Recognise what is quoted, listed or told of others in a text that raises the alarm about it."""
    outside = context.far_before[: len(context.far_before) - max(0, context.quote)]
    item = cues.ITEM.search(context.before)
    told = cues.TOLD.search(outside[-_TOLD_REACH:]) is not None
    if not (context.quoted or item is not None or told):
        return None
    heading = _undenied(cues.ALARM, outside)
    led_in = outside[: len(outside) - len(item.group())] if item is not None else outside
    between = led_in[heading.end() :] if heading is not None else ""
    if heading is not None and (context.quoted or item is not None) and not _turns(_unquoted(between)):
        return f"引述后予以否定：“{heading.group()}”"
    if context.quoted or told:
        far = context.far_beyond
        alarm = cues.ALARM if context.quoted else cues.OUTCOME
        later = _first_undenied(alarm, far)
        told_to_sell = not context.quoted and cues.CALL.search(far) is not None
        if later is not None and not told_to_sell and not _turns(_unquoted(far[: later.start()])):
            return f"引述后予以否定：“{later.group()}”"
    return None


def _unquoted(text: str) -> str:
    return re.sub("[“「][^”」]*[”」]", "", text)


def _named(context: _Context) -> str | None:
    """Recognise a given name, or part of the title of a book or a law."""
    before, after = context.before, context.after
    titled = before.rfind("《") > before.rfind("》") and "》" in after[:_LONGEST_TITLE]
    if titled or cues.NAMED.match(after) or cues.CALLED.search(before):
        return "名称的一部分"
    return None


def _stated_by_law(context: _Context) -> str | None:
    near = _tail(context.before, "。") + _head(context.after, "。")
    if cues.INSURED.search(near) and not cues.NOT_INSURED.search(context.far_before + context.far_after):
        return "存款保险、国债等法律允许陈述的事实"
    return None


_READERS: tuple[tuple[Frame, Callable[[_Context], str | None]], ...] = (
    (Frame.NEGATION, _negated),
    (Frame.QUIZ, _marked_wrong),
    (Frame.ANSWER, _answered),
    (Frame.DEFINITION, _defined),
    (Frame.LAW, _cited),
    (Frame.REFUTATION, _refuted),
    (Frame.NAME, _named),
    (Frame.LAWFUL_FACT, _stated_by_law),
)
