"""Pictures drawn by other processes a little before they are needed.

A hundred pictures one after another would keep the first start waiting. The services are not spared
anything: they ask for the picture of exactly the same spec, and find that it was just drawn.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from types import TracebackType
from typing import Self
from uuid import UUID

from app.models.template import TemplateVersion
from app.services.remembered import Remembered
from app.services.rendition import CONTENT_TYPES, PictureFile, slot_values, spec_for
from app.services.unit_of_work import UnitOfWork
from templates_lib.catalog import Catalog
from templates_lib.compile import CompiledTemplate, compile_template
from templates_lib.compose import Picture, compose
from templates_lib.fill import Value


@dataclass(frozen=True, slots=True)
class _Asked:
    key: tuple[UUID, str]
    drawn: Future[Picture]


class DrawingAhead:
    """Use it as a context; leaving it ends the processes."""

    def __init__(self, pictures: Remembered[tuple[UUID, str], PictureFile]) -> None:
        self._pictures = pictures
        self._asked: dict[str, _Asked] = {}
        # spawned, not forked: the parent holds a database connection
        processes = os.cpu_count() or 1
        self._pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"))
        for _ in range(processes):
            self._pool.submit(_get_ready)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def ask(self, uow: UnitOfWork, code: str, version: TemplateVersion, values: Mapping[str, str]) -> None:
        """Begin the picture of these values; it is asked for again by `code`."""
        spec = spec_for(version, values)
        self._asked[code] = _Asked(
            (uow.tenant_id, spec.key()),
            self._pool.submit(
                _draw, spec.template_slug, spec.template_version, slot_values(uow, spec.values)
            ),
        )

    def deliver(self, code: str) -> None:
        """Wait for a picture and put it where the services look; nothing if it was never asked for."""
        asked = self._asked.pop(code, None)
        if asked is None:
            return
        try:
            picture = asked.drawn.result()
        except ValueError:
            return  # it does not fit: the service draws it again and says which slot is at fault
        self._pictures.keep(
            asked.key,
            PictureFile(
                picture.data,
                CONTENT_TYPES[picture.format.value],
                picture.sha256,
                picture.width_px,
                picture.height_px,
            ),
        )


def _get_ready() -> None:
    """Have a process started, with the renderer loaded, while others are still busy with people."""


def _draw(slug: str, number: int, values: Mapping[str, Value]) -> Picture:
    return compose(_compiled(slug, number), values)


@cache
def _compiled(slug: str, number: int) -> CompiledTemplate:
    return compile_template(Catalog().source(slug, number))
