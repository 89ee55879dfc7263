"""The rules: to be read, and kept for every verdict that rests on them, so that it can be reproduced."""

import io
import zipfile
import zlib
from typing import Final

import structlog

from app.domain.errors import Unavailable
from app.domain.organisation import Permission
from app.ports import ObjectMissing
from app.services.access import require
from app.services.unit_of_work import UnitOfWork
from compliance.document import Sector
from compliance.rule import Rule
from compliance.ruleset import Ruleset, RulesetError, read_ruleset

log = structlog.get_logger(__name__)

# One instant for all, so that the same files are the same bytes.
_WRITTEN: Final = (1980, 1, 1, 0, 0, 0)


class RulesetNotKept(Unavailable):
    """The files of a ruleset are not there, or are not the ones that were kept."""

    code = "ruleset_not_kept"
    reason = "规则包 {digest} 的文件没有留存，或已与留存时不一致。"
    remedy = "请从备份恢复对象库中的 {key}，再重新核验。"


def ruleset_key(digest: str) -> str:
    return f"rulesets/{digest}.zip"


def keep_ruleset(uow: UnitOfWork) -> None:
    """Keep the files of the present ruleset under its digest, once.

    The bytes come first: a run never names a ruleset that is not there. Raises
    ObjectStoreUnavailable; the run then stays queued and is tried again.
    """
    ruleset = uow.around.ruleset
    if uow.around.rulesets.get(ruleset.digest):
        return
    key = ruleset_key(ruleset.digest)
    if not uow.store.exists(key):
        uow.store.put(key, _packed(ruleset), "application/zip")
    uow.around.rulesets.keep(ruleset.digest, value=True)


def kept_ruleset(uow: UnitOfWork, digest: str) -> Ruleset:
    """The ruleset of that digest, read from what was kept; raises RulesetNotKept.

    What the store gives back is believed by its digest alone.
    """
    if digest == uow.around.ruleset.digest:
        return uow.around.ruleset
    key = ruleset_key(digest)
    try:
        ruleset = read_ruleset(_unpacked(uow.store.get(key)))
    except (ObjectMissing, zipfile.BadZipFile, zlib.error, RulesetError) as error:
        log.warning("ruleset_unusable", key=key, reason=str(error))
        raise RulesetNotKept(digest=digest, key=key) from error
    if ruleset.digest != digest:
        raise RulesetNotKept(digest=digest, key=key)
    return ruleset


def rules_found(uow: UnitOfWork, *, words: str = "", sector: Sector | None = None) -> list[Rule]:
    """The rules that a sector reads and that speak of those words, in their name, clause or examples."""
    require(uow, Permission.REVIEW_VIEW)
    sought = words.casefold()
    return [
        rule
        for rule in uow.around.ruleset.rules
        if (sector is None or not rule.sectors or sector in rule.sectors)
        and any(sought in text.casefold() for text in _told(rule))
    ]


def _told(rule: Rule) -> tuple[str, ...]:
    examples = rule.examples
    return (rule.id, rule.title, rule.basis, rule.reason, *examples.violations, *examples.compliant)


def _packed(ruleset: Ruleset) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in ruleset.files:
            packed.writestr(zipfile.ZipInfo(name, _WRITTEN), content, zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _unpacked(data: bytes) -> list[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        return [(name, packed.read(name)) for name in packed.namelist()]
