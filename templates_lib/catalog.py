"""The templates on disk: one folder a design, one sub-folder a version.

A released version never changes; its digest covers every file of its folder, so a change is seen.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from templates_lib.manifest import (
    BODY_NAME,
    MANIFEST_NAME,
    STYLE_NAME,
    ManifestError,
    TemplateManifest,
    load_manifest,
)

LIBRARY = Path(__file__).resolve().parent / "library"
SAMPLES_NAME = "samples.yaml"


class UnknownTemplateError(LookupError):
    """No such design, or no such version of it."""

    code = "unknown_template"

    def __init__(self, slug: str, version: int) -> None:
        super().__init__(f"no template {slug} version {version}")
        self.slug, self.version = slug, version


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """One version of a design, in one of its sizes: its manifest and the folder that holds it all."""

    manifest: TemplateManifest
    directory: Path

    @property
    def body(self) -> str:
        return (self.directory / self.manifest.body_name).read_text(encoding="utf-8")

    @property
    def style(self) -> str:
        return (self.directory / self.manifest.style_name).read_text(encoding="utf-8")

    def variant(self, name: str) -> "TemplateSource":
        """Give the design in another of its sizes. Raises UnknownSizeError.

        What comes back is a source like any other: whoever draws it need not know of variants.
        """
        return TemplateSource(self.manifest.in_size(name), self.directory)

    def digest(self) -> str:
        """Name what decides a picture's design: every file of the folder, and the size."""
        files = self.files_digest()
        if self.manifest.drawn_as is None:
            return files
        return hashlib.sha256(f"{files} {self.manifest.drawn_as.name}".encode()).hexdigest()

    def files_digest(self) -> str:
        """SHA-256 over name and content of every file in the folder, by name."""
        total = hashlib.sha256()
        for path in sorted(self.directory.rglob("*")):
            if path.is_file() and not any(part.startswith(".") for part in path.parts[-2:]):
                name = path.relative_to(self.directory).as_posix()
                content = hashlib.sha256(path.read_bytes()).digest()
                total.update(name.encode() + b"\0" + content)
        return total.hexdigest()


def open_source(directory: Path) -> TemplateSource:
    """Open a template in its folder, wherever that lies. Raises ManifestError."""
    manifest = load_manifest(directory)
    for name in (BODY_NAME, STYLE_NAME):
        if not (directory / name).is_file():
            raise ManifestError(directory / name, None, "file", "is missing")
    return TemplateSource(manifest, directory)


class Catalog:
    """The versions below one root folder."""

    def __init__(self, root: Path = LIBRARY) -> None:
        self.root = root

    @cached_property
    def _sources(self) -> dict[tuple[str, int], TemplateSource]:
        sources: dict[tuple[str, int], TemplateSource] = {}
        for file in sorted(self.root.glob(f"*/*/{MANIFEST_NAME}")):
            source = open_source(file.parent)
            manifest = source.manifest
            if (manifest.slug, str(manifest.version)) != (
                file.parent.parent.name,
                file.parent.name,
            ):
                raise ManifestError(file, None, "slug", "slug and version must be the folder's names")
            sources[manifest.slug, manifest.version] = source
        return sources

    def versions(self) -> tuple[TemplateManifest, ...]:
        """Every version of every design, by slug and version. Raises ManifestError."""
        return tuple(self._sources[key].manifest for key in sorted(self._sources))

    def source(self, slug: str, version: int) -> TemplateSource:
        """Find one version. Raises UnknownTemplateError, ManifestError."""
        try:
            return self._sources[slug, version]
        except KeyError:
            raise UnknownTemplateError(slug, version) from None
