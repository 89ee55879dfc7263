"""How many texts the checker judges a second, beside what only looks words up.

    python -m benchmarks.compliance_speed [--json] [--seconds S] [--pieces N]

Ours is the whole engine with all packs: normaliser, patterns, sound, scope, disclosures; the terms are
an institution's own words on top. The peers get the same words and do nothing but find them. Clean
texts are put together from lawful sentences, hitting ones have a promise or one of the words about
every hundred characters. No text comes again before the engine has forgotten it; how fast it answers for
texts it remembers is a line of its own. Figures of one core are of the processor's time, so that
neighbours on the machine do not count; those of `--pieces` are of the clock, on two processes.

`pip install -e .[bench]` brings pyahocorasick and ahocorasick_rs; without them their rows are left out.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from daachorse import CharwiseDoubleArrayAhoCorasick

from compliance.check import check
from compliance.document import Channel, Document, FieldKind, Sector, TextField
from compliance.match import KEPT_LENGTH, KEPT_READINGS
from compliance.report import Verdict
from compliance.ruleset import Ruleset, load_ruleset

TERM_COUNTS: Final = (500, 5_000, 50_000)
LENGTHS: Final = (200, 5_000)
_SEED: Final = 20261127
_EVERY: Final = 100  # characters between two hits
_P99_LENGTH: Final = 2_000
_FORGOTTEN: Final = 2 * KEPT_READINGS  # after so many others a text is read anew
_REMEMBERED: Final = 100

_LAWFUL: Final = """
秋分过后早晚温差大，请注意添衣保暖。|本周六上午我行网点照常营业，欢迎到店办理业务。
理财知识小课堂：投资之前，先了解自己的风险承受能力。|央行数据显示，九月末广义货币余额同比增长8.3%。
债券的价格和市场利率像跷跷板，一头高了另一头就低。|养老规划要趁早，可以从记一个月的账开始。
如需了解更多，请查阅产品说明书和风险揭示书。|手机银行新版本上线，转账步骤更少，字也更大。
近期电信网络诈骗多发，请不要向陌生人透露验证码。|客户经理张敏，愿意听您把需求慢慢说完。
指数基金跟踪特定指数，费率通常低于主动管理型基金。|人民路支行新装了无障碍坡道，轮椅可以直接进门。
家庭的账本分四格：日常开销、应急、保障和长远打算。|国庆期间部分网点轮休，具体安排以门口公告为准。
社区金融课堂讲了怎样识别假币，叔叔阿姨听得很认真。|下雨天路滑，到店办事请慢些走，门口备有雨伞。
净值每天都会变动，可能上涨也可能下跌，请理性看待。|信用卡账单日过后二十天左右是还款日，可设置提醒。
我们走访了三家种粮大户，听他们讲今年的收成和难处。|保险条款里的等待期和免赔额，签字前值得读两遍。
中秋将至，祝您和家人平安喜乐，月圆人也圆。|新市民开户可带居住证，材料清单贴在大厅左手边。
"""
_SENTENCES: Final = [one for line in _LAWFUL.splitlines() for one in line.split("|") if one]
_OFFENCES: Final = (
    "这款稳赚不赔，放心。", "跌了我给你补上。", "年年都有8个点到手。", "零風險，閉眼買。",
    "保·本型，bǎo本的。", "错过今天再等一年。", "比存银行强多了。", "专家一致推荐这只基金。",
)  # fmt: skip


class _Words:
    """Rare words of jieba's dictionary as the terms, and texts with and without them."""

    def __init__(self, count: int) -> None:
        self.random = random.Random(_SEED)
        import jieba

        lines = Path(jieba.__file__).with_name("dict.txt").read_text("utf-8").splitlines()
        ordinary = "".join(_SENTENCES)
        rare = [
            word
            for word, frequency, _ in (line.split(" ", 2) for line in lines)
            if 2 <= len(word) <= 5 and int(frequency) <= 3 and word not in ordinary
        ]
        self.listed = sorted(self.random.sample(rare, count))

    def texts(self, length: int, count: int, *, hitting: bool) -> list[str]:
        made = []
        for _ in range(count):
            text = ""
            due = _EVERY // 2
            while len(text) < length:
                if hitting and len(text) >= due:
                    due += _EVERY
                    text += self.random.choice((*_OFFENCES, self.random.choice(self.listed) + "。"))
                text += self.random.choice(_SENTENCES)
            made.append(text[:length])
        return made


