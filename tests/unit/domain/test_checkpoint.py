"""A checkpoint names every entry it covers, so a trail is compared with it byte by byte."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from app.domain.audit import AuditRecord, ChainLink, entry_hash, verify_chain
from app.domain.checkpoint import (
    GENESIS,
    Checkpoint,
    CheckpointFault,
    in_one_line,
    read_checkpoint,
)

AT = datetime(2026, 11, 23, tzinfo=UTC)
KEY = b"a key of the tests"


def signature(data: bytes) -> bytes:
    return hmac.digest(KEY, data, "sha512")


def genuine(key_id: str, data: bytes, signed: bytes) -> bool:
    return key_id == "tests" and hmac.compare_digest(signature(data), signed)


def chain(length: int, name: str = "a") -> list[ChainLink]:
    links, previous = [], GENESIS
    for seq in range(1, length + 1):
        details = {"content": hashlib.sha256(f"{name}{seq}".encode()).hexdigest()}
        record = AuditRecord(seq, AT, "piece:edit", f"person {name}", f"piece {seq}", details).to_bytes()
        links.append(ChainLink(seq, record, previous, entry_hash(previous, record)))
        previous = links[-1].hash
    return links


def covering(links: list[ChainLink], *lengths: int) -> list[Checkpoint]:
    points, previous, first = [], GENESIS, 1
    for number, length in enumerate(lengths, 1):
        hashes = tuple(link.hash for link in links[first - 1 : first - 1 + length])
        points.append(Checkpoint("bank", number, first, hashes, previous, AT, "tests"))
        previous, first = points[-1].digest, first + length
    return points


def rewritten(links: list[ChainLink], start: int) -> list[ChainLink]:
    """The same trail with another entry at one place and every hash after it made anew."""
    found, previous = links[: start - 1], links[start - 2].hash if start > 1 else GENESIS
    for link in links[start - 1 :]:
        record = link.record.replace(b"piece:edit", b"piece:seen") if link.seq == start else link.record
        found.append(ChainLink(link.seq, record, previous, entry_hash(previous, record)))
        previous = found[-1].hash
    return found


def test_every_byte_of_two_hundred_entries_is_seen_at_its_entry():
    flipped = 0
    for name in "abcdefghij":
        links = chain(20, name)
        points = covering(links, 12, 8)
        for at, link in enumerate(links):
            for part in ("record", "previous", "hash"):
                whole = getattr(link, part)
                stored = whole if part == "record" else whole.encode()
                for place in range(len(stored)):
                    other = stored[:place] + bytes([stored[place] ^ 1]) + stored[place + 1 :]
                    changed = replace(link, **{part: other if part == "record" else other.decode()})
                    fault = verify_chain([*links[:at], changed, *links[at + 1 :]], checkpoints=points)
                    assert fault is not None
                    assert fault.seq == link.seq
                    flipped += 1
    assert flipped > 200 * 300


@pytest.mark.parametrize("start", [1, 7, 12, 13, 20])
def test_a_trail_written_anew_holds_in_itself_and_is_told_at_its_first_other_entry(start):
    links = chain(20)
    forged = rewritten(links, start)

    assert verify_chain(forged, head=forged[-1]) is None
    fault = verify_chain(forged, head=forged[-1], checkpoints=covering(links, 12, 8))
    assert fault is not None
    assert fault.seq == start


@pytest.mark.parametrize("length", [0, 1, 12, 19])
def test_a_trail_cut_short_is_told_at_the_first_entry_that_is_gone(length):
    links = chain(20)
    fault = verify_chain(links[:length], checkpoints=covering(links, 12, 8))
    assert fault is not None
    assert fault.seq == length + 1


def test_entries_after_the_last_checkpoint_are_no_fault():
    links = chain(20)
    assert verify_chain(links, head=links[-1], checkpoints=covering(links, 12)) is None


def test_a_kept_checkpoint_is_read_back_as_it_was_signed():
    (point,) = covering(chain(3), 3)
    assert read_checkpoint(point.signed(signature(point.to_bytes())), number=1, genuine=genuine) == point


def test_another_byte_anywhere_in_a_kept_checkpoint_is_seen():
    (point,) = covering(chain(3), 3)
    kept = point.signed(signature(point.to_bytes()))
    for at in range(len(kept)):
        changed = kept[:at] + bytes([kept[at] ^ 1]) + kept[at + 1 :]
        with pytest.raises(CheckpointFault):
            read_checkpoint(changed, number=1, genuine=genuine)


def test_a_checkpoint_under_the_number_of_another_is_refused():
    _, second = covering(chain(5), 3, 2)
    with pytest.raises(CheckpointFault):
        read_checkpoint(second.signed(signature(second.to_bytes())), number=1, genuine=genuine)


def test_checkpoints_follow_one_another():
    points = covering(chain(12), 3, 4, 5)
    assert list(in_one_line(iter(points), tenant="bank")) == points


@pytest.mark.parametrize(
    "broken",
    [
        lambda a, b, c: (a, c),
        lambda a, b, c: (b, a, c),
        lambda a, b, c: (a, replace(b, previous=GENESIS), c),
        lambda a, b, c: (a, replace(b, entries=b.entries[:-1]), c),
        lambda a, b, c: (a, replace(b, tenant="other"), c),
    ],
    ids=["missing", "swapped", "other predecessor", "shortened", "of another institution"],
)
def test_a_line_of_checkpoints_with_a_gap_is_refused(broken):
    points = covering(chain(12), 3, 4, 5)
    with pytest.raises(CheckpointFault):
        list(in_one_line(iter(broken(*points)), tenant="bank"))
