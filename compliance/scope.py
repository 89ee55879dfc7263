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

# --- what ends a frame ---------------------------------------------------------------------------

_TURN = re.compile(
    "我们|咱|俺|我行|本行|我司|本司|我家|我这|(?<!保)本(?:产品|基金|公司|品|款|店)|[这此该]一?[款只支]|这个产品|"
    "(?:还得|就|快|来|请)[找选买来加问](?!了)|选我|找我|加我|问我|私我|跟我|唯有|只有|而我|放心|推介|正规军|才是"
)

# --- negation ------------------------------------------------------------------------------------

# Negators with what may be bound to them; the second half are words that negate by themselves.
_NEGATOR = re.compile(
    "(?:别|莫|勿|不要|不能|不可|别再|千万别)(?:误?以为|认为|觉得|当成?|指望|相信|听信)"
    "|(?:没有|没|无)(?:任何|哪|谁|一[个家款只位种])[^,。!?;:\n]{0,14}(?:敢|能|会|可以|保证|承诺|打包票|肯)|"
    "(?:[并绝决从概均都也亦皆尚既且]|谁也|谁都)?(?:不|未|没|无|唔|冇|非)"
    "(?:再|曾|予|作|做|会|能够|能|可能|可|得|应当|应|该|许|准|要|敢|必|必然|一定|见得|承诺|保证|担保|存在|支持|"
    "属于|属|提供|等于|等同|代表|意味着?|构成|预示|表示|涉及|追求|谈|建议|是|为|系|在|向|对|具有|具备|包含|包括|含|有|"
    "展示|使用|出现|写|说|讲|发|推荐|宣传|授权|开展|从事|允许|法|权|任何|人|需|须|必要)*"
    "|难以|(?<![这那我两旁身手])[边邊]有|谈不上|算不上|说不上|称不上|何来|哪有|哪里有|岂有|禁止|严禁|禁用|杜绝|拒绝|[切请]?勿|莫|别|甭|休想|≠"
)
# These contain a negator and negate nothing in what follows.
_PSEUDO = re.compile(
    "不得不|不愧|不[只仅光但单止]|不管|不论|不[用必使](?!为了|因为|赶|急着|跟风|抢)|不怕|不错|不断|不少|不妨|不同|不限|不变|不久|不过|不凡|不由|"
    "不如|不足|不及|不禁|不低于|不少于|不超过|不好意思|不方便|不见不散|不看|不懂|不会的|不想|不愿|不操心|不操|"
    "不追(?![逐求捧])|不[抄盯跌亏赔涨加费碰吹黑骗受担动来出买]|不说谎|不套路|不上车|不下车|不知不觉|不得了|不吝|不乏|不失|不菲|"
    "有没有人|非常|非凡|除非|莫非|莫名|莫大|若非|无论|无不|无非|无需|无须|无疑|"
    "别[的家人墅致提样样]|特别|个别|区别|级别|差别|分别|识别|性别|告别|类别|辨别|"
    "没问题|没错|没事|没得|没的说|没见过|没听说|没空|没时间|没[亏输跌赔]|未来|冇得输|未雨|"
    "别(?:犹豫|错过|等|怪|纠结|再|问|管|想|熬|浪费|担心|怕|急|愁)"
)
# 征信花了的,这笔贷款批不了: what was said is ruled out in the same breath.
_RULED_OUT = re.compile(
    "(?:批|办|贷|买|做|返|给|投|签|卖|填|代|选|退|承诺|指望|下)(?:不了|不下来|不得|不成)|(?<![赚亏跌涨])不行(?!吗)|"
    "不可以|不允许|不予|没戏|免谈|行不通|不作数|不算数|不作准|做不得|当不得|使不得|要不得|没这规矩|没有这规矩|不合规"
)
# 一个保本,一个不保: told apart, not promised.
_ONE_AND_OTHER = re.compile("^型?[,、;]?(?:和非|与非|或非|另?一[个种款类](?:则|就|却)?不)")
# A negation that is itself denied, or only asked.
_DOUBLED = re.compile(
    "(?:谁说|谁讲|谁敢说|哪个说|难道|怎么会|怎么可能|怎会|哪能|哪会|岂能|岂会)[^,。!?;\n]{0,4}$"
    "|(?:没有|不是|并非|不可能|不会|没人|没有人|无|别说)[^,。!?;、\n]?$"
)
_DENIED_AFTER = re.compile(
    "[^。!?;\n]{0,16}?(?:才怪|才[是叫]?(?:怪|新闻|稀|奇)|那是没见过|我倒立|我直播|"
    "[那都纯全才]是(?:外行|瞎说|瞎话|胡说|乱说|屁话|不懂|没听懂|老黄历|旧黄历|过去的事|以前的事|别家|他们))"
)
# We will not tell you “…”: what is not said stands in quotation marks, however long.
_UNSAID = re.compile(
    "(?:不会|不能|不得|不敢|不该|不应|不许|不准|不可|不要|绝不|决不|从不|没有?人|谁也不|谁都不|切勿|请勿|别)[^,。!?;\n“”]{0,10}"
    "(?:说|讲|写|发|承诺|保证|宣传|答应|许诺|喊|用|提|听|信)(?:过|出|到)?[^,。!?;\n“”]{0,3}$"
)
# What may stand between a negator and the phrase it governs: one phrase, or a row of them.
_PHRASE = "[^,。!?;:\\n|“”「」]{0,9}?"
_BRIDGE = re.compile(
    f'["“「《\'‘]?{_PHRASE}(?:[”」"]?(?:、|和|或|及|或者|与|,也不|,不|(?<=[”」])(?=[“「]))["“「]?{_PHRASE}){{0,4}}["“「《\'‘]?'
)
# 不懂理财也能稳赚: the negated half only sets the stage.
_CONCEDED = re.compile("也|都|就|还|却|但|而|照样|仍|便|照|又")
_BARE = frozenset("非不没莫勿冇别唔无未")
_BARE_REACH = 4  # a bare 不 reaches the verb behind it, not a whole clause

