"""A chain of entries shows every change made to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.domain.audit import AuditRecord, ChainLink, entry_hash, verify_chain
from app.domain.checkpoint import GENESIS

AT = datetime(2026, 11, 23, tzinfo=UTC)


def chain(subjects: list[str]) -> list[ChainLink]:
    links, previous = [], GENESIS
    for seq, subject in enumerate(subjects, 1):
        record = AuditRecord(seq, AT, "piece:edit", "someone", subject, {"n": seq}).to_bytes()
        link = ChainLink(seq, record, previous, entry_hash(previous, record))
        links.append(link)
        previous = link.hash
    return links


subjects = st.lists(st.text(max_size=20), min_size=2, max_size=12)


@given(subjects)
def test_an_untouched_chain_holds_to_its_head(names):
    links = chain(names)
    assert verify_chain(links, head=links[-1]) is None


@given(subjects, st.data())
def test_one_changed_bit_anywhere_is_seen_at_its_entry(names, data):
    links = chain(names)
    at = data.draw(st.integers(0, len(links) - 1))
    record = bytearray(links[at].record)
    record[data.draw(st.integers(0, len(record) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    links[at] = replace(links[at], record=bytes(record))
    fault = verify_chain(links, head=links[-1])
    assert fault is not None
    assert fault.seq == links[at].seq


@given(subjects, st.data())
def test_a_removed_entry_is_seen(names, data):
    links = chain(names)
    head = links[-1]
    del links[data.draw(st.integers(0, len(links) - 1))]
    assert verify_chain(links, head=head) is not None


@given(subjects, st.data())
def test_two_swapped_entries_are_seen(names, data):
    links = chain(names)
    first = data.draw(st.integers(0, len(links) - 2))
    second = data.draw(st.integers(first + 1, len(links) - 1))
    links[first], links[second] = links[second], links[first]
    assert verify_chain(links, head=chain(names)[-1]) is not None


@given(subjects, st.data())
def test_two_entries_that_trade_their_contents_are_seen(names, data):
    links = chain(names)
    first = data.draw(st.integers(0, len(links) - 2))
    one, other = links[first], links[first + 1]
    links[first], links[first + 1] = replace(one, record=other.record), replace(other, record=one.record)
    assert verify_chain(links, head=links[-1]) is not None


@given(subjects, subjects)
def test_a_piece_of_another_chain_does_not_fit(names, others):
    mine, foreign = chain(names), chain([f"foreign {name}" for name in others])
    spliced = [*mine[:1], *foreign[1:]]
    assert verify_chain(spliced, head=spliced[-1]) is not None


@given(subjects)
def test_a_chain_cut_short_is_seen_by_its_head(names):
    links = chain(names)
    assert verify_chain(links[:-1], head=links[-1]) is not None
