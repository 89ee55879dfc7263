"""Who is handed what: audiences by organisation and tags."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AudienceRule:
    """Advisors under one subtree who carry all of the tags; or exactly one advisor."""

    path: str
    tags: tuple[str, ...] = ()

    def includes(self, *, path: str, tags: Collection[str]) -> bool:
        return path.startswith(self.path) and set(self.tags) <= set(tags)
