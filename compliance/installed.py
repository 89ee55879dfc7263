"""Files that other packages bring along, found without importing those."""

from importlib.util import find_spec
from pathlib import Path


def file_of(package: str, *names: str) -> Path:
    """Return where a file of an installed package is. Raises RuntimeError where the package is missing."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"the package {package} is not installed")
    return Path(spec.submodule_search_locations[0], *names)
