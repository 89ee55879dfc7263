"""`imprimatur recheck`: what today's rules say of all that is live, and an old verdict once more."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import datetime
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode
from uuid import UUID

import click

from app.cli.check import EXIT_CODES, VERDICT_WORDS
from app.cli.edge import platform, tenant_named, tenant_option, terminal_actor
from app.domain.organisation import Actor, Role, TenantId
from app.domain.tracking import TENANT_ZONE
from app.services.recheck import (
    ChangedPiece,
    Replay,
    live_revisions,
    note_recheck,
    recheck_revisions,
    replay_check,
)
from compliance.finding import Finding, Severity
from compliance.report import Verdict

if TYPE_CHECKING:
    from app.bootstrap import Platform

_AT_ONCE: Final = 500
_DIFFERS: Final = 1
_EXITS: Final = {
    Severity.NOTE: EXIT_CODES[Verdict.PASS],
    Severity.WARN: EXIT_CODES[Verdict.WARN],
    Severity.REVIEW: EXIT_CODES[Verdict.REVIEW],
    Severity.BLOCK: EXIT_CODES[Verdict.BLOCK],
}


@click.command()
@tenant_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Only what was approved or published on that day or later.",
)
@click.option("--replay", "run_id", type=click.UUID, metavar="RUN_ID", help="Reproduce this old check.")
@click.option("--processes", type=click.IntRange(1), help="Default: one for each processor.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def recheck(
    *,
    tenant: str | None,
    since: datetime | None,
    run_id: UUID | None,
    processes: int | None,
    as_json: bool,
) -> None:
    """Judge everything published or approved by the rules of today, and list what changed.

    Exit status: 0 nothing new that stops a piece, 10 something now stops at review, 20 something is
    now blocked or cannot be judged. With --replay: 0 the old verdict comes again, 1 it does not.
    """
    found = platform()
    tenant_id = tenant_named(found, tenant)
    if run_id is not None:
        if since is not None:
            raise click.UsageError("--since says nothing about one old check")
        _replay(found, tenant_id, run_id, as_json=as_json)
        return
    by = _officer(tenant_id)
    start = since.replace(tzinfo=TENANT_ZONE) if since is not None else None
    with found.unit_of_work(by) as uow:
        revisions = live_revisions(uow, since=start)
    changed = list(rechecked(found, tenant_id, revisions, processes or os.cpu_count() or 1))
    with found.unit_of_work(by) as uow:
        note_recheck(uow, judged=len(revisions), changed=changed)
        version = uow.around.ruleset.version
        digest = uow.around.ruleset.digest
    address = found.settings.web.public_url
    if as_json:
        _say_json(
            {
                "ruleset": version,
                "digest": digest,
                "judged": len(revisions),
                "changed": [_piece_object(one, address) for one in changed],
            }
        )
    else:
        for one in changed:
            click.echo(_described(one, address))
        click.echo(f"规则包 {version}：复核 {len(revisions)} 件，{len(changed)} 件结论或提示有变化")
    gravest = max((one.weight for one in changed), key=lambda weight: weight.rank, default=Severity.NOTE)
    raise click.exceptions.Exit(_EXITS[gravest])


def rechecked(
    found: Platform, tenant_id: TenantId, revisions: Sequence[UUID], processes: int
) -> Iterator[ChangedPiece]:
    """Judge the revisions, in processes of their own where there are enough for it to pay."""
    parts = [revisions[at : at + _AT_ONCE] for at in range(0, len(revisions), _AT_ONCE)]
    if processes == 1 or len(parts) <= 1:
        for part in parts:
            with found.unit_of_work(_officer(tenant_id)) as uow:
                yield from recheck_revisions(uow, part)
        return
    # what was read and loaded here is theirs as well: only the connections are not
    found.read_rules()  # once, for all
    with ProcessPoolExecutor(
        min(processes, len(parts)),
        mp_context=get_context("fork"),
        initializer=_Apart.begin,
        initargs=(found, tenant_id),
    ) as pool:
        for changed in pool.map(_Apart.judge, parts):
            yield from changed


class _Apart:
    """What a process that helps judging holds."""

    platform: Platform
    officer: Actor

    @classmethod
    def begin(cls, platform: Platform, tenant_id: TenantId) -> None:
        platform.engine.dispose(close=False)
        gc.freeze()  # what all share is looked through, and so copied, by nobody
        cls.platform, cls.officer = platform, _officer(tenant_id)

    @classmethod
    def judge(cls, revisions: Sequence[UUID]) -> list[ChangedPiece]:
        with cls.platform.unit_of_work(cls.officer) as uow:
            return recheck_revisions(uow, revisions)


def _officer(tenant_id: TenantId) -> Actor:
    """Whoever looks at everything and changes nothing."""
    return terminal_actor(tenant_id, Role.AUDITOR)


def _replay(found: Platform, tenant_id: TenantId, run_id: UUID, *, as_json: bool) -> None:
    with found.unit_of_work(_officer(tenant_id)) as uow:
        replay = replay_check(uow, run_id)
    if as_json:
        _say_json(asdict(replay) | {"run_id": str(replay.run_id), "same": replay.is_same})
    else:
        click.echo(_replay_described(replay))
    if not replay.is_same:
        raise click.exceptions.Exit(_DIFFERS)


def _replay_described(replay: Replay) -> str:
    lines = [
        f"规则包 {replay.ruleset_version}（{replay.ruleset_digest}）",
        f"当时：{_word(replay.before)}，重现：{_word(replay.again)}，"
        + ("逐条一致" if replay.is_same else "不一致"),
    ]
    if not replay.read_as_kept:
        lines.append("当时没有留存检测原文，已按版本内容重新读取")
    lines += [f"  - {_kept_line(one)}" for one in replay.lost]
    lines += [f"  + {_kept_line(one)}" for one in replay.added]
    return "\n".join(lines)


def _kept_line(finding: Mapping[str, Any]) -> str:
    return f"[{finding['severity']}] {finding['field']} “{finding['text']}”  {finding['rule_id']}"


def _described(one: ChangedPiece, address: str) -> str:
    after = f"不能检测：{one.fault}" if one.after is None else _word(one.after)
    lines = [f"{one.piece_id}  {one.title}  {_word(one.before)} → {after}"]
    for finding in one.new:
        lines += [
            f"  [{finding.severity.value}] {finding.field} “{finding.text}”  {finding.rule_id}",
            f"      {finding.reason}",
            f"      依据：{finding.basis}",
            f"      召回：{_recall_page(finding, address)}",
        ]
    return "\n".join(lines)


def _piece_object(one: ChangedPiece, address: str) -> dict[str, Any]:
    return {
        "piece": str(one.piece_id),
        "revision": str(one.revision_id),
        "title": one.title,
        "before": one.before,
        "after": one.after.value if one.after is not None else None,
        "fault": one.fault or None,
        "new": [finding.to_dict() | {"recall": _recall_page(finding, address)} for finding in one.new],
    }


def _recall_page(finding: Finding, address: str) -> str:
    """Where an officer takes back everything that this rule finds."""
    return f"{address}/recalls/new?{urlencode({'by': 'rule', 'subject': finding.rule})}"


def _word(verdict: str | None) -> str:
    return VERDICT_WORDS[Verdict(verdict)] if verdict is not None else "未检测"


def _say_json(said: Mapping[str, Any]) -> None:
    click.echo(json.dumps(said, ensure_ascii=False))