# --- held up as a warning ------------------------------------------------------------------------

_WARNING_VERB = re.compile(
    "谨防|警惕|当心|小心|提防|防范|防止|远离|拒绝|抵制|识破|识别|揭秘|揭穿|看穿|打击|整治|清理|查处|别信|勿信|不信|"
    "别听(?!完)|瞎传|网传|谣传|误传|轻信|听信|相信|盲从|迷信|所谓|号称|声称|宣称|自称|谎称|妄称|鼓吹|吹嘘|打着|拿着|凡是?|遇到|碰到|听到|看到|收到|接到|"
    "不得|禁止|严禁|禁用|不准|不许|删除|删掉|删去|去掉|替换|改掉|哪怕|误?以为|误认为|误当"
)
# 谨防错过, 远离亏损: the verb serves the sale.
_SELLING_OBJECT = re.compile(
    "[^,。!?;\n]{0,2}(?:错过|踏空|失去|涨价|停售|抢光|亏|损|缩水|贬值|波动|焦虑|后悔)"
)
_PROMPTED = frozenset(
    {"凡", "凡是", "相信", "遇到", "碰到", "听到", "看到", "收到", "接到", "不得", "禁止", "严禁", "哪怕"}
)
# These lead to what somebody says; they hold up only a quotation or what is told to be false.
# The title of one's own script for calls (外呼话术第3条) holds nothing up to be refuted.
# (Here and below a guard stands behind the character it is for: where every alternative begins with a
# character, what none begins with is passed over at a glance.)
_TALK = "话术" + "".join(
    f"(?<!{own}话术)"
    for own in [
        "内部",
        "晨训",
        "晨会",
        "外呼",
        "回访",
        "邀约",
        "开场",
        "应答",
        "参考",
        "电话",
        "跟进",
        "面谈",
        "促成",
        "推介",
        "推荐",
        "成交",
        "转介",
    ]
)
# So does what a note to the sellers begins with: 话术:“今天签单…”
_TALK += "(?!(?<=^话术):|参考|模板|第)"
_TELLING_NOUN = re.compile(
    f"不法|骗子|骗局|骗术|骗人|被骗|受骗|行骗|诈骗|诈欺|反诈|诱骗|诱导|引诱|陷阱|圈套|套路|{_TALK}|噱头|误区|误导|谣言|辟谣|"
    "虚假|不实|假冒|冒充|伪造|非法|违规|违法|违反|涉嫌|可疑|忽悠|洗脑|割韭菜|跑路|崩盘|血本无归|打水漂|犯罪|"
    "举报|报警|曝光|投诉|整改|自查|自纠|纠错|纠偏|禁用|禁语|负面清单|红线|反面|以案说|案例|警示|提示函|"
    "绝对化用语|违禁词|敏感词|不合规|不可信|不靠谱(?<!靠不靠谱)|不足为信|没有这回事|没这回事|没有的事|没那一说|"
    "别当真|打(?:个)?问号|凭什么|是假的|是错的|不对的|不能信|不可能(?:的)?(?:[,。!]|$)|无效的"
)
_VERDICT_AFTER = re.compile(
    "骗|诈|犯法|陷阱|圈套|馅饼|谎|误区|误导|违规|违法|非法|不存在|不可信|(?<!靠)不靠谱|不属实|无效|不对|错误|错得|答错|判错|是错|是假|"
    "(?:别|不要|勿|莫)(?:轻)?信|警惕|当心|小心|谨防|请勿|切勿|勿|别急|别当真|问号|凭什么|不可能|没有保障|没有意义|"
    "(?:都|也|更|一律|绝)?不(?:准|许|得|能(?:讲|说|写|用|信|出现))|一律(?:不|删|禁)|禁用|禁止|删|"
    "(?:应|需|请|须|要)?(?:改为|改成|替换为|换成“|删去|删掉)|(?:别|不要|勿)[^,。]{0,3}(?:点|碰|理|加|转(?!发)|打)|上[^,。]{0,3}当(?![天日场时下年月])|当成?骗|打住|收割|"
    "也(?:会|可能)[亏跌赔]|照样会亏|拒绝|不是我们|不是本行|纯属|罚|判(?!断|定|别|读)|获刑|被抓|跑路|崩盘|血本无归|打水漂|先想想|"
    "那么好的事|哪有(?!人[^,。]{0,6}看)|天上|害(?:了)?(?:您|你)?自己|的是(?:群主|骗子|老师|平台|别人|庄家|卖课|中介)|想多了|不成立|站不住|停下来|想一想|说不(?![定准])|心眼|镰刀|毁掉|没影|退群|挂了|听听就好|不真实|(?<!拒)(?<!拒接)收回"
)
# A hit that itself says what it is: “末班车”等话术.
_NAMED_FALSE = re.compile(
    f"(?:等|之类|类|的|为|这种|此类|”){_TALK}|(?:等|之类的?|为)噱头|骗局|陷阱|谎言|的套路|之类的话|等说法"
)
# Strong enough to colour what is quoted, or told of others, sentences away.
_ALARM = re.compile(
    "骗|诈|陷阱|圈套|套路|收割|剧本|上[^,。]{0,3}当(?![天日场时下年月])|辟谣|谣言|误区|违规|违法|非法|假冒|冒用|冒充|警惕|谨防|提防|别信|勿信|识破|禁语|误解|黑产|不真实|"
    "消费提示|挂断|报警|举报|摇头|96110|处罚|整改|自查|禁用|禁止|不得|" + _TALK
)
# What became of it, or what it was: said of a story, not as a general warning at the end of a sale.
_OUTCOME = re.compile(
    "(?<!谨防)(?<!防范)(?<!警惕)(?<!提防)(?<!谨防诈)(?<!防范诈)(?<!警惕诈)(?:骗|套路|拉黑|打不通|没回来|跑路|收割|引以为戒|上[^,。]{0,3}当|醒醒|"
    "96110|立案|被抓|血本无归|不真实|误解|那么好的事|哪有|想多了|没影|退群|挂了|镰刀|毁掉)"
)
# A call to act, unless it warns of acting: the story is told to sell.
_CALL = re.compile(
    "(?<![别勿要不拒绝])(?:扫码|进群|点击|下单|抢购|立即|赶紧|加微信?|私信|戳我|速来|等什么)(?!诈|陷阱|骗)"
)
# A whole piece that warns: words no sale uses of its own offer, and what every sale ends with.
_GUARD = re.compile(
    "骗(?<!哄骗)(?<!不骗)(?!保)|呃(?:人|你|钱|财)|诈|失联|警惕|谨防|提防|报警|报案|拉黑|不法|非法|假冒|冒充|上当|立案|被罚|罚单|责令|别信(?!别)|"
    "通报|整改|警示函|安全提示|反例|反面教材|96110|识破|辟谣|谣言|黑灰产|黑产|盯上[你您]|务必远离|请远离|依法无效|得不到法律保护|难以得到法律保护|虚拟盘"
)
# These also stand in letters that sell: they guard only a piece that offers nothing.
_MILD_GUARD = re.compile("请勿|切勿|误区")
_ERRAND = re.compile(
    "(?<![别勿要不])(?:找我|找俺|私信|私聊|扫码|加微|加v|速来|抢购|上车|快来|戳|滴滴|联系我|跟我|来我|找咱|问我|等你|等您|才是|还得|只有我|只有本|唯有|我们这|咱们?这|本款|这款|本产品)"
)
_TOLD = re.compile("说|称|讲|承诺|保证|许诺|宣传|广告|推销|群里|有人|对方|骗|凡是?|来电|短信|链接|帖|朋友圈")
# 骗子最爱说:… – what comes behind the colon are the words of another.
_SAYS = re.compile("[^,。!?;:\n]{0,6}(?:说|讲|称|喊|写|发|道|话术|台词|口头禅|说法|套路)[^,。!?;:\n]{0,3}:")
_SAME_BREATH = 18
_TOLD_REACH = 120
# A telling noun or verb that is denied opens nothing: 绝不是骗局, 谁骗你, 不忽悠.
_DENIED_CUE = re.compile(
    "(?:不是|并非|绝非|绝不|从不|不会|不搞|不玩|没有|谁会?|[不没无非])(?:任何|什么|半点)?$"
)
_ITEM = re.compile(
    '(?:^|\n)[ \t]*(?:[0-9一二三四五六七八九十]{1,2}[.、)]|[-*•·○●◆×✗❌✘▪]|[“「"])[^\n]{0,80}$'
)

