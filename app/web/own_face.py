"""Faces of our own for pages, for the one kind of device that may lack a Chinese one.

Phones, Windows and macOS bring Chinese faces, and no page there may fetch a megabyte. A Linux desktop may
have none: every character would be an empty box.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from app.web.edge import static_url

# the last names of --font in tokens.css; a browser fetches the second where a name is written with more than
# the first has
FACES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Imprimatur Sans": "font/ImprimaturSans-Regular.woff2",
        "Imprimatur Sans Rare": "font/ImprimaturSansRare-Regular.woff2",
    }
)


def own_faces(user_agent: str) -> str:
    """Return the rules that let a page use them, "" where it never should."""
    if "X11; Linux" not in user_agent:
        return ""
    return "".join(
        f'@font-face {{ font-family: "{family}"; font-display: swap; '
        f'src: url("{static_url(file)}") format("woff2") }}\n'
        for family, file in FACES.items()
    )
