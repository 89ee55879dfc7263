"""What a piece does: whether it offers something, or explains, reports and reminds.

A lesson about 最大回撤, the rules for opening an account, a regulator's warning and a bank's notice
use the words of an offer without making one. A piece informs where something says so (什么是, 公告,
监管部门, 应当) and nothing in it sells: no call, no product of one's own, nothing on sale.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

# What asks the reader to act, unless it asks not to.
_CALL = re.compile(
    "(?<![别勿要不没])(?:找我|找俺|找咱|找小|私信|私聊|私我|扫码|扫一扫|扫描|长按|戳|加微|加我|加v|速来|快来|抢购?|上车|滴滴我?|"
    "联系我|联系客户经理|联系您的|联系理财|跟我|跟着我|跟着|来我|问我|等你|等您|预约|立即|赶紧|抓紧|趁早|下单|点击|点开|点链接|"
    "欢迎[^,。!?]{0,8}(?:购|垂询|咨询|办|莅临|选|申|认|来)|留言|评论区|了解一下|了解详情|入手|开通即|即可开通|一键|开户|来网点|到网点|来柜台|"
    "来聊|搜索|首页搜|可购买|可认购|可申购|立减|名额|锁定|别犹豫|约我|约起|闭眼|冲鸭|冲!|签约|进群|入群|招募|拉你|拉您|登录手机银行|"
    "回复|后台回|致电|打我|来电(?!显示)|投保(?:链接|入口)|来支行|来行里|拉上|带上身份证)"
)
# What speaks of a product of one's own, by pointing at it or by its name.
_OWN = re.compile(
    "这款|这只(?!鸡|猫|狗|股)|这支|这期|本期|新一期|本产品|本基金|该系列|该产品|我们家|我家|咱家|咱这|咱行|咱们?(?:的|家|行|卖|这)|俺们?(?:这|家|行)|我行(?:理财|代销|推出|产品|独家|系列|专属)|"
    "我们(?:的|这|家|卖|给|帮|替|为|有|管|做|保|承诺)|旗下|老客户|家人们|宝子|姐妹们|亲们|学员|会员|我(?:自己|个人|手里|手上|做|替|帮|给|能|敢|保证|推|带|买|妈|也|都|的客户|教)|"
    "我司|本司|替[您你]|给[您你]|帮[您你]|保[您你]|包[您你]|让[您你]|[您你]只管|[您你]就|为[您你]|"
    "(?:银行|农商行|信用社|人寿|保险|基金|证券|理财)“[^”]{1,7}(?:宝|盈|享|金|利|添|增|丰|鑫|安|贷)”|"
    "“[^”]{2,8}”(?:系列|理财|组合|产品|日开|月开|季开|年开|[^。,]{0,3}号|投顾|计划|[a-z]款)|[r][1-5](?![0-9a-z])|c[1-5]及以上|"
    "(?<=[一-龥][一-龥])(?:(?:混合|债券|fof|etf|货币|指数|增强|联接|股票)[a-ce](?![a-z])|(?:寿|险|医疗|年金|护航|颐享)[a-c]款)|代码"
)
# What is on sale, and what it costs.
_SALE = re.compile(
    "发售|上架|开售|起购|起投|首发|在售|热销|新品|上新|热募|发行中|限时|限量|特惠|低至|仅需|只要|免费(?:送|领|赠)|首月|返现|加息|"
    "[0-9.]+[元块]起|月入|日入|包赚|稳赚|翻倍|涨停"
)
# What lays open a matter: nobody sells under such a question.
_EXPLAINS = re.compile(
    "什么是(?!安全感|幸福|底气)|是什么(?!意思都)|是指|指的是|它指|为什么|为何|有何不同|有什么(?:区别|不同|不一样)|有什么用|的区别|怎么看|怎么算|如何(?:看待|识别|区分|理解)|"
    "误解|辨析|何指|何谓"
)
# What reports, reminds, lays down.
_INFORMS = re.compile(
    "何为|怎么选|如何选|问:|[?吗]答:|误区|[两三四五几]个误会|小知识|知识点|名词解释|投教|投资者(?:应|需|可以|要|如|请|教育)|消费者|个人投资者|"
    "持有人应|应当|须满足|应满足|依法|根据《|按照《|依据《|《[^》]{4,30}(?:法|办法|条例|规定|通知|意见|指引|公告)》|法律法规|"
    "关于[^。!?]{2,40}公告|(?:^|\\n|【)公告|公告[|:】]|通知(?!单|书)|通告|提示函|监管部门|监管总局|监管局|证监局|中国证监会|人民银行|交易所|基金业协会|警方|公安|检察|记者|报道|获悉|数据显示|统计局|"
    "以案|判决|严禁|请拨1|谨防|警惕|提防|防范|提醒|温馨提示|说明如下|运作情况说明|等待期是|限额偿付|偿付限额"
)
# What is said of a kind of product in general.
_IN_GENERAL = re.compile(
    "通常|往往|大多|多数(?!人都)|一般(?!医疗|责任|保障|企业|贷|户|人)|不同于|是一种|取决于|各有"
)


@dataclass(frozen=True, slots=True)
class Informing:
    """By which words a piece informs, and whether it lays open a matter."""

    cue: str
    explains: bool

    @property
    def reason(self) -> str:
        return f"全文在讲解或告知，没有推介：“{self.cue}”"


def tells(text: str) -> bool:
    """Tell whether anything in a piece explains or reports, whatever it sells besides."""
    return _EXPLAINS.search(text) is not None or _INFORMS.search(text) is not None


def sells(text: str) -> bool:
    """Tell whether a piece calls to act or says what is on sale."""
    return _CALL.search(text) is not None or _SALE.search(text) is not None


@lru_cache(maxsize=64)
def generalises(sentence: str) -> bool:
    """Tell whether a sentence speaks of a kind of product in general: it offers none.

    It is asked again for every product the same sentence names, and there may be hundreds.
    """
    return _IN_GENERAL.search(sentence) is not None and not (_OWN.search(sentence) or sells(sentence))


def informing(text: str) -> Informing | None:
    """Return how a piece shows that it informs and offers nothing, else `None`.

    `text` is normalised.
    """
    if _CALL.search(text) or _OWN.search(text) or _SALE.search(text):
        return None
    explains = _EXPLAINS.search(text)
    told = explains or _INFORMS.search(text)
    return None if told is None else Informing(told.group(), explains is not None)
