"""Verify an evidence pack with Python's standard library alone: `python verify.py PACK.zip`.

This very file lies in every pack as `verify.py`, and needs nothing else: no database, no network, no
program of the institution. It says every place where the pack is not what was signed.

What it shows when it ends with 0: every file is byte for byte the one the holder of the key signed;
each record gives the hash the decision was made on; each entry of the audit trail stands in a
checkpoint signed before this pack was made. What it cannot show: that the key is the institution's.
Compare the key with one you got from them on another way, or give yours with --key.
"""

import argparse
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

FORMAT = "imprimatur-evidence/1"
MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "public-key.txt"
ENTRIES = "audit/entries.jsonl"

# Ed25519 (RFC 8032): the curve over 2^255 - 19, points in extended coordinates.
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
_Point = tuple[int, int, int, int]


def _add(a: _Point, b: _Point) -> _Point:
    p, q = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    r, s = 2 * a[3] * b[3] * _D % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = q - p, s - r, s + r, q + p
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(scalar: int, point: _Point) -> _Point:
    found: _Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point = _add(point, point)
        scalar >>= 1
    return found


def _decoded(data: bytes) -> _Point | None:
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = _P - x
    return x, y, 1, x * y % _P


_BASE = _decoded((4 * pow(5, _P - 2, _P) % _P).to_bytes(32, "little"))


def is_signed(public_key: bytes, data: bytes, signature: bytes) -> bool:
    """Whether the holder of the key made the signature of these bytes."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, r = _decoded(public_key), _decoded(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if key is None or r is None or _BASE is None or s >= _ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + data).digest()
    left = _times(s, _BASE)
    right = _add(r, _times(int.from_bytes(digest, "little") % _ORDER, key))
    return not (
        (left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P
    )


def canonical(value: Any) -> bytes:
    """One byte string for one value: sorted keys, no blanks, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def key_id_of(public_key: bytes) -> str:
    return sha256(public_key)[:16]


@dataclass
class Verdict:
    """What was found: each fault names its place. No fault: the pack is what was signed."""

    faults: list[str] = field(default_factory=list)
    files: int = 0
    records: int = 0
    pictures: int = 0
    entries: int = 0
    checkpoints: int = 0
    key: str = ""
    made_at: str = ""

    @property
    def is_whole(self) -> bool:
        return not self.faults


class _Pack:
    """The files of a pack; what cannot be read is a fault and then missing."""

    def __init__(self, archive: zipfile.ZipFile, verdict: Verdict) -> None:
        self._archive = archive
        self._verdict = verdict
        self.names = [one.filename for one in archive.infolist()]

    def read(self, name: str) -> bytes | None:
        try:
            return self._archive.read(name)
        except KeyError:
            self._verdict.faults.append(f"{name}: is missing")
        except Exception as error:  # noqa: BLE001 - whatever a damaged archive makes zlib say
            self._verdict.faults.append(f"{name}: cannot be read ({error})")
        return None


def verify_pack(pack: str | Path | BinaryIO, *, keys: tuple[bytes, ...] = ()) -> Verdict:
    """Everything that is wrong with a pack. `keys`: public keys to trust; none: the one inside."""
    verdict = Verdict()
    try:
        with zipfile.ZipFile(pack) as archive:
            _verify(_Pack(archive, verdict), verdict, keys)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        verdict.faults.append(f"the archive itself: {error}")
    return verdict


def _verify(pack: _Pack, verdict: Verdict, keys: tuple[bytes, ...]) -> None:
    stated, signature = pack.read(MANIFEST), pack.read(SIGNATURE)
    if stated is None or signature is None:
        return
    given = keys or tuple(_keys_inside(pack))
    try:
        signed = bytes.fromhex(signature.decode("ascii").strip())
    except ValueError:
        signed = b""
    if not any(is_signed(key, stated, signed) for key in given):
        verdict.faults.append(f"{MANIFEST}: bears no signature of a trusted key")
    try:
        manifest = json.loads(stated)
        listed = dict(manifest["files"])
        verdict.key, verdict.made_at = str(manifest["key"]), str(manifest["made_at"])
        known = manifest["format"] == FORMAT
    except (ValueError, KeyError, TypeError):
        verdict.faults.append(f"{MANIFEST}: cannot be read")
        return
    if not known:
        verdict.faults.append(f"{MANIFEST}: is of another format")
    whole = _whole_files(pack, listed, verdict)
    sealed = _verify_entries(whole, listed, verdict, given)
    _verify_records(whole, listed, verdict, sealed)


def _whole_files(pack: _Pack, listed: dict[str, str], verdict: Verdict) -> dict[str, bytes]:
    """The files that are what the manifest says; each of the others is named."""
    for name in sorted({one for one in pack.names if pack.names.count(one) > 1}):
        verdict.faults.append(f"{name}: is there twice")
    for name in sorted(set(pack.names) - set(listed) - {MANIFEST, SIGNATURE}):
        verdict.faults.append(f"{name}: was added to the pack")
    whole: dict[str, bytes] = {}
    for name, digest in sorted(listed.items()):
        data = pack.read(name)
        verdict.files += 1
        if data is not None and sha256(data) != digest:
            verdict.faults.append(f"{name}: was changed")
        elif data is not None:
            whole[name] = data
    return whole


