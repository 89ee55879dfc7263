"""A pack proves itself: to a program with nothing but Python, down to the byte that was changed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pypdfium2
import pytest
from sqlalchemy import select, text

from app.adapters.signer import Ed25519Signer
from app.domain.errors import AccessDenied, InvalidInput
from app.domain.evidence import ENTRIES, MANIFEST, SIGNATURE, canonical, is_signed, sha256, verify_pack
from app.domain.organisation import Actor
from app.models.archive import ArchiveItem
from app.models.audit import AuditEntry
from app.services import evidence
from app.services.checkpoint import make_checkpoints
from app.services.evidence import EvidenceScope, export_evidence
from app.services.record import seal_record
from app.services.retention import HoldScope, HoldTarget, place_hold
from tests.factories import House

SENTENCE = "时间，站在耐心的人一边"


@pytest.fixture
def house(small_house: House) -> House:
    """Two pieces of two advisors and one for everybody, all sealed."""
    house = small_house
    house.published("advisor", "note", headline=SENTENCE)
    house.published("advisor_b", "note", headline="把钱交给时间")
    house.published("operator", "note", headline="早起的人先看见光")
    seal(house)
    return house


def seal(house: House) -> None:
    with house.platform.sessions() as session:
        waiting = session.scalars(select(ArchiveItem.id).where(ArchiveItem.sealed_at.is_(None))).all()
    for item_id in waiting:
        with house.platform.unit_of_work(Actor.system("record", house.tenant_id)) as uow:
            seal_record(uow, item_id)


def piece_of(house: House, who: str):
    with house.platform.sessions() as session:
        return session.scalars(
            select(ArchiveItem.piece_id).where(ArchiveItem.advisor_id == house.people[who].advisor_id)
        ).one()


def pack_of(house: House, who: str = "auditor", **asked) -> bytes:
    out = io.BytesIO()
    scope = EvidenceScope(**asked)
    export_evidence(partial(house.by, who), scope, out)
    return out.getvalue()


def test_a_long_report_does_not_lose_its_transaction(house, monkeypatch):
    """The report of hundreds of records is drawn while no transaction is open."""
    drawn = evidence.write_report
    monkeypatch.setattr(evidence, "write_report", lambda report: (time.sleep(0.5), drawn(report))[1])
    scope, out = EvidenceScope(piece_id=piece_of(house, "advisor")), io.BytesIO()

    @contextmanager
    def hurried():
        with house.by("auditor") as uow:
            uow.session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 100"))
            yield uow

    export_evidence(hurried, scope, out)

    assert verify_pack(out).is_whole


def test_while_a_report_is_drawn_the_trail_goes_on_and_is_signed(house, monkeypatch):
    piece_id, drawn, signed = piece_of(house, "advisor"), evidence.write_report, []

    def interrupted(report):
        with house.by("auditor") as uow:
            uow.audit.record("archive:view", piece_id)
        with house.by("auditor") as uow:
            signed.append(make_checkpoints(uow))
        return drawn(report)

    monkeypatch.setattr(evidence, "write_report", interrupted)

    assert verify_pack(io.BytesIO(pack_of(house, piece_id=piece_id))).is_whole
    assert signed == [1]


def test_what_is_recorded_after_the_last_signature_waits_for_the_next_pack(house, monkeypatch):
    piece_id, found = piece_of(house, "advisor"), evidence._items

    def overtaken(*asked):
        with house.by("auditor") as uow:
            uow.audit.record("archive:view", piece_id)
        return found(*asked)

    before = len(read(pack_of(house, piece_id=piece_id), ENTRIES).splitlines())
    monkeypatch.setattr(evidence, "_items", overtaken)
    overtaken_pack = pack_of(house, piece_id=piece_id)
    monkeypatch.undo()

    assert verify_pack(io.BytesIO(overtaken_pack)).is_whole
    assert len(read(overtaken_pack, ENTRIES).splitlines()) == before
    assert len(read(pack_of(house, piece_id=piece_id), ENTRIES).splitlines()) == before + 1


@pytest.fixture
def pack(house: House) -> bytes:
    return pack_of(house, piece_id=piece_of(house, "advisor"))


def names_in(pack: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return archive.namelist()


def read(pack: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return archive.read(name)


def remade(pack: bytes, **changed: bytes | None) -> bytes:
    """The pack with some files replaced, removed (None) or added; every checksum of the zip is right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            data = changed.pop(name, old.read(name))
            if data is not None:
                new.writestr(name, data)
        for name, data in changed.items():
            if data is not None:
                new.writestr(name, data)
    return out.getvalue()


