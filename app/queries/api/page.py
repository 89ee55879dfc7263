"""One page of a list, found by where the one before it ended: new rows never shift it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import Row, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

Shown = TypeVar("Shown")
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Place:
    """A row's place in its list: the instant it is ordered by, and its id where instants are equal."""

    at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page: at most `limit` rows after a place; None is the beginning."""

    limit: int
    after: Place | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Shown]):
    """`next` is None on the last page."""

    items: tuple[Shown, ...]
    next: Place | None


@dataclass(frozen=True, slots=True)
class Order:
    """What a list is ordered by."""

    at: InstrumentedAttribute[datetime]
    id: InstrumentedAttribute[UUID]
    newest_first: bool = True


def page_of(
    session: Session,
    statement: AnySelect,
    order: Order,
    wanted: Wanted,
    shown: Callable[[AnyRow], Shown],
    place: Callable[[Shown], Place],
) -> Page[Shown]:
    """The wanted page of a statement, each row as the caller shows it."""
    key = tuple_(order.at, order.id)
    if wanted.after is not None:
        last = tuple_(wanted.after.at, wanted.after.id)
        statement = statement.where(key < last if order.newest_first else key > last)
    if order.newest_first:
        statement = statement.order_by(order.at.desc(), order.id.desc())
    else:
        statement = statement.order_by(order.at, order.id)
    rows = session.execute(statement.limit(wanted.limit + 1)).all()
    items = tuple(shown(row) for row in rows[: wanted.limit])
    return Page(items, place(items[-1]) if len(rows) > wanted.limit else None)