def rate(judge: Callable[[str], object], texts: Sequence[str], seconds: float) -> float:
    """Return texts a second of processor time, over at least so many seconds of it."""
    judge(texts[0])
    done = 0
    start = time.process_time()
    while (spent := time.process_time() - start) < seconds:
        judge(texts[done % len(texts)])
        done += 1
    return done / spent


def _judge(ruleset: Ruleset) -> Callable[[str], object]:
    return lambda text: check(Document.of_text(text, Sector.BANK, Channel.POSTER), ruleset)


def peers(words: Sequence[str]) -> Iterator[tuple[str, Callable[[str], object]]]:
    """Yield every peer, ready to search a text."""
    yield "daachorse", CharwiseDoubleArrayAhoCorasick(list(words)).find_overlapping
    if find_spec("ahocorasick_rs") is not None:
        import ahocorasick_rs

        yield "ahocorasick_rs", ahocorasick_rs.AhoCorasick(list(words)).find_matches_as_indexes
    if find_spec("ahocorasick") is not None:
        import ahocorasick

        tree = ahocorasick.Automaton()
        for word in words:
            tree.add_word(word, word)
        tree.make_automaton()
        yield "pyahocorasick", lambda text: list(tree.iter(text))
    expression = re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))
    yield "re alternation", lambda text: [found.span() for found in expression.finditer(text)]
    import jieba

    jieba.setLogLevel("ERROR")
    jieba.initialize()
    listed = frozenset(words)
    yield "jieba and a set", lambda text: [word for word in jieba.lcut(text) if word in listed]


def measure_rates(seconds: float) -> list[dict[str, Any]]:
    shipped = load_ruleset()
    rows: list[dict[str, Any]] = []
    for count in TERM_COUNTS:
        words = _Words(count)
        start = time.process_time()
        ruleset = shipped.with_words(dict.fromkeys(words.listed))
        built = time.process_time() - start
        engines = [("imprimatur", _judge(ruleset)), *peers(words.listed)]
        for length in LENGTHS:
            for hitting in (False, True):
                texts = words.texts(length, _FORGOTTEN if length <= KEPT_LENGTH else 100, hitting=hitting)
                timed = [(name, rate(judge, texts, seconds)) for name, judge in engines]
                if length <= KEPT_LENGTH:
                    again = texts[:_REMEMBERED]
                    deque(map(engines[0][1], again * 2), maxlen=0)  # what came twice is remembered
                    timed.insert(1, ("the same, remembered", rate(engines[0][1], again, seconds)))
                rows += (
                    {
                        "engine": name,
                        "terms": count,
                        "characters": length,
                        "texts": "hitting" if hitting else "clean",
                        "texts_a_second": round(a_second, 1),
                    }
                    for name, a_second in timed
                )
        rows.append({"engine": "imprimatur", "terms": count, "build_seconds": round(built, 3)})
    return rows


