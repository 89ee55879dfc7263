"""A pack for whoever must be shown: records, pictures, the trail behind them, and how to verify it all."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

import app.domain.evidence
from app.domain.archive import file_key, record_key
from app.domain.checkpoint import Checkpoint, read_checkpoint
from app.domain.errors import InvalidInput
from app.domain.evidence import ENTRIES, FORMAT, KEY, MANIFEST, SIGNATURE
from app.domain.organisation import Actor, Permission, Scope
from app.domain.piece import canonical_json
from app.domain.template import ProductType
from app.domain.tracking import TENANT_ZONE
from app.models.advisor import Advisor
from app.models.archive import ArchiveItem
from app.models.audit import AuditEntry
from app.models.check import CheckRun
from app.models.checkpoint import AuditCheckpoint
from app.models.edition import Edition
from app.models.organisation import OrgUnit
from app.models.piece import Piece
from app.models.publication import Publication
from app.models.retention import LegalHold
from app.models.review import Review
from app.models.tenant import Tenant
from app.models.user import User
from app.ports import Signer, TaskName
from app.queries.scope import within
from app.services.access import require
from app.services.checkpoint import make_checkpoints
from app.services.evidence_report import (
    PRODUCTS,
    EntryLine,
    PointLine,
    Report,
    ReportedItem,
    write_report,
)
from app.services.unit_of_work import Surroundings, UnitOfWork

Begin = Callable[[], AbstractContextManager[UnitOfWork]]

REPORT: Final = "report.pdf"
_README: Final = "README.txt"
_VERIFIER: Final = "verify.py"
_MOST_ITEMS: Final = 500
# Every file of a pack bears this time: equal content gives equal files.
_STAMP: Final = (1980, 1, 1, 0, 0, 0)

_HOW_TO: Final = """\
证据包 · 印信 Imprimatur
机构：{institution}
范围：{scope}
生成：{made_at}

report.pdf        可读报告
records/          每份内容的规范记录（JSON），与封存时逐字节一致
pictures/         对外展示的图片，文件名即其 SHA-256
audit/            与这些内容有关的留痕，每条都带链条指纹与所属检查点
checkpoints/      已签名的检查点
manifest.json     全部文件的 SHA-256；manifest.sig 是对它的 Ed25519 签名
public-key.txt    验证用公钥（请与机构另行提供的公钥核对）

离线核验（只需要 Python 3.9 以上，不需要网络和数据库）：

    python3 verify.py {name}
    python3 verify.py {name} --key 公钥

Verify offline, with Python alone: python3 verify.py PACK.zip [--key HEX]
Exit 0: whole. Exit 1: each changed, missing or added file is named.
"""


@dataclass(frozen=True, slots=True)
class EvidenceScope:
    """What a pack is about; days are days of the tenant's zone on which it was public, both included."""

    piece_id: UUID | None = None
    staff_no: str = ""
    product: ProductType | None = None
    since: date | None = None
    until: date | None = None

    @property
    def is_empty(self) -> bool:
        return not self.to_dict()

    def to_dict(self) -> dict[str, str]:
        said = {
            "piece": str(self.piece_id) if self.piece_id else "",
            "advisor": self.staff_no,
            "product": self.product.value if self.product else "",
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: value for name, value in said.items() if value}

    @classmethod
    def of_dict(cls, said: Mapping[str, str]) -> "EvidenceScope":
        return cls(
            piece_id=UUID(said["piece"]) if "piece" in said else None,
            staff_no=said.get("advisor", ""),
            product=ProductType(said["product"]) if "product" in said else None,
            since=date.fromisoformat(said["since"]) if "since" in said else None,
            until=date.fromisoformat(said["until"]) if "until" in said else None,
        )

    def named(self) -> dict[str, str]:
        """The scope without a person's name or number."""
        return {name: "given" if name == "advisor" else value for name, value in self.to_dict().items()}


@dataclass(frozen=True, slots=True)
class Pack:
    """What was written."""

    made_at: datetime
    scope: EvidenceScope
    reach: tuple[str, ...]  # the subtrees it was gathered from
    items: int
    entries: int
    digest: str  # the SHA-256 of the manifest


