"""What roles, levels, fields and acts are called on the pages of administration."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import Flask

from app.domain.advisor import AdvisorKind, ProfileField
from app.domain.organisation import OrgLevel, Role
from app.domain.tracking import TENANT_ZONE
from app.web.i18n import translate

ROLES: Final[dict[Role, str]] = {
    Role.ADMINISTRATOR: "管理员",
    Role.REVIEWER: "合规专员",
    Role.LEGAL: "法务",
    Role.BRAND: "品牌管理员",
    Role.OPERATOR: "内容运营",
    Role.BRANCH_HEAD: "机构负责人",
    Role.AUDITOR: "审计",
    Role.ADVISOR: "客户经理",
}
ROLE_DUTIES: Final[dict[Role, str]] = {
    Role.ADMINISTRATOR: "管理机构、客户经理、用户、角色和审核流程，查看留痕。",
    Role.REVIEWER: "审核作品，确认模板可免审，抽检，下架和召回内容。",
    Role.LEGAL: "在流程设有法务的一步审核作品。",
    Role.BRAND: "发布和停用模板，制作总部作品。",
    Role.OPERATOR: "制作总部作品，发布给机构，查看触达并导出。",
    Role.BRANCH_HEAD: "查看本机构的作品与触达，导出。",
    Role.AUDITOR: "查看全部内容、触达与留痕，不做任何改动。",
}
LEVELS: Final[dict[OrgLevel, str]] = {
    OrgLevel.HQ: "总行",
    OrgLevel.BRANCH: "分行",
    OrgLevel.SUB_BRANCH: "支行",
    OrgLevel.OUTLET: "网点",
}
KINDS: Final[dict[AdvisorKind, str]] = {
    AdvisorKind.ACCOUNT_MANAGER: "客户经理",
    AdvisorKind.WEALTH_MANAGER: "理财经理",
    AdvisorKind.INVESTMENT_ADVISER: "投资顾问",
    AdvisorKind.AGENT: "保险代理人",
    AdvisorKind.BROKER: "保险经纪人",
}
FIELDS: Final[dict[ProfileField, str]] = {
    ProfileField.NAME: "姓名",
    ProfileField.TITLE: "职务",
    ProfileField.PHONE: "电话",
    ProfileField.LICENCE_NO: "执业编号",
    ProfileField.PHOTO: "照片",
}
SUBJECTS: Final[dict[str, str]] = {
    "pin": "标注",
    "review_note": "内部备注",
    "advisor": "客户经理",
    "archive": "档案",
    "asset": "素材",
    "audit": "留痕",
    "brand": "品牌",
    "check": "检测",
    "absence": "离岗",
    "edition": "个人版",
    "inspection": "抽检",
    "evidence": "证据包",
    "hold": "法律保全",
    "lead": "留资",
    "org_unit": "机构",
    "piece": "作品",
    "profile": "资料",
    "publication": "发布",
    "reach": "触达",
    "retention": "保存期限",
    "recall": "召回",
    "review": "审核",
    "route": "审核流程",
    "sampling": "抽检比例",
    "sign_in": "登录",
    "roster": "导入",
    "template": "模板",
    "tenant": "租户",
    "token": "接口令牌",
    "user": "用户",
}
# The second half of an audit tag. The tag itself stands beside it: the words explain, the tag proves.
ACTS: Final[dict[str, str]] = {
    "advisor:change": "修改档案",
    "advisor:change_own": "本人修改资料",
    "advisor:create": "新增",
    "advisor:hand_over": "转交接任人",
    "advisor:leave": "离岗",
    "advisor:open_account": "开通账号",
    "advisor:portrait": "更换照片",
    "advisor:portrait_remove": "移除照片",
    "advisor:return": "返岗",
    "advisor:transfer": "调动",
    "advisor:verify": "核实资料",
    "absence:end": "提前结束",
    "absence:set": "登记",
    "archive:destroy": "期满销毁",
    "archive:read": "查阅",
    "archive:seal": "封存",
    "archive:search": "检索",
    "asset:upload": "上传",
    "audit:export": "导出",
    "audit:read": "查阅",
    "audit:verify": "核验",
    "brand:colour": "更换标识色",
    "check:complete": "完成检测",
    "check:recheck": "按现行规则复核",
    "check:replay": "重现检测结论",
    "edition:end": "抽检下架",
    "edition:open": "开始使用",
    "inspection:conclude": "填写结果",
    "inspection:draw": "抽中",
    "inspection:refuse": "拒绝（四眼原则）",
    "evidence:ask": "申请导出",
    "evidence:download": "下载",
    "evidence:export": "导出",
    "evidence:fail": "没有做成",
    "evidence:remove": "期满删除",
    "hold:ask_release": "申请解除",
    "hold:place": "设立",
    "hold:release": "解除",
    "lead:read": "查阅",
    "edition:recalled": "召回",
    "edition:refresh": "刷新",
    "org_unit:create": "新增",
    "org_unit:rename": "更名",
    "piece:approve": "通过",
    "piece:correct": "开始更正",
    "piece:drop_correction": "放弃更正",
    "piece:create": "新建",
    "piece:edit": "修改",
    "piece:lapse": "搁置过久，自动撤回",
    "piece:reject": "驳回",
    "piece:request_changes": "退回修改",
    "piece:submit": "送审",
    "piece:successor": "指定接替作品",
    "piece:withdraw": "撤回",
    "profile:approve": "通过变更",
    "profile:confirm": "本人确认无误",
    "profile:notice": "到期前提醒",
    "profile:propose": "提交变更",
    "profile:refuse": "拒绝（四眼原则）",
    "profile:reject": "驳回变更",
    "profile:withdraw": "撤回变更",
    "publication:expired": "到期",
    "publication:publish": "发布",
    "publication:recalled": "召回",
    "publication:replaced": "被新版替换",
    "publication:taken_down": "下架",
    "reach:export": "导出",
    "retention:lengthen": "延长",
    "recall:acknowledge": "客户经理确认停用",
    "recall:cancel": "取消",
    "recall:confirm": "第二人确认",
    "recall:propose": "发起",
    "recall:refuse": "拒绝（四眼原则）",
    "recall:remind": "提醒未确认者",
    "pin:fix": "确认标注已改",
    "pin:leave": "留下标注",
    "pin:reopen": "重新打开标注",
    "review_note:write": "写内部备注",
    "template:upgrade_ask": "请制作人用新版重做",
    "template:upgrade_keep": "保留旧版作品",
    "user:change_email": "更换通知邮箱",
    "review:approve_step": "通过一步",
    "review:assign": "转交",
    "review:claim": "认领",
    "review:escalate": "临期提醒",
    "review:lapse": "超时撤回",
    "review:open": "开始审核",
    "review:refuse": "拒绝（四眼原则）",
    "review:release": "放回队列",
    "review:take_over": "接手审核",
    "roster:import": "导入名册",
    "route:create": "新增",
    "route:order": "调整次序",
    "route:retire": "停用",
    "route:revise": "修订",
    "template:clear": "确认可免审",
    "template:load": "登记",
    "template:publish": "发布",
    "sampling:set": "设置",
    "template:refuse": "拒绝（四眼原则）",
    "template:unclear": "取消免审",
    "template:retire": "停用",
    "tenant:create": "建立机构",
    "sign_in:begin": "登录成功",
    "sign_in:end": "退出",
    "sign_in:fail": "密码错误",
    "sign_in:lock": "错误过多，暂停尝试",
    "token:issue": "取得",
    "token:revoke": "作废",
    "user:change_password": "本人修改密码",
    "user:create": "新增",
    "user:disable": "停用",
    "user:enable": "启用",
    "user:join": "认定为同一人",
    "user:reset_password": "重置密码",
    "user:set_roles": "调整角色",
}


def act_words(tag: str) -> str:
    """A tag in words; one without words is shown as it is."""
    subject = SUBJECTS.get(tag.partition(":")[0])
    act = ACTS.get(tag)
    return f"{translate(subject)} · {translate(act)}" if subject and act else tag


def instant(at: datetime | None) -> str:
    """A point in time to the second, in the tenant's zone: for records, not for reading on the way."""
    return f"{at.astimezone(TENANT_ZONE):%Y-%m-%d %H:%M:%S}" if at else ""


def record_day(at: datetime | None) -> str:
    """A day as records say it, in the tenant's zone."""
    return f"{at.astimezone(TENANT_ZONE):%Y-%m-%d}" if at else ""


def register_people_words(app: Flask) -> None:
    """Give templates the filters of names and acts, and of instants and days as records say them."""
    app.add_template_filter(lambda role: translate(ROLES[Role(role)]), "role_words")
    app.add_template_filter(lambda level: translate(LEVELS[OrgLevel(level)]), "level_words")
    app.add_template_filter(act_words, "act_words")
    app.add_template_filter(instant, "instant")
    app.add_template_filter(record_day, "record_day")
    app.add_template_filter(lambda said: instant(datetime.fromisoformat(said)), "recorded")