# --- law, penalties, definitions, quizzes, answers ------------------------------------------------

_LAW = re.compile(
    "《[^》\n]{2,40}》|第[0-9一二三四五六七八九十百]{1,5}条|监管(?:规定|要求|部门)|法律法规|按照规定|依法|资管新规"
)
_LAW_VERB = re.compile("不得|禁止|严禁|应当|明确|规定|要求|打破|施行|不准|不允许")
_PENALTY = re.compile(
    "被罚|罚款|罚没|责令|通报|处罚|罚单|监管措施|警示函|立案|判决|判处|判刑|获刑|刑拘|取缔|吊销|暂停新增|被约谈|约谈|被查|"
    "查处|退市|没收|落网|判了|(?:法院|法官)(?![^,。!?;\n]{0,8}(?:皆|都|也|均|不得|不能|无权|[动拿查管碰够]不|没法|无法|休想))|检察|警方|公安"
)
_DEFINED_BEFORE = re.compile(
    '(?:什么是|什么叫做?|何为|何谓|所谓的?|名词解释:?|读懂|一文看懂|认识|了解)["“「]?$'
)
_DEFINING = re.compile("(?:是指|指的是|,指|系指|意思是|意即)(?!数)[^。;\n]{0,30}$")
_DEFINED_AFTER = re.compile(
    '^["”」]?[^,。!?;\n]{0,6},?(?:、)?(?:是指|指的是|指(?![数定望导向标])|的意思|通常指|一般指|是一种|只是一[类种个]|'
    "[是即][^,。!?;\n]{0,6}(?:名称|说法|叫法|旧称|概念|术语)|型?[与和跟][^,。!?;\n]{0,12}(?:区别|不同|差别)|"
    "这个词|一词|[一二两三四]个?字(?!母)|的定义|的概念|的含义|\\(基金名称|退出历史|到期转型|转型)"
)
_WRONG_MARK = re.compile(
    "^[^×✗❌✘\n]{0,30}?(?:[✗❌✘]|(?<![0-9%])×(?![0-9])|\\([^)]{0,2}(?:错|误|x)[^)]{0,2}\\)|(?:答案|判断|谜底)[:是]?(?:错|非|否|不|骗|假))"
)
_WRONG_MARK_BEFORE = re.compile(
    "(?:^|[\n。;])[^\n。;✓✔√]{0,6}(?:[✗❌✘]|(?<![0-9%])×(?![0-9]))[^\n。;✓✔√]{0,30}$"
)
_EXPLAINED = re.compile("(?:解析|讲解|正解|说明|答案解读):")
_QUIZ = re.compile(
    "判断题|是非题|对错题|选择题|模拟卷|试题|考题|题库|[单多]选题|下列(?:哪|说法|表述|做法)|以下哪[项个种]"
)
_OPTION = re.compile("[a-d][.、:)][^\n]*$")
_QUESTION = re.compile(r"[^。!;\n]{0,24}?(\?|吗|(?<![什怎这那多])么(?=,)|(?<!才怪)呢(?=,))")
_RHETORICAL = re.compile(
    "^[^,]{0,4}(?:谁说|谁讲|谁敢说|难道|何不|为何不|怎么不|还不|你还|还在|想不想|要不要|心动|香不香|何必)"
)
_ANSWERED_NO = re.compile(
    '^[?!,]{0,3}[”」"\n —]{0,3}(?:[^:。,!?\n]{1,8}:)?[^。,!?\n:]{0,8}?'
    "(?:不|没|未|(?<!理财)非|否|错|别|唔|冇|骗|误[区解]|哪有|难|想多了|想得美|凭什么|打住|(?<![须需]谨)慎|假|摇|请?先看|看(?:清|健康|条款|合同|说明)|核实|查)"
)
_ANSWER_PSEUDO = re.compile(
    "不用|没问题|没错|不假|没啥不一样|不怕|不骗|不信|不难|不贵|不多|不慌|不赚|不如|没有之一|别错过|别等|别犹豫|不止|不错"
)

