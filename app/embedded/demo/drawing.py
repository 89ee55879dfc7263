"""Pictures drawn, and samples laid out, by other processes a little before they are needed.

A hundred pictures one after another would keep the first start waiting. The services are not spared
anything: they ask for the picture of exactly the same spec, and find that it was just drawn and fits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from types import TracebackType
from typing import Self
from uuid import UUID

from app.domain.errors import InvalidInput
from app.models.template import TemplateVersion
from app.services.rendition import CONTENT_TYPES, PictureFile, require_fits_in, slot_values, spec_for
from app.services.shelf import SampleFault, TemplateShelf
from app.services.unit_of_work import Surroundings, UnitOfWork
from templates_lib.catalog import Catalog
from templates_lib.compose import Picture, compose
from templates_lib.pictures import ImageValue


@dataclass(frozen=True, slots=True)
class _Asked:
    key: tuple[UUID, str]
    drawn: Future[Picture | None]


class DrawingAhead:
    """Use it as a context; leaving it ends the processes."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._asked: dict[str, _Asked] = {}
        # spawned, not forked: the parent holds a database connection
        self._pool = ProcessPoolExecutor(os.cpu_count() or 1, mp_context=get_context("spawn"))
        self._examined: dict[str, Future[tuple[SampleFault, ...]]] = {}
        catalog = around.shelf.catalog
        for manifest in catalog.versions():
            digest = catalog.source(manifest.slug, manifest.version).digest()
            self._examined[digest] = self._pool.submit(_examine, manifest.slug, manifest.version, digest)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def deliver_examined(self) -> None:
        """Wait for what was found of the library's samples and put it where the services look."""
        for digest, examined in self._examined.items():
            self._around.shelf.keep_faults(digest, examined.result())

    def ask(self, uow: UnitOfWork, code: str, version: TemplateVersion, values: Mapping[str, str]) -> None:
        """Begin the picture of these values; it is asked for again by `code`."""
        spec = spec_for(version, values)
        design = spec.template_slug, spec.template_version, spec.template_digest
        self._asked[code] = _Asked(
            (uow.tenant_id, spec.key()), self._pool.submit(_draw, *design, slot_values(uow, spec.values))
        )

    def deliver(self, code: str) -> None:
        """Wait for a picture and put it where the services look; nothing if it was never asked for."""
        asked = self._asked.pop(code, None)
        if asked is None:
            return
        picture = asked.drawn.result()
        if picture is None:
            return  # the service draws it again and says which slot is at fault
        self._around.fitting.keep(asked.key, True)
        self._around.pictures.keep(
            asked.key,
            PictureFile(
                picture.data,
                CONTENT_TYPES[picture.format.value],
                picture.sha256,
                picture.width_px,
                picture.height_px,
            ),
        )


@cache
def _shelf() -> TemplateShelf:
    return TemplateShelf(Catalog())


def _examine(slug: str, number: int, digest: str) -> tuple[SampleFault, ...]:
    return _shelf().sample_faults(slug, number, digest)


def _draw(slug: str, number: int, digest: str, values: Mapping[str, str | ImageValue]) -> Picture | None:
    """Draw what fits every size of its design; what does not is not drawn."""
    compiled_in = partial(_shelf().compiled, slug, number, digest)
    try:
        picture = compose(compiled_in(""), values)
        require_fits_in(compiled_in, values)
    except (ValueError, InvalidInput):
        return None
    return picture