def export_evidence(begin: Begin, scope: EvidenceScope, out: BinaryIO) -> Pack:
    """Write a pack to an open file, and record that it was: a zip that proves itself without us.

    Raises InvalidInput, AccessDenied.
    """
    pack = draw_evidence(begin, scope, out)
    with begin() as uow:
        record_export(uow, uow.tenant_id, pack)
    return pack


def draw_evidence(begin: Begin, scope: EvidenceScope, out: BinaryIO) -> Pack:
    """Write a pack to an open file; handing it out is recorded by whoever does.

    What the trail has to be signed for is over before anything is read, and what is read before
    minutes are spent on pictures and the report: meanwhile no transaction is open, and nobody waits.
    Raises InvalidInput, AccessDenied.
    """
    with begin() as uow:
        require(uow, Permission.EVIDENCE_EXPORT)
        _require_some(scope)
        # what is not under a checkpoint yet is proved by nothing
        make_checkpoints(uow)
        uow.after_commit(TaskName.CHECKPOINT_AUDIT)
    with begin() as uow:
        gathered = _gather(uow, scope)
    with zipfile.ZipFile(out, "w") as archive:
        digest = _write(gathered, _Writer(archive))
    return Pack(
        gathered.at, gathered.scope, gathered.reach, len(gathered.items), len(gathered.entries), digest
    )


def require_exportable(uow: UnitOfWork, scope: EvidenceScope) -> Scope:
    """The subtrees a pack of this scope would be gathered from. Raises InvalidInput, AccessDenied."""
    reach = require(uow, Permission.EVIDENCE_EXPORT)
    _require_some(scope)
    _items(uow, scope, reach)
    return reach


def record_export(uow: UnitOfWork, subject_id: UUID, pack: Pack, **more: str) -> None:
    uow.audit.record(
        "evidence:export",
        subject_id,
        scope=pack.scope.named(),
        records=pack.items,
        entries=pack.entries,
        manifest=pack.digest,
        **more,
    )


def pack_name(made_at: datetime) -> str:
    return f"evidence-{made_at.astimezone(TENANT_ZONE):%Y%m%d-%H%M%S}.zip"


def _require_some(scope: EvidenceScope) -> None:
    if scope.is_empty:
        raise InvalidInput.of("scope", "required", "请至少选择一项：作品、客户经理、产品或期间。")


@dataclass(frozen=True, slots=True)
class _Gathered:
    """All that the database says for a pack, read in one unit of work."""

    around: Surroundings
    at: datetime
    by: Actor
    tenant: Tenant
    scope: EvidenceScope
    words: str
    reach: tuple[str, ...]
    items: list[ArchiveItem]
    entries: list[AuditEntry]
    points: list[tuple[Checkpoint, bytes]]  # each with its bytes as they were signed
    names: dict[str, str]


def _gather(uow: UnitOfWork, scope: EvidenceScope) -> _Gathered:
    reach = require(uow, Permission.EVIDENCE_EXPORT)
    items = _items(uow, scope, reach)
    entries = _entries(uow, items)
    return _Gathered(
        around=uow.around,
        at=uow.clock.now(),
        by=uow.actor,
        tenant=uow.session.get_one(Tenant, uow.tenant_id),
        scope=scope,
        words=scope_words(uow, scope),
        reach=reach.paths,
        items=items,
        entries=entries,
        points=_points(uow, [entry.seq for entry in entries]),
        names=_names(uow, {entry.actor for entry in entries}),
    )


def _write(gathered: _Gathered, writer: "_Writer") -> str:
    signer = gathered.around.signer
    report = Report(
        institution=gathered.tenant.name,
        scope=gathered.words,
        made_at=gathered.at,
        made_by=gathered.by.name,
        key=signer.public_key.hex(),
        key_id=signer.key_id,
        items=[_write_item(gathered, writer, item) for item in gathered.items],
        entries=_write_trail(gathered, writer),
        points=[PointLine(one.number, one.first, one.last, one.at, one.digest) for one, _ in gathered.points],
    )
    writer.add(REPORT, write_report(report))
    writer.add(KEY, f"{signer.public_key.hex()}\n".encode())
    writer.add(_VERIFIER, Path(app.domain.evidence.__file__).read_bytes())
    told = _HOW_TO.format(
        institution=gathered.tenant.name,
        scope=gathered.words,
        made_at=f"{gathered.at.astimezone(TENANT_ZONE):%Y-%m-%d %H:%M:%S}",
        name=pack_name(gathered.at),
    )
    writer.add(_README, told.encode())
    return writer.sign(
        signer,
        {
            "made_at": gathered.at.isoformat(),
            "made_by": str(gathered.by.user_id or gathered.by.name),
            "tenant": str(gathered.tenant.id),
            "institution": gathered.tenant.name,
            "scope": gathered.scope.named(),
        },
    )