def _keys_inside(pack: _Pack) -> Iterator[bytes]:
    for word in (pack.read(KEY) or b"").decode("ascii", "replace").split():
        try:
            yield bytes.fromhex(word)
        except ValueError:
            continue


def _verify_entries(
    whole: dict[str, bytes], listed: dict[str, str], verdict: Verdict, keys: tuple[bytes, ...]
) -> dict[str, str]:
    """Check the extract of the audit trail; give the record that each sealed item has by it."""
    points = dict(_checkpoints(whole, listed, verdict, keys))
    sealed: dict[str, str] = {}
    last: tuple[int, str] | None = None
    for line in whole.get(ENTRIES, b"").splitlines():
        try:
            entry = json.loads(line)
            seq, record = int(entry["seq"]), str(entry["record"])
            previous, digest, number = entry["previous_hash"], entry["hash"], entry["checkpoint"]
            said = json.loads(record)
        except (ValueError, KeyError, TypeError):
            verdict.faults.append(f"{ENTRIES}: has a line that cannot be read")
            continue
        verdict.entries += 1
        if sha256(previous.encode() + b"\0" + record.encode()) != digest or said.get("seq") != seq:
            verdict.faults.append(f"{ENTRIES}: entry {seq} does not match its hash")
        if last is not None and last[0] + 1 == seq and last[1] != previous:
            verdict.faults.append(f"{ENTRIES}: entry {seq} does not follow from the one before it")
        point = points.get(number, {})
        place = seq - int(point.get("first", 0))
        hashes = point.get("entries", [])
        if not 0 <= place < len(hashes) or hashes[place] != digest:
            verdict.faults.append(f"{ENTRIES}: entry {seq} is not the one that checkpoint {number} recorded")
        if said.get("tag") == "archive:seal":
            sealed[str(said.get("subject"))] = str(said.get("details", {}).get("record"))
        last = (seq, digest)
    return sealed


def _checkpoints(
    whole: dict[str, bytes], listed: dict[str, str], verdict: Verdict, keys: tuple[bytes, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    for name in sorted(one for one in listed if one.startswith("checkpoints/")):
        if name not in whole:
            continue  # said already
        try:
            envelope = json.loads(whole[name])
            statement = envelope["checkpoint"]
            signature = bytes.fromhex(envelope["signature"])
            number, named = int(statement["number"]), statement["key"]
        except (ValueError, KeyError, TypeError):
            verdict.faults.append(f"{name}: cannot be read")
            continue
        verdict.checkpoints += 1
        if not any(
            key_id_of(key) == named and is_signed(key, canonical(statement), signature) for key in keys
        ):
            verdict.faults.append(f"{name}: bears no signature of a trusted key")
        yield number, statement


def _verify_records(
    whole: dict[str, bytes], listed: dict[str, str], verdict: Verdict, sealed: dict[str, str]
) -> None:
    for name in sorted(one for one in listed if one.startswith("records/")):
        if name not in whole:
            continue
        data = whole[name]
        try:
            record = json.loads(data)
            item, pictures = str(record["id"]), [str(one["sha256"]) for one in record["shown"]["files"]]
            decided, content = record["revision"]["content_hash"], record["content"]
        except (ValueError, KeyError, TypeError):
            verdict.faults.append(f"{name}: cannot be read")
            continue
        verdict.records += 1
        if sealed.get(item) != sha256(data):
            verdict.faults.append(f"{name}: is not the record that the audit trail says was sealed")
        if sha256(canonical(content)) != decided:
            verdict.faults.append(f"{name}: its content does not give the hash that was decided on")
        for one in pictures:
            verdict.pictures += 1
            picture = f"pictures/{one}.jpg"
            if picture not in listed:
                verdict.faults.append(f"{name}: its picture {one} is not in the pack")
            elif picture in whole and sha256(whole[picture]) != one:
                verdict.faults.append(f"{picture}: is another picture than its record says")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Verify an evidence pack, offline.")
    parser.add_argument("pack", help="the pack, a zip archive")
    parser.add_argument(
        "--key", action="append", default=[], help="a public key to trust, 64 hex digits; else the one inside"
    )
    asked = parser.parse_args(arguments)
    try:
        keys = tuple(bytes.fromhex(one) for one in asked.key)
    except ValueError:
        parser.error("a key is 64 hex digits")
    verdict = verify_pack(asked.pack, keys=keys)
    sys.stdout.write("".join(f"{line}\n" for line in said(verdict, trusted=bool(keys))))
    return 0 if verdict.is_whole else 1


def said(verdict: Verdict, *, trusted: bool) -> list[str]:
    """The verdict in lines for a person."""
    if not verdict.is_whole:
        return [*(f"FAULT {one}" for one in verdict.faults), f"NOT WHOLE: {len(verdict.faults)} faults"]
    counted = (
        f"{verdict.files} files, {verdict.records} records, {verdict.pictures} pictures, "
        f"{verdict.entries} audit entries under {verdict.checkpoints} checkpoints"
    )
    lines = [
        f"WHOLE: {counted}",
        f"signed with key {verdict.key}, made {verdict.made_at}",
    ]
    if not trusted:
        lines.append("The key came with the pack: compare it with one the institution gave you elsewhere.")
    return lines


if __name__ == "__main__":
    sys.exit(main())
