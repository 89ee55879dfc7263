"""What people put in the place of a character: look-alikes, its parts, a picture, its sound.

Tables only. `LOOK_ALIKES` holds characters no lawful text contains, so folding may always undo
them; what may be meant as it stands (末, 女子, a flame) is read otherwise only where that completes
a guarded word.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _table(entries: str) -> Mapping[str, str]:
    """Read `key=value` entries parted by white space."""
    return MappingProxyType(dict(entry.split("=", 1) for entry in entries.split()))


def _readings(entries: str) -> Mapping[str, tuple[str, ...]]:
    return MappingProxyType({key: tuple(value.split("/")) for key, value in _table(entries).items()})


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Everyday words of other Chinese speech, written with characters of their own: what they mean.
DIALECT = _table("""
    唔=不 冇=没 嘅=的 咗=了 佢=他 喺=在 啲=些 畀=给 俾=给 瞓=睡 攞=拿 嚟=来 哋=们 嗰=那 睇=看 揸=拿
""")

# Odd characters, radicals used as letters, and pictures that are characters in a frame.
LOOK_ALIKES = _table("""
    夲=本 夳=本 嬴=赢 俫=保 堢=保 収=收 囬=回 囘=回 叧=另 亐=亏 糿=红 ⺁=厂 ⺅=亻 ⺈=勹 ⺉=刂
    ⺋=巳 ⺍=小 ⺒=巳 ⺓=幺 ⺖=忄 ⺘=扌 ⺙=攵 ⺝=月 ⺞=歹 ⺠=民 ⺡=氵 ⺢=水 ⺣=灬 ⺤=爪 ⺥=爪
    ⺧=牛 ⺨=犭 ⺩=王 ⺬=示 ⺮=竹 ⺯=糸 ⺰=纟 ⺳=网 ⺶=羊 ⺷=羊 ⺸=羊 ⺹=老 ⺼=肉 ⺾=艹 ⺿=艹
    ⻀=艹 ⻁=虎 ⻂=衤 ⻃=西 ⻄=西 ⻅=见 ⻆=角 ⻇=角 ⻈=讠 ⻉=贝 ⻊=足 ⻋=车 ⻌=辶 ⻍=辶 ⻎=辶
    ⻏=阝 ⻐=钅 ⻑=长 ⻒=长 ⻓=长 ⻔=门 ⻖=阝 ⻗=雨 ⻘=青 ⻙=韦 ⻚=页 ⻛=风 ⻜=飞 ⻝=食 ⻟=饣
    ⻠=饣 ⻡=首 ⻢=马 ⻣=骨 ⻤=鬼 ⻥=鱼 ⻦=鸟 ⻧=卤 ⻨=麦 ⻩=黄 ⻪=黾 ⻬=齐 ⻮=齿 ⻰=龙 ⻳=龟
    💰=钱 🧧=红包 🉐=得 🈚=无 🈶=有 🈵=满 🈲=禁 🉑=可 🈹=割 🈯=指 🈴=合 🈺=营 🈸=申 🈳=空 🈷=月
    🆓=免费 🔟=10 💯=100%
""")

# Everyday characters that look like one another.
CONFUSABLES = _table("""
    末=本 木=本 夫=天 溢=益 盆=益 嫌=赚 谦=赚 歉=赚 廉=赚 隐=稳 急=稳 俣=保 褓=保 煲=保 葆=保
    呆=保 啬=息 恳=息 熄=息 媳=息 岭=零 令=零 玲=零 凤=风 凰=风 机=风 捡=险 检=险 验=险 俭=险
    剑=险 嬴=赢 蠃=赢 羸=赢 亍=亏 于=亏 夸=亏 赂=赔 培=赔 陪=赔 倍=赔 坏=回 囗=回 固=回 抱=报
    侑=有 肴=有 元=无 旡=无 兀=无 帐=涨 胀=涨 张=涨 铁=跌 迭=跌 佚=跌 绐=给 洽=给 拾=给 恰=给
    浅=钱 线=钱 贱=钱 残=钱 溅=钱 例=利 和=利 刹=利 科=利 刊=利 墓=募 幕=募 慕=募 暮=募 蓦=募
    秘=私 和=私 弘=私 松=私 存=荐 般=股 段=股 肌=股 粟=票 漂=票 栗=票 徽=微 薇=微 徵=微 言=信
    倌=信 亨=亭 婷=停 惟=售 焦=售 隹=售 兔=免 晚=免 勉=免 冕=免 稔=稳 柜=稳 吹=收 妆=收 牧=收
    攻=收 卒=率 摔=率 蟀=率 牢=率