class _Writer:
    """Adds files to the zip and remembers what each one was."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._zip = archive
        self._files: dict[str, str] = {}

    def add(self, name: str, data: bytes) -> None:
        if name in self._files:
            return  # a picture that two records show
        self._write(name, data)
        self._files[name] = hashlib.sha256(data).hexdigest()

    def sign(self, signer: Signer, facts: dict[str, object]) -> str:
        manifest = canonical_json({"format": FORMAT, "key": signer.key_id, "files": self._files, **facts})
        self._write(MANIFEST, manifest)
        self._write(SIGNATURE, f"{signer.sign(manifest).hex()}\n".encode())
        return hashlib.sha256(manifest).hexdigest()

    def _write(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, _STAMP)
        # pictures are compressed already
        entry.compress_type = zipfile.ZIP_STORED if name.endswith((".jpg", ".pdf")) else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, data)


def _items(uow: UnitOfWork, scope: EvidenceScope, reach: Scope) -> list[ArchiveItem]:
    statement = (
        select(ArchiveItem)
        .join(Publication, Publication.id == ArchiveItem.publication_id)
        .join(Piece, Piece.id == ArchiveItem.piece_id)
        .join(OrgUnit, OrgUnit.id == Piece.org_unit_id)
        .where(within(reach, OrgUnit.path))
        .order_by(ArchiveItem.noted_at, ArchiveItem.id)
        .options(joinedload(ArchiveItem.publication))
        .limit(_MOST_ITEMS + 1)
    )
    if scope.piece_id:
        statement = statement.where(ArchiveItem.piece_id == scope.piece_id)
    if scope.staff_no:
        statement = statement.join(Advisor, Advisor.id == ArchiveItem.advisor_id).where(
            Advisor.staff_no == scope.staff_no
        )
    if scope.product:
        statement = statement.where(ArchiveItem.product_type == scope.product)
    if scope.since:
        statement = statement.where(
            func.least(func.coalesce(Publication.ended_at, Publication.valid_until), Publication.valid_until)
            > _start(scope.since)
        )
    if scope.until:
        statement = statement.where(Publication.valid_from < _start(scope.until + timedelta(days=1)))
    found = list(uow.session.scalars(statement))
    if not found:
        raise InvalidInput.of("scope", "nothing_found", "这个范围里没有对外展示过的内容。")
    if len(found) > _MOST_ITEMS:
        raise InvalidInput.of("scope", "too_many", f"一个证据包最多 {_MOST_ITEMS} 份内容，请缩小范围。")
    if waiting := sum(item.sealed_at is None for item in found):
        raise InvalidInput.of("scope", "not_sealed", f"有 {waiting} 份内容正在封存，请一分钟后再试。")
    return found


def _start(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), TENANT_ZONE)


def _write_item(gathered: _Gathered, writer: _Writer, item: ArchiveItem) -> ReportedItem:
    vault, tenant_id = gathered.around.vault, gathered.tenant.id
    data = vault.read(record_key(tenant_id, item.id))
    writer.add(f"records/{item.id}.json", data)
    pictures = {}
    for sha256 in item.files:
        pictures[sha256] = vault.read(file_key(tenant_id, sha256))
        writer.add(f"pictures/{sha256}.jpg", pictures[sha256])
    return ReportedItem(
        record=json.loads(data),
        record_sha256=item.record_sha256 or "",
        ended_at=item.publication.ended_at,
        end_reason=item.publication.end_reason,
        end_note=item.publication.end_note,
        pictures=pictures,
    )


def _write_trail(gathered: _Gathered, writer: _Writer) -> list[EntryLine]:
    """Every entry about these items, each with the signed checkpoint that names its hash."""
    for point, signed in gathered.points:
        writer.add(f"checkpoints/{point.number:09}.json", signed)
    lines, told = [], []
    for row in gathered.entries:
        number = next(point.number for point, _ in gathered.points if point.first <= row.seq <= point.last)
        lines.append(
            canonical_json(
                {
                    "seq": row.seq,
                    "record": row.record.decode(),
                    "previous_hash": row.previous_hash,
                    "hash": row.hash,
                    "checkpoint": number,
                }
            )
        )
        name = gathered.names.get(row.actor, row.actor)
        told.append(EntryLine(row.seq, row.at, row.tag, name, row.subject_id, number))
    writer.add(ENTRIES, b"".join(line + b"\n" for line in lines))
    return told


def _entries(uow: UnitOfWork, items: list[ArchiveItem]) -> list[AuditEntry]:
    signed = uow.session.scalar(select(func.max(AuditCheckpoint.last_seq))) or 0
    return list(
        uow.session.scalars(
            select(AuditEntry)
            # what was recorded since is proved by nothing, and belongs to the next pack
            .where(AuditEntry.subject_id.in_(_subjects(uow, items)), AuditEntry.seq <= signed)
            .order_by(AuditEntry.seq)
        )
    )


def _subjects(uow: UnitOfWork, items: list[ArchiveItem]) -> set[str]:
    """The ids that entries about these items speak of."""
    pieces = {item.piece_id for item in items}
    found: set[UUID] = {*pieces, *(item.id for item in items), *(item.publication_id for item in items)}
    revisions = {item.publication.revision_id for item in items}
    found |= set(uow.session.scalars(select(CheckRun.id).where(CheckRun.revision_id.in_(revisions))))
    found |= set(uow.session.scalars(select(Review.id).where(Review.piece_id.in_(pieces))))
    found |= set(uow.session.scalars(select(Piece.template_version_id).where(Piece.id.in_(pieces))))
    found |= set(uow.session.scalars(select(LegalHold.id).where(LegalHold.piece_id.in_(pieces))))
    found |= set(
        uow.session.scalars(
            select(Edition.id).where(
                Edition.piece_id.in_(pieces),
                Edition.advisor_id.in_({item.advisor_id for item in items if item.advisor_id}),
            )
        )
    )
    return {str(one) for one in found}


def _points(uow: UnitOfWork, seqs: list[int]) -> list[tuple[Checkpoint, bytes]]:
    """The checkpoints that cover these entries, as they were signed."""
    if not seqs:
        return []
    rows = uow.session.scalars(
        select(AuditCheckpoint)
        .where(AuditCheckpoint.last_seq >= seqs[0], AuditCheckpoint.first_seq <= seqs[-1])
        .order_by(AuditCheckpoint.number)
    )
    return [
        (read_checkpoint(row.signed, number=row.number, genuine=uow.around.signer.is_genuine), row.signed)
        for row in rows
        if any(row.first_seq <= seq <= row.last_seq for seq in seqs)
    ]


def _names(uow: UnitOfWork, actors: set[str]) -> dict[str, str]:
    ids = set()
    for actor in actors:
        try:
            ids.add(UUID(actor))
        except ValueError:
            continue
    return {
        str(user_id): name
        for user_id, name in uow.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    }


def scope_words(uow: UnitOfWork, scope: EvidenceScope) -> str:
    """The scope for people; what cannot be found by it is found by nobody."""
    parts = []
    if scope.piece_id:
        title = uow.session.scalar(select(Piece.title).where(Piece.id == scope.piece_id))
        parts.append(f"作品《{title}》" if title else f"作品 {scope.piece_id}")
    if scope.staff_no:
        name = uow.session.scalar(select(Advisor.name).where(Advisor.staff_no == scope.staff_no))
        parts.append(f"客户经理 {name or ''}（工号 {scope.staff_no}）")
    if scope.product:
        parts.append(f"产品：{PRODUCTS[scope.product.value]}")
    if scope.since or scope.until:
        parts.append(f"公开期间 {scope.since or '最早'} 至 {scope.until or '最近'}")
    return "；".join(parts)
