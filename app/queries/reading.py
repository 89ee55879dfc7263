"""What was read in uploaded pictures, and where in them a finding stands."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models.asset import ASSET_PREFIX
from app.models.reading import KeptReading
from compliance.reading import Box, PictureReading


class Found(Protocol):
    """What was found where: a finding of a check, however it is held."""

    @property
    def field(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def text(self) -> str: ...


def readings_of(
    session: Session, pictures: Collection[str], *, reader: str | None = None
) -> dict[str, PictureReading]:
    """What is known of these pictures; as this reader read them where it has, else as the last one did."""
    if not pictures:
        return {}
    rows = session.scalars(
        select(KeptReading)
        .where(KeptReading.sha256.in_(set(pictures)), KeptReading.fault.is_(None))
        .order_by((KeptReading.reader == (reader or "")).asc(), KeptReading.read_at)
    )
    return {row.sha256: PictureReading.of_dict(row.seen) for row in rows}


def readings_by_field(
    session: Session, values: Mapping[str, Any], wanted: Collection[str]
) -> dict[str, PictureReading]:
    """The readings of the uploaded pictures among these fields of a revision."""
    pictures = {
        field: value.removeprefix(ASSET_PREFIX)
        for field in wanted
        if isinstance(value := values.get(field), str) and value.startswith(ASSET_PREFIX)
    }
    readings = readings_of(session, pictures.values())
    return {field: readings[sha256] for field, sha256 in pictures.items() if sha256 in readings}


def boxes_of(reading: PictureReading | None, hit: Found) -> tuple[Box, ...]:
    """Where a finding stands in its picture; nothing where the picture was read otherwise meanwhile."""
    if reading is None or reading.text[hit.start : hit.end] != hit.text:
        return ()
    return reading.boxes_of(hit.start, hit.end)
