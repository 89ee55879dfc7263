"""Why a forbidden word may stand where it stands.

About half of all lawful marketing texts contain a word of the list: in a negation, quoted to
be refuted, in a question that is answered no, in a report of a penalty. Each frame is
recognised by its own words close to the hit, and the frame that lowered a hit is named in
the finding. A disclaimer elsewhere never cancels a promise, and 谁说不能保本 is no negation.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

_SENTENCE_END = "。!?;\n"
_CLAUSE_END = _SENTENCE_END + ",:|"


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


ALL_FRAMES = frozenset(Frame)
# insured deposits excuse a promise of principal, not a comparison with deposits
USUAL_FRAMES = ALL_FRAMES - {Frame.LAWFUL_FACT}

# Negators strong enough to govern a whole phrase.
_STRONG = (
    "不得|不能|不可能|不可|不会|不承诺|不保证|不存在|不支持|不属于|不提供|不作|不做|不等于|不等同|"
    "不代表|不意味|不意味着|不构成|不预示|不表示|不是|不应|不该|不准|不许|不要|不再|不敢|不建议|不追求|不谈|"
    "不展示|不写|不发|不说|不讲|不涉及|并不|并非|从不|绝不|决不|概不|均不|都不|也不|亦不|"
    "未必|未承诺|不一定|不见得|没有|没人|没法|无法|无权|难以|谈不上|算不上|说不上|"
    "禁止|严禁|禁用|杜绝|拒绝|勿|切勿|请勿|莫|别|别信|别指望|甭|"
    "谁也不|谁都不|谁敢|唔系|唔会|唔包|唔保|唔|≠|不在|不向|未授权|未开展|未从事|从未|唔等于|唔好|冇|非|不|无须|无需|没"
)
# What may stand between a negator and the phrase it governs.
_PHRASE = "[^,。!?;:\\n|“”「」]{0,9}?"
_BRIDGE = f'["“「《\'‘]?{_PHRASE}(?:[”」"]?(?:、|和|或|及|或者|与)["“「]?{_PHRASE}){{0,4}}["“「《\'‘]?'
_NEGATOR = re.compile(_STRONG)
_GOVERNED = re.compile(_BRIDGE)

_WEAK_NEGATORS = frozenset({"非", "不", "没", "莫", "勿", "无需", "无须", "冇", "别", "唔"})
_WEAK_REACH = 4  # a bare 不 reaches the verb behind it, not a whole clause

# These contain a negator and negate nothing.
_PSEUDO = re.compile(
    "不得不|不愧|不只|不仅|不光|不但|不单|不止|不管|不论|不用|不必|不怕|不错|不断|不少|不妨|不同|"
    "不限|不看|不变|不久|不操心|不费|不涨|不加|不受|不碰|不追高|不抄底|不吹|不黑|不骗|不方便|不好意思|不好明说|"
    "不跌|不亏|不赔|不懂|不动|不担心|不低于|不少于|不超过|不及|不过|不凡|不由|不禁|不如|不足|"
    "非常|非凡|除非|莫非|莫名|莫大|别的|别家|别人|别墅|特别|个别|区别|级别|差别|分别|识别|性别|告别|"
    "没问题|没错|没事|没的说|没得说|没得挑|没见过|没听说|没空|没时间|没亏|没输|没跌|未来|冇得输|"
    "不涨价|不见不散|别犹豫|别错过|别等|别怪|别纠结|别再|别问|别管|别想|别熬|别浪费|不动脑|不盯盘|"
    "不保险|不操|无需|无须|不出|不想|不来|不买|不上车|不下车|不说谎|不套路"
)
_DOUBLED = re.compile(
    "(?:谁说|谁讲|哪个说|谁敢说|难道|怎么会|怎么可能|怎会|哪能|哪会|岂能|岂会)"
    "[^,。!?;\n]{0,4}$"
    "|(?:没有|不是|并非|不可能|不会|没人|没有人)[^,。!?;、\n]?$"
)
_DENIED_AFTER = re.compile(
    "[^。!?;\n]{0,8}?(?:才怪|才是怪事|才是新闻|那是没见过|我倒立|我直播)|[^,。!?;\n]{0,4}才怪"
)

# Words that hold a phrase up to be refuted, before it …
_HELD_UP_BEFORE = re.compile(
    "谨防|警惕|当心|小心|提防|防范|防止|远离|拒绝|抵制|识破|识别|揭秘|揭穿|打击|整治|凡是|凡自称|凡称|凡宣称|凡以|凡拿|"
    "声称|宣称|自称|号称|谎称|妄称|鼓吹|打着|噱头|所谓|轻信|听信|相信|盲从|别信|勿信|不信|冒充|假冒|"
    "(?:收到|遇到|听到|碰到|看到|接到)(?=[^,]{0,6}[“「]|自称|这类|此类|短信|来电|电话)|不法分子|骗子|骗局|诈骗|套路|误区|谣言|误导|违规|违法|非法|不实|"
    "不得|禁止|严禁|禁用|不准|不许|删除|删掉|整改|自查|被罚|罚款|处罚|责令|通报|警示|立案|曝光|投诉|拦下|可疑|"
    "诱骗|诱导|引诱|忽悠|洗脑|哄|别冲|天上不会掉"
)
# … and after it.
_HELD_UP_AFTER = re.compile(
    "骗|诈|陷阱|圈套|馅饼|不存在|没有这回事|没这回事|没有的事|不可信|不要信|别信|勿信|轻信|警惕|当心|小心|"
    "谨防|请勿|切勿|勿|别当真|打问号|打个问号|套路|不靠谱|误区|误导|违规|违法|非法|假冒|冒充|不实|谎|"
    "不准|禁止|不得|一律不|一律删|一律禁|是不可能|判了|判监|判刑|获刑|刑拘|被抓|进去了|骗人|禁用|删掉|删除|报警|举报|被罚|罚款|处罚|责令|通报|不属实|无效|没有意义|问凭什么|"
    "凭什么|血本无归|打水漂|是假的|是错的|错误|不对|没那一说|不足为信|别急|先想想|不是我们|不是本行|纯属|绝对化用语|"
    "也会亏|也会跌|也可能亏|照样会亏|都不许|不许|这种话术|这类话术|拒绝|自查|整改|更不能|都不能|不能讲|不能说|不能写|敢签|诈欺|犯罪|跑路|崩盘|没有保障"
)
# Strong enough to reach back over a whole sentence.
_CONDEMNED_AFTER = re.compile("无效的|属非法|是非法|违法的|属违法|都是骗|是骗人|是骗局|是陷阱|系陷阱|诈骗")
# A turn to one's own product ends the frame: 某大V被罚…还得找我们.
_TURN = re.compile(
    "我们|咱|俺|我行|本行|我司|本司|我家|我这|本产品|本基金|本公司|本品|这款|这只|这个产品|还得|就找|就选|就来|"
    "唯|而我|放心|推介|正规军|才是|加我|找我|私我"
)
_OPENING, _CLOSING = "“「『‘《【", "”」』’》】"
_FAR_REFUTATION = re.compile(
    "诈骗|骗局|骗子|陷阱|假冒|冒充|请勿|切勿|勿轻信|别信|违规|违法|非法|一律不得|一律删|不得使用|不得出现|禁用|"
    "报警|举报|话术纠偏|纠错|反诈|套路|警惕|谨防|误区|别当真|没有这回事|不能讲|被罚|责令|处罚|通报|问号|凭什么|"
    "这种话术|这类话术|罚款|整改|以案说|错得|判了|判监|判刑|获刑|刑拘|骗人|谜底|群主|割韭菜|法官|法院|被抓|防范|风险教育|投资者教育|辟谣|拒绝|不相信|没那一说|拉长看"
)

_LAW = re.compile("《[^》\n]{2,40}》|第[0-9一二三四五六七八九十百]{1,5}条|监管规定|法律法规|按照规定|依法")
_LAW_VERB = re.compile("不得|禁止|严禁|应当|明确|规定|要求|打破|施行|不准")
_PENALTY = re.compile(
    "被罚|罚款|责令|通报|处罚|罚单|监管措施|警示函|立案|判决|判处|获刑|取缔|吊销|暂停新增|被约谈|被查|行政处罚|查处|退市"
)

_DEFINED_BEFORE = re.compile('(?:什么是|什么叫做|何为|何谓|所谓的?|名词解释:?|读懂|一文看懂)[“「"]?$')
_DEFINED_AFTER = re.compile(
    '^[”」"]?(?:[^,。!?;\n]{0,6})?(?:,|、)?(?:是指|指的是|指以|指不以|的意思|通常指|一般指|是一种|只是一[类种个]|'
    "这个词|一词|二字|的定义|的概念|的含义|\\(基金名称|退出历史|到期转型|转型)"
)
_WRONG_MARK = re.compile(
    "^[^×✗❌✘]{0,30}?(?:[×✗❌✘]|\\(错\\)|\\(x\\)|\\(错误\\)|(?:答案|判断|谜底)[:是]?(?:错|非|否|不|骗|假))"
)

_QUESTION = re.compile(r"[^。!;\n]{0,24}?(\?|吗|么(?=,))")
_RHETORICAL = re.compile(
    "^[^,]{0,4}(?:谁说|谁讲|谁敢说|难道|何不|为何不|怎么不|还不|你还|还在|想不想|要不要|心动|香不香|何必)"
)
_ANSWERED_NO = re.compile(
    '^[?!]{0,3}[”」"\n ]{0,2}(?:[^:。,!?\n]{1,6}:)?[^。,!?\n:]{0,8}?'
    "(?:不|没|未|非|否|错|别|唔|冇|骗|误区|哪有|难|想多了|想得美|凭什么|打住|慎|假)"
)
_ANSWER_PSEUDO = re.compile(
    "不用|没问题|没错|不假|没啥不一样|不怕|不骗|不信|不难|不贵|不多|不慌|不赚|不如|没有之一|别错过|别等|别犹豫|不止|不错"
)

_INSURED = re.compile(
    "存款保险|国债|储蓄存款|定期存款|整存整取|大额存单|存款本息|活期存款|通知存款|个人存款|存款产品|定期90天|定期一年|存单|逆回购"
)
_NOT_INSURED = re.compile("理财(?!非存款|和|、|与|不|也不)|净值|私募|年金|两全|终身寿|这款理财|代销")

_NAMED = re.compile(
    "^[^,。!?;:\\n “”]{0,4}(?:有限公司|股份公司|有限合伙|合伙企业|"
    "[路街巷村镇](?:\\d|支行|网点|店|口|与)|小区|大厦|牌[^号匾]|杯(?=大赛|比赛|赛)|大赛|歌曲|电影|一书)"
)
_CALLED = re.compile(
    "(?:店|馆|猫|狗|队|摊|节目|歌|班|小组)[^,。!?;\\n]{0,4}(?:叫|名为|名叫|取名|起名)(?:做)?[“「]?$"
)

_LOOK_BACK = 60
_LOOK_AHEAD = 60
_FAR = 300
_SAME_BREATH = 18
_LONGEST_TITLE = 30


@dataclass(frozen=True, slots=True)
class _Context:
    """What stands round a hit, within a bounded window."""

    surroundings: str
    before: str
    after: str
    sentence_before: str
    sentence_after: str
    quoted: bool

    @classmethod
    def of(cls, text: str, start: int, end: int) -> Self:
        before = text[max(0, start - _LOOK_BACK) : start]
        after = text[end : end + _LOOK_AHEAD]
        return cls(
            text[max(0, start - _FAR) : end + _FAR],
            before,
            after,
            sentence_before=_tail(before, _SENTENCE_END),
            sentence_after=_head(after, _SENTENCE_END),
            quoted=_is_quoted(before, after),
        )


def judge(text: str, start: int, end: int, frames: frozenset[Frame] = ALL_FRAMES) -> str | None:
    """Return why the hit `text[start:end]` is lawful in its context, else `None`.

    `text` is normalised. The first frame that holds, in the order of `_READERS`, is named.
    """
    context = _Context.of(text, start, end)
    for frame, read in _READERS:
        if frame in frames and (reason := read(context)) is not None:
            return reason
    return None


def _tail(text: str, ends: str) -> str:
    return text[max(text.rfind(char) for char in ends) + 1 :]


def _head(text: str, ends: str) -> str:
    return text[: min((at for char in ends if (at := text.find(char)) >= 0), default=len(text))]


def _is_quoted(before: str, after: str) -> bool:
    """Tell whether the hit stands inside quotation marks opened shortly before it."""
    opened = max(before.rfind(char) for char in _OPENING)
    closed = max(before.rfind(char) for char in _CLOSING)
    return opened > closed and any(char in after for char in _CLOSING)


def _negated(context: _Context) -> str | None:
    clause = _tail(context.before, _CLAUSE_END)
    masked = _PSEUDO.sub(lambda found: "□" * len(found.group()), clause)
    nearest: re.Match[str] | None = None
    for found in _NEGATOR.finditer(masked):
        if _GOVERNED.fullmatch(masked, found.end()):
            nearest = found
    if nearest is None:
        return None
    if _DOUBLED.search(masked[: nearest.start()]) or _DENIED_AFTER.match(context.after):
        return None
    bridge = masked[nearest.end() :]
    weak = nearest.group() in _WEAK_NEGATORS and len(bridge) > _WEAK_REACH
    if weak or _TURN.search(bridge):
        return None
    return f"否定表述：“{nearest.group()}”"


def _marked_wrong(context: _Context) -> str | None:
    return "判断题里标为错误的说法" if _WRONG_MARK.match(context.after) else None


def _answered(context: _Context) -> str | None:
    """Recognise 能保本吗？不能: a question whose answer begins with a refusal."""
    question = _QUESTION.match(context.after)
    if question is None or _RHETORICAL.match(context.sentence_before):
        return None
    answer = context.after[question.end() :]
    reply = _ANSWERED_NO.match(answer)
    if reply is None or _ANSWER_PSEUDO.search(answer[: reply.end() + 4]):
        return None
    return "提问之后作了否定回答"


def _defined(context: _Context) -> str | None:
    if _DEFINED_BEFORE.search(context.before) or _DEFINED_AFTER.match(context.after):
        return "在解释这个词的意思"
    return None


def _cited(context: _Context) -> str | None:
    before = context.sentence_before
    law = _LAW.search(before)
    if law and _LAW_VERB.search(before[law.start() :]) and not _TURN.search(before[law.end() :]):
        return "引用法律法规"
    penalty = _PENALTY.search(before)
    if penalty and not _TURN.search(before[penalty.end() :]):
        return "通报、处罚案例"
    return "通报、处罚案例" if _PENALTY.search(context.sentence_after) else None


def _refuted(context: _Context) -> str | None:
    before, after = context.sentence_before, context.sentence_after
    nearest = max(_HELD_UP_BEFORE.finditer(before), key=re.Match.start, default=None)
    if nearest is not None and not _TURN.search(before[nearest.end() :]):
        return f"作为警示对象提及：“{nearest.group()}”"
    later = _HELD_UP_AFTER.search(after if context.quoted else after[:_SAME_BREATH])
    later = later or _CONDEMNED_AFTER.search(after)
    if later is not None and not _TURN.search(after[: later.start()]):
        return f"作为警示对象提及：“{later.group()}”"
    if context.quoted and (far := _FAR_REFUTATION.search(context.surroundings)):
        return f"引述后予以否定：“{far.group()}”"
    return None


def _named(context: _Context) -> str | None:
    """Recognise a given name, or part of the title of a book or a law."""
    before, after = context.before, context.after
    titled = before.rfind("《") > before.rfind("》") and "》" in after[:_LONGEST_TITLE]
    if titled or _NAMED.match(after) or _CALLED.search(before):
        return "名称的一部分"
    return None


def _stated_by_law(context: _Context) -> str | None:
    near = _tail(context.before, "。") + _head(context.after, "。")
    if _INSURED.search(near) and not _NOT_INSURED.search(context.surroundings):
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