""")

# Characters written as their parts, side by side or one over the other.
PARTS = _table("""
    亻弋=代 人弋=代 王里=理 讠午=许 氵每=海 纟合=给 亻故=做 亻奴=仅 扌高=搞 纟勺=约 讠寸=讨
    讠川=训 讠兑=说 讠舌=话 钅肖=销 亻共=供 口乞=吃 又鸟=鸡 因心=恩 田介=界 山而=耑 厂力=历
    尚贝=赏 化贝=货 加贝=贺 分贝=贫 虫工=虹 立日=音 门口=问 门人=闪 马又=驭 扌由=抽 扌戈=找
    扌立=拉 扌合=拾 氵工=江 亻五=伍 亻十=什 亻门=们 亻尔=你 亻二=仁 亻可=何 亻直=值 亻责=债
    亻昔=借 阝佥=险 阝金=险 自心=息 禾厶=私 亻呆=保 人呆=保 贝兼=赚 禾急=稳 讠正=证 言正=证
    又欠=欢 氵又=汉 贝口=员 口贝=员 木几=机 禾刂=利 讠者=诸 贝者=赌 艹存=荐 丩攵=收 贝咅=赔
    立口贝=赔 代贝=贷 贝才=财 钅艮=银 钅戋=钱 反辶=返 辶反=返 王见=现 纟工=红 月殳=股 扌殳=投
    覀示=票 西示=票 其土=基 次贝=资 贝勾=购 君羊=群 亻言=信 人言=信 氵张=涨 足失=跌 礻卜=补
    衤卜=补 扌旦=担 其月=期 予页=预 纟色=绝 又寸=对 宀女=安 人王=全 雨令=零 囗古=固 囗口=回
    广氐=底 亻亭=停 人亭=停 隹口=售 火少=炒 亻圭=佳 扌包=抱 氵爰=缓 立占=站 日免=晚 羊皿=盖
    八皿=益 水皿=益 讠人=认 讠卖=读 牛寺=特 亻专=传 火考=烤 扌卖=卖 十买=卖 石马=码 扌斤=折
    木又=权 纟及=级 亻子=仔 讠平=评 辶米=迷 马户=驴 亻介=价 人介=价 彳亍=行 亡口月贝凡=赢 钅失=铁
    金戋=钱 金失=铁 金艮=银 女兼=嫌 女票=嫖 月长=胀 弓长=张 木目=相 日月=明 月月=朋 日寸=时
    土也=地 亻也=他 女也=她 白勺=的
""")

# What a picture may be read as: the thing it shows, or a word that sounds like it.
PICTURES = _readings("""
    💸=钱 💵=钱 💴=钱 💶=钱 💷=钱 🪙=币/钱 🤑=钱/赚 🐔=鸡 🐓=鸡 🐣=鸡 🐏=羊 🐑=羊 🐷=猪 🐟=鱼
    🍐=梨 🍎=苹 🍑=桃 🍊=橙/桔 🌾=稻/禾 🍚=饭 🐮=牛 🐂=牛 📈=涨/升 📉=跌/降 ⬆=涨/上/升 ⬇=跌/下/降
    🔺=涨/升 🔻=跌/降 🚀=飞/涨 ❤=心 ♥=心 ♡=心 💗=心 💖=心 💕=心 🧡=心 💛=心 💚=心 💙=心 💜=心
    🖤=心 ⭐=星 🌟=星 ✉=信 📧=信 📨=信 💌=信 🔒=锁 🔐=锁 🛡=保/盾 🏦=银行/银 📄=单 🎁=礼/送 🔥=火
    ➕=加 ✚=加 ➖=减 ❌=不/错 🚫=不/无/禁 ⛔=不/无/禁 ⭕=零 👍=赞/好 🌧=雨 🌬=风 💨=风 🌪=风 🍃=风/叶
    ⚠=险 🏠=家 🚗=车 🥚=蛋 🍞=包 🎒=包 👜=包 👝=包 💼=包 👛=包/钱 📦=包/保 🎯=准 👁=眼 😴=睡/躺
    🛏=床/躺 🛌=躺 🏆=冠/第一 🥇=第一/金 🔝=顶/最 🆙=涨/上 👴=老 👵=老 📱=手机 ☎=电话 📞=电话
    🐧=企鹅/qq 🛰=卫星 📖=本/书 📕=本/书 📗=本/书 📘=本/书 📙=本/书 📚=本/书 📓=本 📔=本 📒=本
    🌳=树/木 💊=药 🩸=血 💉=针 🏃=跑 🧍=站 🤝=合/握 💎=钻/赚 🔑=钥 🎫=票 🎟=票 🧾=票/单 🎰=赌 🍀=草
    ☔=伞/保 🏷=价/签 🧊=冰 🐭=鼠 🐯=虎 🐰=兔 🐲=龙 🐍=蛇 🐎=马 🐒=猴 🐶=狗 🐢=龟 🦆=鸭/压 🪿=鹅/额
    🐻=熊 🦌=路/鹿 🎉=庆
""")

# Runs of capital letters that finance uses as words of its own.
ABBREVIATIONS = _words("""
    etf lof fof qdii mom lpr gdp cpi ppi pmi ipo ipos reit reits app apps atm pos vip svip hsi
    msci sms wap nav aum irr roe roa roi eps ebit ebitda kyc kpi esg csrc nfra pboc amac sac cfa
    frm cfp afp rfp mba emba ceo cfo cto coo usb wifi nfc pdf ppt www com org net http https html
    dvd abs mbs cds cdo nft defi usdt btc eth usd cny hkd eur jpy gbp aud rmb wto imf fed ecb boj
    ytd mtd qoq yoy bps ttm ism nasdaq dow dji spx vix
""")
