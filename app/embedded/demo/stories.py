"""The stories of the demo: head office's pieces, one advisor's whole drawer, a full review queue."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.embedded.demo.people import LEFT, People
from app.embedded.demo.pieces import CARD, DAILY, POSTER, Ending, Handout, Story, is_licensed
from app.embedded.demo.timeline import Timeline

# A piece of an advisor's own is valid for thirty days: one approved before that has run out by now.
_EXPIRED_AFTER: Final = 31
_CLAIMED: Final = 3
# how many of one change have passed their first step
_HALF_WAY: Final = 3

_PATIENCE: Final = {"headline": "时间会奖励\n耐心的人"}
_SALON: Final = {
    "headline": "周末沙龙\n等您来坐",
    "message": "本周六下午三点，网点备好茶水，聊聊今年的资金安排。座位不多，想来的朋友提前告诉我一声。",
}
_ORIGIN: Final = {"message": "震荡市里更要记得当初为什么出发。这笔钱要用在哪里，什么时候用，先把它写下来。"}
# Words a person has to look at: the checker marks them, and they may be fine where they stand.
_DOUBTFUL: Final[Sequence[tuple[str, Mapping[str, str]]]] = (
    (
        POSTER,
        {
            "headline": "震荡市里\n先看清自己",
            "message": "连续三年业绩排名靠前的管理人也有亏的年份。先想清楚能承受多少，再谈投多少。",
        },
    ),
    (
        POSTER,
        {
            "headline": "选择\n比努力重要",
            "message": "连续三年业绩排名靠前的管理人值得了解，但过去不代表将来。想聊聊，随时找我。",
        },
    ),
    (
        POSTER,
        {
            "headline": "慢一点\n稳一点",
            "message": "连续三年业绩排名靠前的管理人，先看他的回撤。我们从风险等级讲起，一项一项看明白。",
        },
    ),
    (
        POSTER,
        {
            "headline": "少看一眼\n行情",
            "message": "连续三年排名靠前的产品也有风险，门槛和信息披露各不相同。想了解的，我讲给您听。",
        },
    ),
    (
        POSTER,
        {
            "headline": "听说的收益\n不算数",
            "message": "朋友圈里转的连续三年排名靠前，多半少写了一半。看产品，先看风险等级和说明书。",
        },
    ),
    (
        POSTER,
        {
            "headline": "先看回撤\n再看排名",
            "message": "连续三年业绩排名靠前的管理人值得了解，但过去不代表将来。",
        },
    ),
)
_SINGLES: Final[Sequence[tuple[str, Mapping[str, str]]]] = (
    (POSTER, {"headline": "风起时\n看好自己的船"}),
    (CARD, {"lead": "买之前先读懂这个数字：它是一把尺，不是一句承诺。"}),
    (DAILY, {"greeting": "天凉添衣"}),
    (CARD, {"lead": "客户问得最多的一个数字，五页讲清楚，看完再做决定。"}),
    (DAILY, {"greeting": "小雪安康", "phrase": "好好吃饭，慢慢赶路，\n常常想念。"}),
)
_HEADLINES: Final = (
    "慢慢来\n会比较快",
    "把心放稳\n把路走长",
    "先有计划\n再有从容",
    "不追风口\n只守计划",
)


class Cast:
    """Hands out advisors for stories, each one once, the licensed where the product asks for it."""

    def __init__(self, people: People, rng: random.Random) -> None:
        self._people = people
        # the two with logins of their own have their own stories
        self._left = [place for place in range(2, len(people.facts)) if place != LEFT]
        rng.shuffle(self._left)

    def next(self, slug: str, at: datetime, *, verified: bool | None = None) -> int:
        for place in self._left:
            facts = self._people.facts[place]
            if slug == POSTER and not is_licensed(self._people, place, at):
                continue
            shown = set(facts.verified_fields) | ({"photo"} if facts.photo_sha256 is None else set())
            complete = {"name", "title", "phone", "licence_no", "photo"} <= shown
            if verified is None or complete is verified:
                self._left.remove(place)
                return place
        raise LookupError("the cast is too small for the stories")


def all_stories(timeline: Timeline, people: People, rng: random.Random) -> list[Story]:
    """Every story, in no order; the timeline puts them into theirs."""
    cast = Cast(people, rng)
    queue = list(_queue(timeline, people, cast, rng))
    return [
        *_masters(timeline, people),
        *_drawer(timeline, people),
        *queue,
        *_others(timeline, people, cast, rng),
    ]


def _masters(t: Timeline, people: People) -> Iterator[Story]:
    """Head office's pieces: handed to everybody, to a tag, to a branch, waiting, ended, refused."""
    brand, operator = people.staff["brand"], people.staff["operator"]

    def soon(days: int) -> datetime:
        return t.now + timedelta(days=days)

    yield Story(
        brand,
        POSTER,
        t.working(29, 10, 5),
        Ending.PUBLISHED,
        {
            "headline": "时间会奖励\n有计划的人",
            "message": "每月投一点，不看一时高低。把计划写下来，照着走，比猜涨跌轻松得多。",
        },
        title="定投的耐心",
        handout=Handout(why="老客户最近问得最多：要不要停？先发这一张，再约时间细聊。", until=soon(40)),
    )
    yield Story(
        operator,
        CARD,
        t.working(27, 14, 20),
        Ending.PUBLISHED,
        title="一分钟读懂业绩比较基准",
        handout=Handout(why="客户问“这个数字就是我能拿到的吗”时，发这一组。", until=soon(60)),
    )
    yield Story(
        operator,
        DAILY,
        t.working(9, 16, 40),
        Ending.PUBLISHED,
        # dated for the day the demo begins on, as head office would prepare it ahead
        {
            "date": t.day(0).isoformat(),
            "greeting": "早安",
            "phrase": "天亮得慢一点也没关系，\n路是一步一步走出来的。",
        },
        title="早安 · 慢慢赶路",
        handout=Handout(why="早上八点前后发，配一句自己的近况。", until=soon(20)),
    )
    yield Story(
        brand,
        POSTER,
        t.working(20, 11, 30),
        Ending.PUBLISHED,
        {
            "kicker": "私人银行",
            "headline": "把远方\n交给计划",
            "message": "孩子读书、父母养老、自己的下半场，三件事三笔钱。哪一笔先动，我们一起排个次序。",
        },
        title="私行客户 · 三笔钱",
        handout=Handout(tags=("私行",), why="年末回访私行客户时先发，打开话题。", until=soon(30)),
    )
    yield Story(
        operator,
        POSTER,
        t.working(15, 9, 50),
        Ending.PUBLISHED,
        {
            "kicker": "上海分行",
            "headline": "这个周末\n来聊聊计划",
            "message": "本周六上午十点，上海各网点备好茶水，一起看看今年的资金安排。欢迎提前与我约时间。",
        },
        title="上海 · 周末咨询日",
        handout=Handout(unit="SH", why="上海各网点周六咨询日邀约。", until=soon(14)),
    )
    yield Story(
        operator,
        CARD,
        t.working(12, 15, 15),
        Ending.PUBLISHED,
        {
            "issue": "第十三期",
            "lead": "理财不是存款，净值会有起落。这五页讲的是：那个数字从哪里来，又不代表什么。",
        },
        title="净值会动，先读懂这把尺",
        handout=Handout(unit="HZ", why="杭州分行投资者教育月配套。", until=soon(18)),
    )
    yield Story(
        brand,
        DAILY,
        t.working(36, 10, 0),
        Ending.PUBLISHED,
        {"greeting": "换季安康", "phrase": "今天的您，\n也值得一句温柔的早安。"},
        title="换季问候",
        handout=Handout(why="降温前一天发。", until=t.when(19, 23, 59)),
    )
    yield Story(
        operator,
        POSTER,
        t.working(24, 10, 30),
        Ending.TAKEN_DOWN,
        {
            "headline": "岁末\n给账户做次体检",
            "message": "一年将尽，用半小时看看钱都放在哪里、各自承担多少风险，明年从容一些。",
        },
        title="岁末资产体检（旧版）",
        handout=Handout(why="岁末回访。", until=soon(30)),
        ended_at=t.working(6, 11, 10),
        reason="活动细则有调整，请停止转发；新版审核通过后会重新发放。",
    )
    yield Story(
        brand,
        DAILY,
        t.working(4, 14, 0),
        Ending.PUBLISHED,
        {"greeting": "冬日安好", "phrase": "好好吃饭，慢慢赶路，\n常常想念。"},
        title="冬日问候（定时）",
        handout=Handout(why="下周降温时自动上线。", starts=soon(5), until=soon(25)),
    )
    yield Story(
        operator,
        POSTER,
        t.working(3, 10, 10),
        Ending.APPROVED,
        {
            "headline": "岁末\n给账户做次体检",
            "message": "用半小时看看钱都放在哪里、各自承担多少风险。先看清，再决定明年怎么安排。",
        },
        title="岁末资产体检（新版）",
    )
    yield Story(
        brand,
        POSTER,
        t.working(5, 15, 30),
        Ending.CHANGES_REQUESTED,
        {
            "headline": "配置\n没有标准答案",
            "message": "多元配置是不少家庭的热门思路，它分散风险，但不能消除风险。我们从家庭账本聊起。",
        },
        title="多元配置小课堂",
        reason="“热门”容易被理解为从众推荐，建议改为“可选的”；其余内容可以保留。",
    )
    yield Story(
        operator,
        POSTER,
        t.working(11, 16, 0),
        Ending.REJECTED,
        {
            "headline": "看业绩\n更看人",
            "message": "长期业绩优异的团队是怎样工作的？用一张图带您走近他们的一天。",
        },
        title="走近投研团队",
        reason="“业绩优异”没有数据来源和统计区间，且海报篇幅放不下完整的业绩披露，建议换一个主题。",
    )
    yield Story(
        brand, DAILY, t.now - timedelta(hours=20), Ending.DRAFT, {"greeting": "岁末安康"}, title="岁末问候"
    )
    yield Story(
        operator,
        CARD,
        t.now - timedelta(hours=26),
        Ending.QUEUED,
        {"issue": "第十四期", "lead": "比较基准、历史净值、风险等级，三样放在一起看，才不容易看错。"},
        title="三个数字放在一起看",
    )
    yield Story(
        brand,
        POSTER,
        t.now - timedelta(hours=5),
        Ending.QUEUED,
        {
            "headline": "新手上路\n先系安全带",
            "message": "第一次买基金，先从了解自己开始：钱什么时候用、能接受多大起伏。定投也会亏损。",
        },
        title="新手第一课",
    )


