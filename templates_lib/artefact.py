"""What was found out about a design, as bytes: written once, read by every process after.

An artefact holds no code and nothing of anybody's values. It is good for exactly the files, fonts
and libraries its name was made from; anything else has another name and is found out anew.
"""

import hashlib
import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from templates_lib import fonts, layout
from templates_lib.compile import CompiledTemplate
from templates_lib.ink import PictureSpot, TextSpot
from templates_lib.lines import TextStyle
from templates_lib.parts import Print, SlotElement
from templates_lib.plate import Arrangement, Plate, PlateSet
from templates_lib.skeleton import PicturePlace, Skeleton, TextPlace, Way

_FORM: Final = 3  # counts changes of what is found out or how it is drawn
_LIBRARIES: Final = ("weasyprint", "pypdfium2", "pillow", "freetype-py", "isal")
_INDEX: Final = "plates.json"
_KINDS: Final = {
    kind.__name__: kind
    for kind in (
        Arrangement, PicturePlace, PictureSpot, Plate, PlateSet, Print, Skeleton, SlotElement,
        TextPlace, TextSpot, TextStyle,
    )
}  # fmt: skip


class ArtefactError(ValueError):
    """The bytes are no artefact of this design."""

    code = "artefact"


def artefact_name(compiled: CompiledTemplate) -> str:
    """The name of a design's artefact: a digest of all that its content follows from."""
    return name_from(compiled.digest)


def name_from(digest: str) -> str:
    """The same name from the digest of a design's files, with nothing compiled."""
    return hashlib.sha256(f"{digest}\n{_ground()}".encode()).hexdigest()


@cache
def _ground() -> str:
    """All a picture depends on besides the design."""
    libraries = [f"{name} {version(name)}" for name in _LIBRARIES]
    return "\n".join((str(_FORM), fonts.digest(), str(layout.FINER), *libraries))


def pages_known(compiled: CompiledTemplate) -> int:
    """How many still pages were drawn so far."""
    return sum(len(plates.plates) for plates in compiled.kept_plates.values() if plates is not None)


def write_artefact(compiled: CompiledTemplate) -> bytes:
    """Put what is known of a design into bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        stills: list[bytes] = []
        with layout.ENGINE:
            index = {
                "name": artefact_name(compiled),
                "skeletons": [_plain(one, stills) for one in compiled.kept_skeletons.values()],
                "plates": [
                    _plain(plates, stills)
                    for plates in compiled.kept_plates.values()
                    if plates is not None and plates.plates
                ],
            }
        _add(archive, _INDEX, json.dumps(index, ensure_ascii=False).encode())
        for number, still in enumerate(stills):
            _add(archive, f"{number}.png", still)
    return target.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def read_artefact(compiled: CompiledTemplate, data: bytes) -> None:
    """Let a design know what the bytes say. Raises ArtefactError."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            index = json.loads(archive.read(_INDEX))
            if index["name"] != artefact_name(compiled):
                raise ArtefactError("belongs to another design, or to other fonts or libraries")
            skeletons = [_whole(each, archive) for each in index["skeletons"]]
            sets = [_whole(each, archive) for each in index["plates"]]
    except (KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        if isinstance(error, ArtefactError):
            raise
        raise ArtefactError(f"cannot be read: {error}") from error
    with layout.ENGINE:
        for skeleton in skeletons:
            compiled.kept_skeletons.setdefault(skeleton.present, skeleton)
        for plates in sets:
            known = compiled.kept_plates.setdefault(plates.arrangement, plates)
            if known is not None and known is not plates:
                known.plates = plates.plates | known.plates


def _plain(value: Any, stills: list[bytes]) -> Any:
    """Turn a value of ours into what JSON can say."""
    if isinstance(value, Way):
        return {"way": value.value}
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, bytes):
        stills.append(value)
        return {"still": len(stills) - 1}
    if isinstance(value, (tuple, list)):
        return [_plain(each, stills) for each in value]
    if isinstance(value, frozenset):
        return {"set": sorted(value)}
    if isinstance(value, dict):
        return {"map": [[_plain(key, stills), _plain(each, stills)] for key, each in value.items()]}
    if is_dataclass(value):
        left_out = {"drawn"} if isinstance(value, PlateSet) else set()
        content = {
            each.name: _plain(getattr(value, each.name), stills)
            for each in fields(value)
            if each.init and each.name not in left_out
        }
        return {"kind": type(value).__name__, **content}
    raise TypeError(f"{type(value).__name__} has no place in an artefact")


def _whole(value: Any, archive: zipfile.ZipFile) -> Any:
    """Undo `_plain`; every list was a tuple."""
    if isinstance(value, list):
        return tuple(_whole(each, archive) for each in value)
    if not isinstance(value, dict):
        return value
    if "way" in value and len(value) == 1:
        return Way(value["way"])
    if "still" in value and len(value) == 1:
        return archive.read(f"{int(value['still'])}.png")
    if "set" in value:
        return frozenset(value["set"])
    if "map" in value:
        return {_whole(key, archive): _whole(each, archive) for key, each in value["map"]}
    kind = _KINDS[value["kind"]]
    return kind(**{name: _whole(each, archive) for name, each in value.items() if name != "kind"})
