"""Whether a person did it: what clients say of themselves, and what is made of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tracking import (
    EventFacts,
    EventKind,
    Hit,
    HitClass,
    LinkChannel,
    classify_hit,
    day_of,
    fold_day,
    source_of,
)

PEOPLE = {
    "WeChat, iPhone": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50(0x1800323d) NetType/WIFI Language/zh_CN",
    "WeChat, Android": "Mozilla/5.0 (Linux; Android 14; V2309A; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160083 MMWEBSDK/20240501 MMWEBID/4023 "
    "MicroMessenger/8.0.50.2701(0x28003255) WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64",
    "WeCom": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 wxwork/4.1.26 MicroMessenger/7.0.1 Language/zh ColorScheme/Light",
    "QQ browser": "Mozilla/5.0 (Linux; U; Android 13; zh-cn; PGT-AN00) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Version/4.0 Chrome/109.0.5414.86 MQQBrowser/14.6 Mobile Safari/537.36",
    "a phone called Cubot": "Mozilla/5.0 (Linux; Android 12; CUBOT X50) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36",
    "Sogou's browser": "Mozilla/5.0 (Linux; Android 10; zh-cn) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/84.0.4147.89 SogouMSE,SogouMobileBrowser/6.4.3 Mobile Safari/537.36",
    "Alipay": "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Mobile/15E148 NebulaSDK/1.8.100112 Nebula AliApp(AP/10.5.70) "
    "AlipayClient/10.5.70 Language/zh-Hans",
}
PREVIEWERS = {
    "iMessage": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) "
    "Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "X": "Twitterbot/1.0",
    "WhatsApp": "WhatsApp/2.23.20.0",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "QQ looks whether it is safe": "Mozilla/5.0 (Linux; U; Android 4.4.2; zh-cn; GT-I9500 Build/KOT49H) "
    "AppleWebKit/537.36 (KHTML, like Gecko)Version/4.0 MQQBrowser/5.0 QQ-URL-Manager Mobile Safari/537.36",
}
BOTS = {
    "Baidu": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "Sogou": "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
    "Bytedance": "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
    "a headless browser": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "HeadlessChrome/126.0.0.0 Safari/537.36",
    "a script": "python-requests/2.32.3",
    "curl": "curl/8.9.1",
    "okhttp alone": "okhttp/4.12.0",
    "nothing said": "",
}


def hit(user_agent: str, *, method: str = "GET", purpose: str = "", **staff: bool) -> Hit:
    return Hit.cropped(method=method, user_agent=user_agent, purpose=purpose, **{"signed_in": False, **staff})


@pytest.mark.parametrize("user_agent", PEOPLE.values(), ids=PEOPLE)
def test_a_person_is_taken_for_a_person(user_agent: str) -> None:
    assert classify_hit(hit(user_agent))[0] is HitClass.HUMAN


@pytest.mark.parametrize("user_agent", PREVIEWERS.values(), ids=PREVIEWERS)
def test_what_draws_a_card_is_a_preview(user_agent: str) -> None:
    assert classify_hit(hit(user_agent)) == (HitClass.PREVIEW, "link preview client")


@pytest.mark.parametrize("user_agent", BOTS.values(), ids=BOTS)
def test_a_machine_is_a_bot(user_agent: str) -> None:
    assert classify_hit(hit(user_agent))[0] is HitClass.BOT


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender", "Preview"])
def test_a_page_fetched_without_being_shown_is_a_preview(purpose: str) -> None:
    phone = PEOPLE["WeChat, iPhone"]
    assert classify_hit(hit(phone, purpose=purpose)) == (HitClass.PREVIEW, "prefetch")


def test_asking_only_for_the_head_is_a_preview() -> None:
    assert classify_hit(hit(PEOPLE["WeCom"], method="HEAD"))[0] is HitClass.PREVIEW


def test_staff_are_apart_whatever_they_use() -> None:
    assert classify_hit(hit(PEOPLE["WeCom"], signed_in=True))[0] is HitClass.INTERNAL
    assert classify_hit(hit(BOTS["curl"], signed_in=True))[0] is HitClass.INTERNAL


def test_a_browser_that_staff_once_signed_in_with_stays_apart() -> None:
    assert classify_hit(hit(PEOPLE["WeCom"], of_staff=True)) == (HitClass.INTERNAL, "browser of staff")


@pytest.mark.parametrize(
    ("client", "source"),
    [
        ("WeChat, iPhone", "wechat"),
        ("WeChat, Android", "wechat"),
        ("WeCom", "wecom"),
        ("Alipay", "alipay"),
        ("QQ browser", "browser"),
    ],
)
def test_the_app_a_visitor_came_in_is_told_apart(client: str, source: str) -> None:
    assert source_of(PEOPLE[client]) == source


def test_a_day_ends_at_midnight_where_the_customers_live() -> None:
    assert day_of(datetime(2026, 11, 22, 15, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert day_of(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)


IDS = [uuid4() for _ in range(3)]
facts = st.builds(
    EventFacts,
    kind=st.sampled_from(EventKind),
    hit_class=st.sampled_from(HitClass),
    piece_id=st.sampled_from(IDS),
    advisor_id=st.sampled_from(IDS),
    org_unit_id=st.sampled_from(IDS),
    channel=st.sampled_from(LinkChannel),
    occurred_at=st.integers(0, 72).map(
        lambda hours: datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hours)
    ),
)


@given(st.lists(facts, max_size=60))
def test_folding_loses_no_event_and_invents_none(events: list[EventFacts]) -> None:
    counts = fold_day(events)
    assert sum(count.raw for count in counts.values()) == len(events)
    assert sum(count.human for count in counts.values()) == sum(
        event.hit_class is HitClass.HUMAN for event in events
    )


@given(st.lists(facts, max_size=60), st.randoms(use_true_random=False))
def test_folding_does_not_care_in_which_order_events_came(events, random) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert fold_day(shuffled) == fold_day(events)