# --- what somebody asks, and what is answered ---------------------------------------------------

_ASKER = (
    "客户|顾客|读者|粉丝|网友|用户|储户|持有人|投保人|学员|老乡|乡亲|大妈|大爷|阿姨|叔叔|大姐|大哥|大娘|婶|"
    "邻居|朋友|有人|群友|问|q"
)
# 客户:…; 大姐问我…, 有人要我…: what is theirs.
_ASKS = re.compile(
    f"(?:{_ASKER})(?:[^,。!?;:\\n]{{0,4}})?(?::|[问催求劝]|[要让叫想](?=我|俺|咱|小)|说(?!我)|来电|听说|留言|搞混)"
)
# 经理:…; 我照实说…, 俺就告诉他…: what is ours.
_REPLIES = re.compile(
    "(?:经理|投顾|柜员|客服|答|小编|顾问|主播|业务员|代理人|行长|我|a):|"
    "(?:我|俺|咱|小[一-龥])[^,。!?;:\n]{0,8}(?:说|回|答|告诉|笑|劝|摇|讲|拦|提醒|翻)|"
    "(?:可|但|却|也|还|只)[^,。!?]{0,3}(?:提醒|劝|告诉|拦)"
)
_REPLY_REACH = 22
_DECLINES = re.compile(
    "不(?![就用怕愁难贵多慌赚止错假断仅光但管论妨同过]|少[有的]|信您|信你|知不觉|得不)|不用(?=[,。!]|急|赶|抢)|没(?![问错事两跑啥]|得|的说)|未必|未|别(?!犹豫|错过|怕|慌|急着走)|哪有|哪能|难说|说不准|得看|要看|看您|看合同|可能|批不|不了|替不得|违法|红线|拒"
)