def _drawer(t: Timeline, people: People) -> Iterator[Story]:
    """What lies in 李知遥's drawer, one piece of each kind; and the newcomer's first attempts."""
    me, newcomer = people.advisors[0], people.advisors[1]
    yield Story(
        me,
        POSTER,
        t.working(12, 9, 40),
        Ending.PUBLISHED,
        {
            "headline": "跌的时候\n也有我陪您",
            "message": "账面起伏的日子最难熬。想说说心里话、对对计划，随时叫我，我一直在。",
        },
        title="陪伴 · 写给老客户",
    )
    yield Story(me, DAILY, t.when(1, 7, 45), Ending.PUBLISHED, {"phrase": "心里有数的人，\n脚步都不慌。"})
    yield Story(
        me,
        CARD,
        t.working(20, 13, 30),
        Ending.PUBLISHED,
        {"lead": "上周有客户问我：写着的数字，到期就能拿到吗？五页讲清楚。"},
        title="写给问“能拿到多少”的您",
    )
    yield Story(me, DAILY, t.when(_EXPIRED_AFTER + 3, 7, 50), Ending.PUBLISHED, title="早安 · 一句问候")
    yield Story(
        me,
        POSTER,
        t.working(18, 10, 10),
        Ending.TAKEN_DOWN,
        _SALON,
        title="周末沙龙邀请",
        ended_at=t.working(8, 9, 30),
        reason="沙龙已经结束，海报上的时间过期，请勿再转发。",
    )
    yield Story(
        me,
        POSTER,
        t.working(4, 16, 20),
        Ending.CHANGES_REQUESTED,
        {
            "headline": "给孩子\n存一份耐心",
            "message": "定投是很多家庭的热门选择，但它同样会有亏损。为孩子准备的这笔钱，先想好用在哪一年。",
        },
        title="给孩子的计划",
        reason="“热门选择”容易被理解为从众推荐，建议改为“可选方式之一”，其余写得很好。",
    )
    yield Story(
        me,
        POSTER,
        t.working(7, 11, 0),
        Ending.REJECTED,
        {
            "headline": "换个思路\n看收益",
            "message": "高收益低风险是很多人的期待，今天聊聊它为什么很难同时出现。",
        },
        title="聊聊期待",
        reason="客户只看到前半句就会误解为产品特点。建议换成“收益和风险总是一起来”，重新制作一张。",
    )
    yield Story(me, DAILY, t.working(6, 8, 5), Ending.WITHDRAWN, {"greeting": "周末愉快"}, title="周末问候")
    yield Story(me, POSTER, t.now - timedelta(minutes=95), Ending.QUEUED, _PATIENCE, title="时间与耐心")
    yield Story(
        me,
        CARD,
        t.now - timedelta(minutes=40),
        Ending.DRAFT,
        {"lead": "给新客户准备的五页：先认识风险，再认识收益。"},
        title="写给新客户",
    )
    yield Story(newcomer, DAILY, t.now - timedelta(hours=3), Ending.QUEUED, title="第一张早安图")
    yield Story(newcomer, CARD, t.now - timedelta(minutes=30), Ending.DRAFT)