def measure_latency(count: int = 400) -> dict[str, Any]:
    """Return how long one text of two thousand characters takes, half of them hitting."""
    words = _Words(TERM_COUNTS[0])
    judge = _judge(load_ruleset())
    texts = words.texts(_P99_LENGTH, count // 2, hitting=False)
    texts += words.texts(_P99_LENGTH, count // 2, hitting=True)
    for text in texts:
        judge(text)
    spent = []
    for text in texts:
        start = time.process_time()
        judge(text)
        spent.append((time.process_time() - start) * 1000)
    cuts = statistics.quantiles(spent, n=100)
    return {"characters": _P99_LENGTH, "p50_ms": round(cuts[49], 2), "p99_ms": round(cuts[98], 2)}


def share_clean() -> float:
    """Return the share of the clean texts of 200 characters that pass: they should."""
    texts = _Words(TERM_COUNTS[0]).texts(LENGTHS[0], 200, hitting=False)
    judge = _judge(load_ruleset())
    passed = [getattr(judge(text), "verdict", None) in {Verdict.PASS, Verdict.WARN} for text in texts]
    return sum(passed) / len(passed)


def pieces_on_the_shelf(seed: int, count: int) -> Iterator[Document]:
    """Give so many pieces: a headline, a body, a name, a disclosure; the bodies of few offend.

    Headlines, names and disclosures come again, as they do; no body does.
    """
    words = _Words(TERM_COUNTS[0])
    words.random.seed(seed)
    heads = words.texts(20, 200, hitting=False)
    bodies = words.texts(160, 200, hitting=False) + words.texts(160, 20, hitting=True)
    for number in range(count):
        yield Document(
            fields=(
                TextField("title", heads[number % len(heads)]),
                TextField("body", bodies[number % len(bodies)] + str(number)),
                TextField("advisor", "张敏 客户经理 江海银行人民路支行", FieldKind.PROFILE),
                TextField("risk", "理财非存款、产品有风险、投资须谨慎。", FieldKind.DISCLOSURE),
            ),
            sector=Sector.BANK,
            channel=Channel.POSTER,
        )


def _recheck(seed: int, count: int) -> int:
    """Judge so many pieces anew, and say how many stop."""
    ruleset = load_ruleset()
    verdicts = [check(piece, ruleset).verdict for piece in pieces_on_the_shelf(seed, count)]
    return sum(verdict.rank >= Verdict.REVIEW.rank for verdict in verdicts)


def measure_recheck(pieces: int) -> dict[str, Any]:
    """Return how long two processes take to judge all live pieces anew, start included."""
    chunk = 2_500
    seeds = range(max(1, pieces // chunk))
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        stopped = sum(pool.map(_recheck, seeds, [chunk] * len(seeds)))
    return {
        "pieces": chunk * len(seeds),
        "seconds": round(time.perf_counter() - start, 1),
        "stopped": stopped,
        "processes": 2,
    }


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, nargs="?", const=Path("-"), help="JSON instead of a table")
    parser.add_argument("--seconds", type=float, default=1.0, help="processor time for each figure")
    parser.add_argument("--pieces", type=int, default=0, help="judge so many pieces anew on two processes")
    options = parser.parse_args(argv)
    result = {
        "ruleset": load_ruleset().version,
        "rules": len(load_ruleset().rules),
        "clean_texts_passed": share_clean(),
        "latency": measure_latency(),
        "rates": measure_rates(options.seconds),
        "recheck": measure_recheck(options.pieces) if options.pieces else None,
    }
    if options.json is None:
        print_table(result)
    elif options.json == Path("-"):
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        options.json.write_text(json.dumps(result, ensure_ascii=False, indent=2), "utf-8")


def print_table(result: dict[str, Any]) -> None:
    print(f"{result['rules']} rules; {result['clean_texts_passed']:.0%} of the clean texts pass")
    latency = result["latency"]
    print(f"a text of {latency['characters']}: p50 {latency['p50_ms']} ms, p99 {latency['p99_ms']} ms")
    for row in result["rates"]:
        if "build_seconds" in row:
            print(f"{row['terms']:6} terms built in {row['build_seconds']} s")
            continue
        print(
            f"{row['terms']:6} terms {row['characters']:5} characters {row['texts']:8}"
            f" {row['engine']:20} {row['texts_a_second']:>11,.0f} texts a second"
        )
    if result["recheck"]:
        again = result["recheck"]
        print(f"{again['pieces']:,} pieces judged anew by two processes in {again['seconds']} s")


if __name__ == "__main__":
    main()