# --- names and lawful facts -----------------------------------------------------------------------

_INSURED = re.compile(
    "存款保险|国债|储蓄存款|存款利率|定期(?=到期)|[定活通]期?存款|整存整取|大额存单|存款本息|个人存款|存款产品|存单|逆回购"
)
_NOT_INSURED = re.compile("理财(?!非存款|和|、|与|不|也不)|净值|私募|年金|两全|终身寿|代销|基金")
_NAMED = re.compile(
    "^[”」]?[^,。!?;:\\n “”]{0,4}(?:有限公司|股份公司|有限合伙|合伙企业|"
    "[路街巷村镇](?:\\d|支行|网点|店|(?<!村)口|与|小学|中学|学校|社区|医院|站|公园)|小区|大厦|牌[^号匾]|杯(?=大赛|比赛|赛)|大赛|歌曲|电影|一书)"
)
_CALLED = re.compile(
    "(?:店|馆|猫|狗|队|摊|节目|歌|班|小组|经理|同事|老师|主任|员工|柜员|朋友|邻居|同学|小伙|姑娘)[^,。!?;\\n]{0,4}(?:叫|名为|名叫|取名|起名)(?:做)?[“「]?$"
)

# What negates at all; and what does not: a negation that is denied, what every lawful offer ends with.
_NEGATES = re.compile("[不没别未无勿非哪≠]")
_STANDING = re.compile(
    "(?:谁说|谁讲|难道|怎么会|怎么可能)[^,。]{0,3}不[能会是]?|非存款|"
    "不构成[^,。]{0,8}|不代表[^,。]{0,8}|不预示[^,。]{0,8}"
)
_BESIDE_BEFORE, _BESIDE_AFTER = 8, 14
_EITHER_WAY = re.compile("(会|能|可|是|要|有|用|该)[不没](?:有)?\\1")
_OR_ELSE = re.compile("还是[^,。!?;\n]{1,8}[,?]")
_SHRUGGED_OFF = re.compile(
    "[^。!]{0,8}[?,。!]?[^。!,]{0,4}(?:不会|不可能|放心|没有的事|当然不|那是别|从来没)"
)
# 能否隔离债务,取决于资金来源: left open, and said what it hangs on.
_WHETHER = re.compile("(?:能否|能不能|是否|会不会|可否|是不是)[^,。!?;\n]{0,16}$")
_HANGS_ON = re.compile(
    "[^。!?;\n]{0,12}(?:取决于|其实不|不[全都]是|并不|不尽然|要看|得看|还要看|看(?:合同|条款|情况|市场|公司)|视[^,。]{1,8}而定|并非|不一定|未必|说不准)"
)
_CLOSING_QUOTE = re.compile("[^“”「」]*[”」]")

