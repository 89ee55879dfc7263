"""One advisor's copy of a piece: which slots come from the profile, and its key."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NewType
from uuid import UUID

from app.domain.piece import canonical_json

EditionId = NewType("EditionId", UUID)


@dataclass(frozen=True, slots=True)
class RenderSpec:
    """Everything that decides the bytes of one rendition; equal specs give equal bytes.

    `size` names one of the design's further sizes; "" is its own.
    """

    template_slug: str
    template_version: int
    template_digest: str
    values: Mapping[str, str]
    image_format: str
    page: int = 0
    width_px: int | None = None
    size: str = ""

    def key(self) -> str:
        """SHA-256 over the whole spec, as hex: rendering twice under one key is harmless."""
        return hashlib.sha256(
            canonical_json(
                {
                    "template": [
                        self.template_slug,
                        self.template_version,
                        self.template_digest,
                    ],
                    "values": dict(self.values),
                    "format": self.image_format,
                    "page": self.page,
                    "width_px": self.width_px,
                    # what was kept before a design had sizes keeps its key
                    **({"size": self.size} if self.size else {}),
                }
            )
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Profile:
    """An advisor's fields as a picture shows them, by profile field name."""

    fields: Mapping[str, str]
    verified: frozenset[str]
    photo_sha256: str | None