def test_a_pack_is_whole_and_holds_what_was_asked_for(house, pack):
    verdict = verify_pack(io.BytesIO(pack))

    assert verdict.faults == []
    assert (verdict.records, verdict.pictures) == (1, 1)
    assert verdict.entries >= 7  # made, changed, sent, checked, opened, approved, published, sealed
    assert verdict.checkpoints == 1
    assert {"report.pdf", "verify.py", "public-key.txt", "README.txt", MANIFEST, SIGNATURE} <= set(
        names_in(pack)
    )


def test_it_is_verified_by_its_own_verifier_with_nothing_but_python(pack, tmp_path):
    """Another interpreter, no site packages, no environment, no database: only what is in the pack."""
    file = tmp_path / "pack.zip"
    file.write_bytes(pack)
    (tmp_path / "verify.py").write_bytes(read(pack, "verify.py"))

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-I", "-S", "verify.py", "pack.zip", *more],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            check=False,
        )

    whole = run()
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert whole.stdout.startswith("WHOLE: ")
    assert run("--key", read(pack, "public-key.txt").decode().strip()).returncode == 0
    strange = run("--key", Ed25519Signer(b"s" * 32).public_key.hex())
    assert strange.returncode == 1
    assert "no signature of a trusted key" in strange.stdout

    name = next(one for one in names_in(pack) if one.startswith("pictures/"))
    file.write_bytes(remade(pack, **{name: read(pack, name)[:-1] + b"x"}))
    broken = run()
    assert broken.returncode == 1
    assert f"FAULT {name}: was changed" in broken.stdout