_LOOK_BACK = 60
_LOOK_AHEAD = 60
_FAR = 300
_LONGEST_TITLE = 30
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
        asked = _EITHER_WAY.match(self.before[-1:] + self.hit[:3]) or (
            _OR_ELSE.match(self.after) or (self.after[:1] in "不没" and self.hit[-1:] == self.after[1:2])
        )
        return bool(asked) and _SHRUGGED_OFF.match(self.after) is None

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
    if context.quoted or _NEGATES.search(_PSEUDO.sub("", _STANDING.sub("", beside))):
        return False
    return not _puts_on_guard(f"{context.far_before}{context.hit}{context.far_after}")


@lru_cache(maxsize=_KEPT)
def _alarm_in(piece: str) -> re.Match[str] | None:
    """Return what raises the alarm in a piece."""
    return _undenied(_GUARD, piece)


@lru_cache(maxsize=_KEPT)
def _puts_on_guard(piece: str) -> bool:
    """Tell whether anything in a piece warns, explains or reports."""
    return _alarm_in(piece) is not None or _MILD_GUARD.search(piece) is not None or tells(piece)


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
    return _TURN.search(between) is not None


def _undenied(cue: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the last place where a cue stands that is not itself denied."""
    last = None
    for found in cue.finditer(text):
        if not _DENIED_CUE.search(text[max(0, found.start() - 5) : found.start()]):
            last = found
    return last


def _negated(context: _Context) -> str | None:
    if context.quoted and (unsaid := _UNSAID.search(context.quoting_sentence.rstrip(_OPENING + '"'))):
        return None if _DOUBLED.search(unsaid.string[: unsaid.start()]) else f"否定表述：“{unsaid.group()}”"
    clause = _tail(context.before, _CLAUSE_END)
    masked = _PSEUDO.sub(lambda found: "□" * len(found.group()), clause)
    if _ONE_AND_OTHER.match(context.after):
        return "对照着说明，一个如此，一个不如此"
    rest = context.hit + context.sentence_after[:_SAME_BREATH]
    ruled_out = _RULED_OUT.search(rest)
    if ruled_out is not None and not _turns(rest[ruled_out.end() :] + context.after[:_SAME_BREATH]):
        return f"说明这样不行：“{ruled_out.group()}”"
    nearest: re.Match[str] | None = None
    for found in _NEGATOR.finditer(masked):
        if _BRIDGE.fullmatch(masked, found.end()):
            nearest = found
    if nearest is None:
        return None
    if _DOUBLED.search(masked[: nearest.start()]) or _DENIED_AFTER.match(context.after):
        return None
    bridge = masked[nearest.end() :]
    if nearest.group() in _BARE and (len(bridge) > _BARE_REACH or _CONCEDED.search(bridge)):
        return None
    return f"否定表述：“{nearest.group()}”"


def _marked_wrong(context: _Context) -> str | None:
    before = _WRONG_MARK_BEFORE.search(context.before)
    if _WRONG_MARK.match(context.after) or (before and not _EXPLAINED.search(before.group())):
        return "判断题里标为错误的说法"
    if _EXPLAINED.search(context.sentence_before):
        return None  # what explains the answer is meant
    quiz = _undenied(_QUIZ, context.far_before)
    if quiz is not None and not _turns(_OPTION.sub("", _tail(context.far_before[quiz.end() :], "\n"))):
        return "题目里供判断的说法"
    return None


def _answered(context: _Context) -> str | None:
    """Recognise 能保本吗？不能: a question whose answer begins with a refusal; and 会不会亏."""
    if context.asks_either_way:
        return "只是提问，没有作出承诺"
    if _WHETHER.search(context.sentence_before + context.hit) and _HANGS_ON.match(context.after):
        return "只是提出问题，说明要看具体情况"
    if _declined(context):
        return "别人这样问、这样说，已作了否定回答"
    question = _QUESTION.match(context.after)
    if question is None or _RHETORICAL.match(context.sentence_before):
        return None
    answer = context.after[question.end() :]
    reply = _ANSWERED_NO.match(answer)
    if reply is None or _ANSWER_PSEUDO.search(answer[: reply.end() + 4]):
        return None
    return "提问之后作了否定回答"


def _declined(context: _Context) -> bool:
    """Tell whether the hit is what somebody asks or says, and the answer declines it."""
    asked = _last(_ASKS, context.far_before + context.hit)
    if asked is None:
        return False
    if _REPLIES.search((context.far_before + context.hit)[asked.end() :]):
        return False  # the hit stands in the answer
    answer = _REPLIES.search(context.far_after)
    if answer is None or answer.start() > _LOOK_AHEAD:
        return False
    reply = context.far_after[answer.end() : answer.end() + _REPLY_REACH]
    return _DECLINES.search(reply) is not None


def _last(cue: re.Pattern[str], text: str) -> re.Match[str] | None:
    return max(cue.finditer(text), key=re.Match.start, default=None)


def _defined(context: _Context) -> str | None:
    if _turns(context.sentence_after):
        return None  # R2就是不会亏的意思,放心选: explained in order to sell
    if _DEFINED_BEFORE.search(context.before) or _DEFINED_AFTER.match(context.after):
        return "在解释这个词的意思"
    defining = _DEFINING.search(context.sentence_before)
    if defining is not None and not _turns(defining.group()):
        return "在解释这个词的意思"
    return None


def _cited(context: _Context) -> str | None:
    before = context.quoting_sentence
    law = _LAW.search(before)
    if law and _LAW_VERB.search(before[law.start() :]) and not _turns(before[law.end() :]):
        return "引用法律法规"
    penalty = _undenied(_PENALTY, before)
    if penalty and not _turns(before[penalty.end() :]):
        return "通报、处罚案例"
    after = context.hit + _head(context.far_beyond[:_LOOK_AHEAD], _SENTENCE_END)
    penalty = _PENALTY.search(after)
    if penalty and not _turns(after[: penalty.start()]):
        return "通报、处罚案例"
    return None


def _refuted(context: _Context) -> str | None:
    return _warned_before(context) or _judged_after(context) or _listed(context) or _told_in_warning(context)


def _warned_before(context: _Context) -> str | None:
    before = context.quoting_sentence
    noun = _undenied(_TELLING_NOUN, before)
    if noun is not None and (_SAYS.match(before, noun.end()) or not _turns(before[noun.end() :])):
        return f"作为警示对象提及：“{noun.group()}”"
    verb = _undenied(_WARNING_VERB, before)
    if verb is None or _turns(before[verb.end() :]) or _SELLING_OBJECT.match(before, verb.end()):
        return None
    object_before = before[verb.end() :]
    if not context.quoted and ("," in _unquoted(object_before) or verb.group() in _PROMPTED):
        return None
    return f"作为警示对象提及：“{verb.group()}”"


def _judged_after(context: _Context) -> str | None:
    after = context.far_beyond[:_LOOK_AHEAD] if context.quoted else context.sentence_after
    closed = _CLOSING_QUOTE.match(after)
    if closed is not None:  # the hit itself reaches into a quotation
        after = after[closed.end() :]
    if (own := _undenied(_NAMED_FALSE, context.hit)) is not None:
        return f"作为警示对象提及：“{own.group()}”"
    reach = after if context.quoted else after[:_SAME_BREATH]
    later = next((found for found in _VERDICT_AFTER.finditer(reach) if not _is_denied(reach, found)), None)
    if later is None:
        later = next((found for found in _TELLING_NOUN.finditer(after) if not _is_denied(after, found)), None)
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
        mild = _undenied(_MILD_GUARD, piece)
        alarm = mild if mild is not None and informing(piece) is not None else None
    if alarm is None or _SELLING_OBJECT.match(piece, alarm.end()) or _ERRAND.search(piece):
        return None
    return f"全文在提醒防范：“{alarm.group()}”"


def _is_denied(text: str, found: re.Match[str]) -> bool:
    return _DENIED_CUE.search(text[max(0, found.start() - 5) : found.start()]) is not None


def _listed(context: _Context) -> str | None:
    """Recognise what is quoted, listed or told of others in a text that raises the alarm about it."""
    outside = context.far_before[: len(context.far_before) - max(0, context.quote)]
    item = _ITEM.search(context.before)
    told = _TOLD.search(outside[-_TOLD_REACH:]) is not None
    if not (context.quoted or item is not None or told):
        return None
    heading = _undenied(_ALARM, outside)
    led_in = outside[: len(outside) - len(item.group())] if item is not None else outside
    between = led_in[heading.end() :] if heading is not None else ""
    if heading is not None and (context.quoted or item is not None) and not _turns(_unquoted(between)):
        return f"引述后予以否定：“{heading.group()}”"
    if context.quoted or told:
        far = context.far_beyond
        alarm = _ALARM if context.quoted else _OUTCOME
        later = next((one for one in alarm.finditer(far) if not _is_denied(far, one)), None)
        told_to_sell = not context.quoted and _CALL.search(far) is not None
        if later is not None and not told_to_sell and not _turns(_unquoted(far[: later.start()])):
            return f"引述后予以否定：“{later.group()}”"
    return None


def _unquoted(text: str) -> str:
    return re.sub("[“「][^”」]*[”」]", "", text)


def _named(context: _Context) -> str | None:
    """Recognise a given name, or part of the title of a book or a law."""
    before, after = context.before, context.after
    titled = before.rfind("《") > before.rfind("》") and "》" in after[:_LONGEST_TITLE]
    if titled or _NAMED.match(after) or _CALLED.search(before):
        return "名称的一部分"
    return None


def _stated_by_law(context: _Context) -> str | None:
    near = _tail(context.before, "。") + _head(context.after, "。")
    if _INSURED.search(near) and not _NOT_INSURED.search(context.far_before + context.far_after):
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
