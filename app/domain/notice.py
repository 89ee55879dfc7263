"""Who is told what when something happens: one table over the acts that the audit trail records.

Nobody is told of what they did themselves, nobody is told twice of one act, and what is not in the
table is told to nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Audience(StrEnum):
    """Whom an act concerns, found from its subject."""

    MAKER = "maker"  # the advisor of a piece; of one for everybody, those who made it
    ASSIGNED = "assigned"  # whose item a step of a review is
    HOLDERS = "holders"  # advisors who have a copy of a piece with links of their own
    CONFIRMERS = "confirmers"  # who else may confirm a recall
    PROPOSER = "proposer"  # who asked for a recall
    RECALL_HOLDERS = "recall_holders"  # who must acknowledge a recall and has not
    REMINDED = "reminded"  # the one advisor that a reminder is for
    ADVISOR = "advisor"  # the person a profile is of
    USERS = "users"  # whose public pieces stem from a version of a design
    CHANGER = "changer"  # the person whose profile was to change
    ASKER = "asker"  # who asked for an evidence pack


class Reach(StrEnum):
    """How far a notice goes: QUIET stays on the page, LOUD is also sent out by mail."""

    QUIET = "quiet"
    LOUD = "loud"


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """One line of the table. `words` may name the {title} of what it is about.

    `only_by_people` leaves out what the platform did by itself at once. `to_team` says it in the
    colleagues' group chat as well, once, whoever else is told.
    """

    audience: Audience
    words: str
    link: str  # where it leads, with the {subject} or {piece} it is about
    reach: Reach = Reach.QUIET
    only_by_people: bool = False
    to_team: bool = False


_WORK, _REVIEW, _RECALL = "/works/{piece}", "/reviews/{subject}", "/recalls/{subject}"

NOTICES: Final[Mapping[str, tuple[NoticeRule, ...]]] = MappingProxyType(
    {
        "review:open": (NoticeRule(Audience.ASSIGNED, "《{title}》等您审核。", _REVIEW),),
        "review:approve_step": (
            NoticeRule(Audience.ASSIGNED, "《{title}》的前一步已通过，等您审核。", _REVIEW),
        ),
        "review:assign": (NoticeRule(Audience.ASSIGNED, "《{title}》转到了您名下，等您审核。", _REVIEW),),
        "review:escalate": (
            NoticeRule(
                Audience.ASSIGNED, "《{title}》就要到期了，请尽快审核。", _REVIEW, Reach.LOUD, to_team=True
            ),
        ),
        "review:lapse": (
            NoticeRule(
                Audience.MAKER, "《{title}》没有在期限内审完，已自动撤回，可以再送一次。", _WORK, Reach.LOUD
            ),
        ),
        "piece:approve": (
            NoticeRule(Audience.MAKER, "《{title}》已通过，可以使用了。", _WORK, only_by_people=True),
        ),
        "piece:request_changes": (
            NoticeRule(
                Audience.MAKER, "《{title}》请您修改后再送审，位置和措辞都已标出。", _WORK, Reach.LOUD
            ),
        ),
        "piece:reject": (NoticeRule(Audience.MAKER, "《{title}》没有通过，原因在里面。", _WORK, Reach.LOUD),),
        "publication:taken_down": (
            NoticeRule(Audience.HOLDERS, "《{title}》已下架，请不要再发。", "/today", Reach.LOUD),
            NoticeRule(Audience.MAKER, "《{title}》已下架。", _WORK),
        ),
        "publication:expired": (NoticeRule(Audience.MAKER, "《{title}》到期了，链接会提示已过期。", _WORK),),
        "recall:propose": (
            NoticeRule(
                Audience.CONFIRMERS,
                "有人提议召回“{title}”，等第二个人确认。",
                _RECALL,
                Reach.LOUD,
                to_team=True,
            ),
        ),
        "recall:confirm": (
            NoticeRule(
                Audience.RECALL_HOLDERS, "“{title}”已召回：请停止使用，并在今日页确认。", "/today", Reach.LOUD
            ),
            NoticeRule(Audience.PROPOSER, "您提议的召回“{title}”已确认并生效。", _RECALL),
        ),
        "recall:cancel": (NoticeRule(Audience.PROPOSER, "您提议的召回“{title}”没有执行。", _RECALL),),
        "recall:remind": (
            NoticeRule(Audience.REMINDED, "“{title}”已召回，您还没有确认停止使用。", "/today", Reach.LOUD),
        ),
        "template:upgrade_ask": (
            NoticeRule(Audience.USERS, "模板“{title}”有了新版，请用新版重做您在用的作品。", "/works"),
        ),
        "profile:approve": (NoticeRule(Audience.CHANGER, "您的资料更改已通过，作品可以刷新了。", "/works"),),
        "profile:reject": (
            NoticeRule(Audience.CHANGER, "您的资料更改没有通过，原资料照旧。", "/me", Reach.LOUD),
        ),
        "profile:notice": (
            NoticeRule(Audience.ADVISOR, "您的资料就要到期，请确认一次，否则不再印上。", "/me", Reach.LOUD),
        ),
        "evidence:export": (
            NoticeRule(Audience.ASKER, "证据包做好了，7 天内可以下载：{title}。", "/archive/evidence"),
        ),
        "evidence:fail": (
            NoticeRule(Audience.ASKER, "证据包没有做成，原因在里面：{title}。", "/archive/evidence"),
        ),
        "advisor:verify": (NoticeRule(Audience.ADVISOR, "您的资料核验有更新，请看一看。", "/me"),),
    }
)


def rules_for(tag: str, *, by_machine: bool) -> tuple[NoticeRule, ...]:
    """The lines of the table that an act sets off."""
    return tuple(rule for rule in NOTICES.get(tag, ()) if not (by_machine and rule.only_by_people))
