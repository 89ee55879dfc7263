"""A face of our own for pages, for the one kind of device that may lack a Chinese one.

Phones, Windows and macOS bring Chinese faces, and no page there may fetch a megabyte. A Linux desktop may
have none: every character would be an empty box.
"""

from typing import Final

from app.web.edge import static_url

# the last name but one of --font in tokens.css
FAMILY: Final = "Imprimatur Sans"
FILE: Final = "font/ImprimaturSans-Regular.woff2"


def own_face(user_agent: str) -> str:
    """Return the rule that lets a page use the face, "" where it never should."""
    if "X11; Linux" not in user_agent:
        return ""
    source = f'url("{static_url(FILE)}") format("woff2")'
    return f'@font-face {{\n  font-family: "{FAMILY}";\n  font-display: swap;\n  src: {source};\n}}\n'