def test_a_changed_byte_is_named_in_whichever_file_it_is(pack):
    for name in names_in(pack):
        whole = read(pack, name)
        for place in {0, len(whole) // 3, len(whole) // 2, len(whole) - 1}:
            changed = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            faults = verify_pack(io.BytesIO(remade(pack, **{name: changed}))).faults
            named = MANIFEST if name == SIGNATURE else name
            # the line end after a signature or key carries nothing
            assert any(one.startswith(named) for one in faults) or (
                name == SIGNATURE and place == len(whole) - 1
            ), (name, place, faults)


def test_no_changed_byte_of_the_archive_itself_passes_for_another_content(pack):
    contents = {name: read(pack, name) for name in names_in(pack)}
    for place in range(0, len(pack), 61):
        changed = pack[:place] + bytes([pack[place] ^ 0x10]) + pack[place + 1 :]
        if verify_pack(io.BytesIO(changed)).is_whole:
            assert {name: read(changed, name) for name in names_in(changed)} == contents, place


def test_what_is_missing_or_added_is_named(pack):
    record = next(one for one in names_in(pack) if one.startswith("records/"))
    assert f"{record}: is missing" in verify_pack(io.BytesIO(remade(pack, **{record: None}))).faults
    added = verify_pack(io.BytesIO(remade(pack, **{"records/more.json": b"{}"}))).faults
    assert added == ["records/more.json: was added to the pack"]


def resigned(pack: bytes, signer: Ed25519Signer, **changed: bytes) -> bytes:
    """A pack that somebody with a key of their own has changed and made consistent again."""
    manifest = json.loads(read(pack, MANIFEST))
    changed["public-key.txt"] = signer.public_key.hex().encode()
    manifest["files"] |= {name: sha256(data) for name, data in changed.items()}
    stated = canonical(manifest | {"key": signer.key_id})
    return remade(pack, **changed, **{MANIFEST: stated, SIGNATURE: signer.sign(stated).hex().encode()})


def test_a_pack_signed_anew_by_a_stranger_is_told_by_the_institutions_key(house, pack):
    record = next(one for one in names_in(pack) if one.startswith("records/"))
    forged = read(pack, record).replace(b"demo-reviewer", b"demo-somebody")
    made = resigned(pack, Ed25519Signer(b"s" * 32), **{record: forged})

    faults = verify_pack(io.BytesIO(made), keys=(house.platform.signer.public_key,)).faults
    assert f"{MANIFEST}: bears no signature of a trusted key" in faults


def test_even_whoever_holds_the_key_cannot_fit_another_record_to_the_checkpoints(house, pack):
    """Signed with the very key: the record is another than the trail says was sealed."""
    signer = house.platform.signer
    record = next(one for one in names_in(pack) if one.startswith("records/"))
    forged = read(pack, record).replace(b"demo-reviewer", b"demo-somebody")
    entries = read(pack, "audit/entries.jsonl").replace(b"piece:approve", b"piece:reject_")

    faults = verify_pack(io.BytesIO(resigned(pack, signer, **{record: forged}))).faults
    assert faults == [f"{record}: is not the record that the audit trail says was sealed"]
    faults = verify_pack(io.BytesIO(resigned(pack, signer, **{"audit/entries.jsonl": entries}))).faults
    assert any("does not match its hash" in one for one in faults)


def test_the_extract_says_who_made_checked_approved_and_published_it(pack):
    tags = [
        json.loads(json.loads(line)["record"])["tag"]
        for line in read(pack, "audit/entries.jsonl").splitlines()
    ]
    for tag in ("piece:create", "piece:submit", "check:complete", "piece:approve", "publication:publish"):
        assert tag in tags


def test_the_report_can_be_read(pack):
    report = pypdfium2.PdfDocument(read(pack, "report.pdf"))
    text = "".join(page.get_textpage().get_text_range() for page in report)
    assert len(report) >= 3
    for words in ("证据包报告", SENTENCE, "demo-reviewer", "审核通过", "检查点"):
        assert words in text, words


@pytest.mark.parametrize(
    ("asked", "records"),
    [
        (lambda house, day: {"since": day, "until": day}, 3),
        (lambda house, day: {"product": "none"}, 3),
        (lambda house, day: {"staff_no": house.people["advisor_b"].name and staff_no(house)}, 1),
    ],
    ids=["period", "product", "advisor"],
)
def test_it_may_be_about_a_period_a_product_or_an_advisor(house, clock, asked, records):
    from app.domain.template import ProductType

    chosen = asked(house, clock.now().date())
    if "product" in chosen:
        chosen["product"] = ProductType(chosen["product"])
    verdict = verify_pack(io.BytesIO(pack_of(house, **chosen)))
    assert verdict.faults == []
    assert verdict.records == records


def staff_no(house: House) -> str:
    from app.models.advisor import Advisor

    with house.platform.sessions() as session:
        return session.get_one(Advisor, house.people["advisor_b"].advisor_id).staff_no


def test_a_hold_is_in_the_extract(house):
    piece_id = piece_of(house, "advisor")
    with house.by("reviewer") as uow:
        place_hold(uow, HoldTarget(HoldScope.PIECE, piece_id=piece_id), reason="投诉")
    assert b"hold:place" in read(pack_of(house, piece_id=piece_id), "audit/entries.jsonl")


def test_an_empty_or_idle_scope_is_refused(house):
    with pytest.raises(InvalidInput):
        pack_of(house)
    with pytest.raises(InvalidInput):
        pack_of(house, staff_no="nobody")


def test_what_is_not_sealed_yet_must_be_waited_for(house):
    piece_id = house.published("advisor", "note", headline="刚刚发布")
    with pytest.raises(InvalidInput) as refused:
        pack_of(house, piece_id=piece_id)
    assert refused.value.faults[0].code == "not_sealed"


def test_only_those_who_may_take_evidence_away_do_and_it_is_on_record(house, pack):
    with pytest.raises(AccessDenied):
        pack_of(house, "administrator", product=None, staff_no="x")
    with house.platform.sessions() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.tag == "evidence:export")).one()
    details = json.loads(entry.record)["details"]
    assert details["manifest"] == sha256(read(pack, MANIFEST))
    assert details["records"] == 1


def test_the_verifier_agrees_with_the_signer_on_signatures():
    signer = Ed25519Signer(bytes(range(32)))
    for length in (0, 1, 31, 200):
        data = bytes(length)
        signature = signer.sign(data)
        assert is_signed(signer.public_key, data, signature)
        assert not is_signed(signer.public_key, data + b"x", signature)
        for place in (0, 31, 32, 63):
            other = signature[:place] + bytes([signature[place] ^ 4]) + signature[place + 1 :]
            assert not is_signed(signer.public_key, data, other)


def test_the_verifier_needs_nothing_of_ours():
    source = Path(sys.modules["app.domain.evidence"].__file__).read_text("utf-8")
    assert "from app" not in source
    assert "import app" not in source
