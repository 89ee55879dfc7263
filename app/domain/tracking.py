"""What happened on a link, and whether a person did it."""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

# The days of a tenant's figures are days where its customers live.
TENANT_ZONE: Final = ZoneInfo("Asia/Shanghai")

# The code on pictures that nobody has published yet: it leads to a page that says so.
PREVIEW_CODE: Final = "preview"

_CODE_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ"
CODE_PATTERN = re.compile(rf"[{_CODE_ALPHABET}]{{10}}")


class EventKind(StrEnum):
    SCAN = "scan"  # arrived by the QR code in the picture
    CLICK = "click"  # arrived by the link
    FORWARD = "forward"  # opened a page that somebody else had passed on
    VIEW = "view"  # the page was really shown, said by the page itself
    LEAD = "lead"  # left contact details, with consent


# How somebody came; every arrival is exactly one of these.
ARRIVALS: Final = frozenset({EventKind.SCAN, EventKind.CLICK, EventKind.FORWARD})


def day_of(at: datetime) -> date:
    """The day an instant belongs to in every figure."""
    return at.astimezone(TENANT_ZONE).date()


class HitClass(StrEnum):
    """Counted, but apart: only HUMAN enters the figures called reach."""

    HUMAN = "human"
    PREVIEW = "preview"
    BOT = "bot"
    INTERNAL = "internal"


class LinkChannel(StrEnum):
    """Where a link is used. QR is the code inside the picture."""

    QR = "qr"
    MOMENTS = "moments"
    GROUP = "group"
    OA = "oa"
    SMS = "sms"
    OFFLINE = "offline"


def channel_onwards(channel: LinkChannel) -> LinkChannel:
    """The channel of a link that is followed from a page: that is not a scan, so never the QR's own."""
    return LinkChannel.OFFLINE if channel is LinkChannel.QR else channel


def new_short_code() -> str:
    """Ten unambiguous signs, 57 bits: cannot be guessed, can be typed."""
    return "".join(secrets.choice(_CODE_ALPHABET) for _ in range(10))


@dataclass(frozen=True, slots=True)
class Hit:
    """One request as the edge saw it, cropped to what classing needs."""

    method: str
    user_agent: str
    purpose: str
    signed_in: bool
    of_staff: bool = False  # nobody is signed in now, but somebody once did in this browser

    @classmethod
    def cropped(
        cls,
        *,
        method: str,
        user_agent: str | None,
        purpose: str | None,
        signed_in: bool,
        of_staff: bool = False,
    ) -> "Hit":
        return cls(method[:8], (user_agent or "")[:400], (purpose or "")[:40], signed_in, of_staff)


# Fetchers that draw a card or look whether an address is safe; no person looks. Each name is what
# the client itself sends. Chat apps whose fetcher bears no name of its own cannot be told apart
# here: what they fetch is an arrival, and only the page that was really shown is a view.
_PREVIEW = re.compile(
    r"facebookexternalhit|facebot|twitterbot|telegrambot|slackbot|slack-imgproxy|linkedinbot"
    r"|discordbot|pinterestbot|redditbot|viber|skypeuripreview|snap url preview"
    r"|qq-url-manager|dingtalkbot|larkurlparser|feishu.*bot|vkshare|iframely|embedly|bitlybot"
    r"|google-pagerenderer|bingpreview|^whatsapp/",
    re.IGNORECASE,
)
# "cubot" and "sogoumobilebrowser" are a phone and a browser that people use.
_BOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|headless|phantomjs|electron-fetch|ia_archiver|archive\.org"
    r"|^(?:python|curl|wget|go-http-client|java|okhttp|libwww|apache-httpclient|axios|node|undici"
    r"|ruby|perl|php|dart|httpie|aiohttp|postmanruntime)\b"
    r"|python-requests|python-httpx|scrapy|pingdom|uptimerobot|statuscake|lighthouse|check_http",
    re.IGNORECASE,
)
_NOT_SHOWN = ("prefetch", "prerender", "preview")


def classify_hit(hit: Hit) -> tuple[HitClass, str]:
    """The class of a hit and the reason for it, strongest evidence first.

    Only what a client says of itself is used, so a bot that calls itself a browser passes here:
    every hit is kept with its reason, and can be judged again.
    """
    if hit.signed_in:
        return HitClass.INTERNAL, "signed in as staff"
    if hit.of_staff:
        return HitClass.INTERNAL, "browser of staff"
    if hit.method == "HEAD":
        return HitClass.PREVIEW, "HEAD request"
    if any(word in hit.purpose.lower() for word in _NOT_SHOWN):
        return HitClass.PREVIEW, "prefetch"
    if not hit.user_agent.strip():
        return HitClass.BOT, "no user agent"
    if _PREVIEW.search(hit.user_agent):
        return HitClass.PREVIEW, "link preview client"
    if _BOT.search(hit.user_agent):
        return HitClass.BOT, "automated client"
    return HitClass.HUMAN, "browser"


def source_of(user_agent: str) -> str:
    """The app the visitor came in: wecom, wechat, alipay, dingtalk or browser."""
    ua = user_agent.lower()
    if "wxwork" in ua:
        return "wecom"
    if "micromessenger" in ua:
        return "wechat"
    if "alipayclient" in ua:
        return "alipay"
    if "dingtalk" in ua:
        return "dingtalk"
    return "browser"


def truncated_ip(address: str | None) -> str:
    """The network a visitor came from, without the host: /24 for IPv4, /48 for IPv6."""
    if not address:
        return ""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address):
        # what a socket for both families calls an IPv4 caller; all of them share the first 48 bits
        ip = ip.ipv4_mapped or ip
    prefix = 24 if ip.version == 4 else 48  # noqa: PLR2004 - the IP versions
    return str(ipaddress.ip_network(f"{ip}/{prefix}", strict=False).network_address)


def visitor_hash(day_key: bytes, address: str, user_agent: str) -> str:
    """A visitor's pseudonym for one day; the key is destroyed, so days cannot be joined."""
    return hmac.new(day_key, f"{address}\0{user_agent}".encode(), hashlib.sha256).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class EventFacts:
    """What folding a day looks at."""

    kind: EventKind
    hit_class: HitClass
    piece_id: UUID
    advisor_id: UUID
    org_unit_id: UUID
    channel: LinkChannel
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class RollupKey:
    day: date
    piece_id: UUID
    advisor_id: UUID
    org_unit_id: UUID
    channel: LinkChannel
    kind: EventKind


@dataclass(frozen=True, slots=True)
class RollupCount:
    """human ≤ raw: raw is every event, human those a person made."""

    human: int
    raw: int


def fold_day(events: Iterable[EventFacts]) -> dict[RollupKey, RollupCount]:
    """Count events by day, piece, advisor, unit, channel and kind; pure, so it can be repeated."""
    human: Counter[RollupKey] = Counter()
    raw: Counter[RollupKey] = Counter()
    for event in events:
        key = RollupKey(
            day_of(event.occurred_at),
            event.piece_id,
            event.advisor_id,
            event.org_unit_id,
            event.channel,
            event.kind,
        )
        raw[key] += 1
        if event.hit_class is HitClass.HUMAN:
            human[key] += 1
    return {key: RollupCount(human[key], count) for key, count in raw.items()}
