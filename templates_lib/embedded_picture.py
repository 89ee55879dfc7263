"""Pictures a template brings along: files beside it, or written into it as `data:`.

They are judged by what they are. The engine goes by content too, and would try any format it
knows on a file called `.png`, drawings with words in them included.
"""

import base64
import binascii
from typing import Final

from templates_lib.pictures import MAX_PIXELS, BadImageError, open_judged

DATA_SCHEMES: Final = ("data:image/png;base64,", "data:image/jpeg;base64,")


def check_address(address: str) -> str | None:
    """Say what is wrong with the address of a picture; `None` for a good one."""
    if address.startswith("asset:"):
        return None
    for scheme in DATA_SCHEMES:
        if address.startswith(scheme):
            try:
                data = base64.b64decode(address.removeprefix(scheme), validate=True)
            except binascii.Error:
                return "an embedded picture must be whole base64"
            return check_picture(data)
    return "only asset: and embedded pictures are allowed"


def check_picture(data: bytes) -> str | None:
    """Say what is wrong with a picture's bytes; `None` for a JPEG, PNG or WEBP of sane size."""
    try:
        open_judged(data, MAX_PIXELS, least_side=1)
    except BadImageError as error:
        return f"is not a usable picture: {error}"
    return None
