"""What can go wrong, in the words of the trade: a code, its data, a reason and a remedy.

No status and no markup: app/web/errors.py alone knows how HTTP says it.
The sentences are message ids; an edge may translate them before filling in the data.
"""

from dataclasses import dataclass
from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller asked for cannot be done, and we can say why."""

    code: ClassVar[str] = "error"
    reason: ClassVar[str] = "操作未能完成。"
    remedy: ClassVar[str] = ""

    def __init__(self, **data: Any) -> None:
        self.data = data
        super().__init__(self.code)

    @property
    def field(self) -> str | None:
        """The field at fault, where there is exactly one."""
        return self.data.get("field")

    def __str__(self) -> str:
        return " ".join(part for part in (self.said(self.reason), self.said(self.remedy)) if part)

    def said(self, sentence: str) -> str:
        """Fill this error's data into one of its sentences."""
        return sentence.format_map(_Blank(self.data))


class _Blank(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return ""


class Missing(DomainError):
    """The thing does not exist, or not for this person: the two are not told apart."""

    code = "missing"
    reason = "没有找到您要的内容。"
    remedy = "它可能已被移走，或不在您的范围内；请从列表重新进入。"


class AccessDenied(DomainError):
    """The person is known but may not do this."""

    code = "access_denied"
    reason = "您的角色不能进行这项操作。"
    remedy = "如确有需要，请联系管理员调整权限。"


class SelfApproval(AccessDenied):
    """A contributor tried to decide on their own work."""

    code = "self_approval"
    reason = "四眼原则：参与制作的人不能审核同一份作品。"
    remedy = "请由另一位审核人处理。"


class SignInRequired(DomainError):
    code = "sign_in_required"
    reason = "请先登录。"
    remedy = "登录后会回到刚才的页面。"


class TokenRequired(SignInRequired):
    """A machine came without a token that is valid now."""

    code = "token_required"
    reason = "没有带令牌，或令牌已失效。"
    remedy = "请重新取得令牌，并在每个请求中带上。"


class WrongCredentials(DomainError):
    code = "wrong_credentials"
    reason = "账号或密码不正确。"
    remedy = "请核对后重试；忘记密码请联系管理员重置。"


class TooManyAttempts(DomainError):
    """Throttled; data carries retry_after_s."""

    code = "too_many_attempts"
    reason = "尝试次数过多，账号本身没有被锁定。"
    remedy = "请在 {retry_after_s} 秒后再试。"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with one field: what, why, and where in a file if it came from one."""

    field: str
    code: str
    reason: str
    row: int | None = None
    column: str | None = None


class InvalidInput(DomainError):
    """What was entered cannot be used; every fault is listed, nothing was changed."""

    code = "invalid_input"
    reason = "有 {count} 处需要修改，其余内容已保留。"
    remedy = "请按每一处的提示修改后再提交。"

    def __init__(self, *faults: Fault, **data: Any) -> None:
        self.faults = faults
        super().__init__(count=len(faults), **data)

    @classmethod
    def of(cls, field: str, code: str, reason: str) -> "InvalidInput":
        return cls(Fault(field, code, reason))


class IllegalTransition(DomainError):
    """The thing exists and the person may act, but not from the state it is in."""

    code = "illegal_transition"
    reason = "当前状态“{state}”下不能进行“{action}”。"
    remedy = "页面可能已过时，请刷新后查看最新状态。"


class StaleRevision(DomainError):
    """A decision named a revision that is no longer the one under review."""

    code = "stale_revision"
    reason = "内容在您打开之后有了新版本，您的决定没有生效。"
    remedy = "请刷新查看当前版本后再决定。"


class AlreadyDecided(DomainError):
    """Somebody was first. Data says how it stands now: state, and the step that waits, if any."""

    code = "already_decided"
    reason = "这一轮审核已有决定。"
    remedy = "请刷新查看结果。"


class GateClosed(DomainError):
    """Publishing was asked for content that carries no matching approval."""

    code = "gate_closed"
    reason = "没有与当前内容一致的审核通过记录，不能发布：{detail}"
    remedy = "请先送审并获得通过。"


class CheckBlocked(DomainError):
    """The checker found something that may not be published; data carries the report."""

    code = "check_blocked"
    reason = "合规检测发现 {count} 处不能对外使用的表述，尚未送审。"
    remedy = "请按提示修改；采用建议措辞后可直接送审。"


class QualificationMissing(DomainError):
    """The advisor's licence does not cover this product, or has lapsed."""

    code = "qualification_missing"
    reason = "您的执业资格不覆盖此类产品，或已到期。"
    remedy = "请联系支行更新执业信息，或选用其他模板。"


class Ended(DomainError):
    """What a link leads to is no longer (or not yet) public; data says since when and why."""

    code = "ended"
    reason = "该内容已停止使用。"
    remedy = "请联系机构获取当前有效的资料。"


class ImportRefused(InvalidInput):
    """A file was not imported; every faulty row is listed and nothing was changed."""

    code = "import_refused"
    reason = "文件中有 {count} 处错误，没有导入任何一行。"
    remedy = "请按行号修改后重新上传。"


class TooLarge(DomainError):
    """More than the platform takes at once; data names the limit. Nothing was changed."""

    code = "too_large"
    reason = "内容超过了一次能处理的上限（{limit}）。"
    remedy = "请分成几份再提交。"


class UnsupportedFile(DomainError):
    """The file is of a kind we do not open, judged by its content and not by its name."""

    code = "unsupported_file"
    reason = "不支持这种文件。"
    remedy = "请使用 {formats}。"


class Unavailable(DomainError):
    """A server we depend on does not answer; nothing was lost."""

    code = "unavailable"
    reason = "系统暂时无法完成此操作，您的内容没有丢失。"
    remedy = "请稍后重试。"


class DifferentRepeat(DomainError):
    """An idempotency key was used again for something else."""

    code = "different_repeat"
    reason = "同一个幂等键已用于另一个请求。"
    remedy = "请为新的请求使用新的键。"


class TermOnlyGrows(DomainError):
    """A retention term is never made shorter."""

    code = "term_only_grows"
    reason = "保存期限只能延长：现为 {years} 年。"
    remedy = "请填写不少于现有年数的期限。"


class RecordIsKept(DomainError):
    """The record is inside its term or under a hold, so nobody may destroy it."""

    code = "record_is_kept"
    reason = "这份记录不能销毁：{why}"


class SecondPersonNeeded(AccessDenied):
    """Whoever asked for a hold to be lifted does not lift it."""

    code = "second_person_needed"
    reason = "解除保全需要另一个人确认，申请人本人不能确认。"