def _queue(t: Timeline, people: People, cast: Cast, rng: random.Random) -> Iterator[Story]:
    """Thirty-six more for the reviewers: identical changes, unverified profiles, doubtful words."""

    def waiting(slug: str, entered: Mapping[str, str], *, verified: bool | None = None) -> Story:
        # most came in the last hours, a few lie since the day before
        minutes = 8 + min(rng.expovariate(1 / 260), 1700)
        made_at = t.now - timedelta(minutes=minutes)
        place = cast.next(slug, made_at, verified=verified)
        return Story(people.advisors[place], slug, made_at, Ending.QUEUED, entered)

    for _ in range(11):
        yield waiting(POSTER, _PATIENCE)
    for _ in range(7):
        yield waiting(DAILY, {}, verified=False)
    for number in range(5):
        story = waiting(POSTER, _ORIGIN)
        story.half_way = number < _HALF_WAY
        yield story
    for number, (slug, entered) in enumerate((*_DOUBTFUL, *_SINGLES)):
        story = waiting(slug, entered)
        story.claimed = number < _CLAIMED
        yield story
    for minutes in (2.5, 2.0):
        # handed in a moment ago: the worker finds them when it starts
        made_at = t.now - timedelta(minutes=minutes) - timedelta(minutes=3)
        place = cast.next(POSTER, made_at)
        yield Story(people.advisors[place], POSTER, made_at, Ending.CHECKING, _PATIENCE)


def _others(t: Timeline, people: People, cast: Cast, rng: random.Random) -> Iterator[Story]:
    """What other advisors made and have in use, or had."""

    def by_somebody(slug: str, made_at: datetime, *, verified: bool | None = None) -> Story:
        place = cast.next(slug, made_at, verified=verified)
        return Story(people.advisors[place], slug, made_at, Ending.PUBLISHED)

    for number in range(6):
        slug = DAILY if number % 3 else POSTER
        yield by_somebody(slug, t.when(1 + rng.randrange(22), 7 + rng.randrange(13), 17), verified=True)
    for number, headline in enumerate(_HEADLINES):
        story = by_somebody(POSTER, t.working(5 + number * 3, 9 + number, 25))
        story.entered = {"headline": headline}
        yield story
    yield by_somebody(DAILY, t.when(_EXPIRED_AFTER + 2, 8, 10), verified=True)
    refused = by_somebody(POSTER, t.working(9, 15, 10))
    refused.entered, refused.ending = _DOUBTFUL[3][1], Ending.REJECTED
    refused.reason = "排名没有出处和起止时间，不能这样写，请换一个主题。"
    yield refused
