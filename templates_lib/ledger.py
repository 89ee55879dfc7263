"""What a folder's pictures were drawn from, written down as each is finished.

The ledger lies in the folder itself, one JSON line a picture after a first line for the design. A
run that was killed is taken up from it: what stands in it with the same values is not drawn again.
As long as anybody of a run lives, its workers included, no second run may write into the folder.
"""

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing import reduction
from pathlib import Path
from typing import Any, Final, Self

LEDGER_NAME: Final = ".imprimatur-ledger.jsonl"
# A killed run's workers finish the picture in their hands before they notice that they are alone.
ORPHANS_END_WITHIN_S: Final = 10.0
_LOOK_AGAIN_S: Final = 0.1


class FolderTaken(RuntimeError):
    """Another run is drawing into the folder."""

    code = "folder_taken"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder}：另一个制图任务正在写这个文件夹，请等它结束，或换一个文件夹")
        self.folder = folder


class OtherDesign(RuntimeError):
    """The folder holds pictures of another template, of other files of it, or in other fonts."""

    code = "other_design"

    def __init__(self, folder: Path, found: str, wanted: str) -> None:
        reason = f"里已有模板 {found} 的图片，不能与 {wanted} 混放"
        if found == wanted:
            reason = f"里的图片出自 {found} 的另一份文件或字体，不能混放"
        super().__init__(f"{folder} {reason}，请换一个文件夹")
        self.folder, self.found, self.wanted = folder, found, wanted


@dataclass(frozen=True, slots=True)
class DesignMark:
    """What every picture of a folder has in common."""

    template: str
    digest: str
    fonts: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One job done: the digest of all that it was drawn from, and of each file it became."""

    values: str
    files: Mapping[str, str]


class FolderLock:
    """Held until the last process that was given it has ended; travels to a process as it is started."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __getstate__(self) -> Any:
        return reduction.DupFd(self._descriptor)

    def __setstate__(self, passed: Any) -> None:
        self._descriptor = passed.detach()


class Ledger:
    """The open ledger of one run. Close it, or use it in a `with`."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder = folder
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self.lock = FolderLock(descriptor)
        self.entries: dict[str, Entry] = {}

    @classmethod
    def open(cls, folder: Path, mark: DesignMark, *, patience_s: float = ORPHANS_END_WITHIN_S) -> Self:
        """Take the folder for this run and read what is there. Raises FolderTaken, OtherDesign."""
        folder.mkdir(parents=True, exist_ok=True)
        ledger = cls(folder, os.open(folder / LEDGER_NAME, os.O_RDWR | os.O_CREAT, 0o644))
        try:
            ledger._take(folder, patience_s)
            ledger._read(folder, mark)
        except BaseException:
            ledger.close()
            raise
        return ledger

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def note(self, name: str, entry: Entry) -> None:
        """Write a finished job down. A process that is killed right afterwards has written it."""
        self.entries[name] = entry
        self._write({"name": name, "values": entry.values, "files": dict(entry.files)})

    def _take(self, folder: Path, patience_s: float) -> None:
        deadline = time.monotonic() + patience_s
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise FolderTaken(folder) from None
                time.sleep(_LOOK_AGAIN_S)
            else:
                return

    def _read(self, folder: Path, mark: DesignMark) -> None:
        data = self._file.read()
        # a run that was killed may have left half a line, and a power cut worse
        heading, *lines = [_parsed(line) for line in data[: data.rfind(b"\n") + 1].splitlines()] or [None]
        if heading is None:
            self._file.seek(0)
            self._file.truncate()
            self._write(asdict(mark))
            return
        found = DesignMark(**heading)
        if found != mark:
            raise OtherDesign(folder, found.template, mark.template)
        self.entries = {line["name"]: Entry(line["values"], line["files"]) for line in lines if line}
        if not data.endswith(b"\n"):
            self._file.write(b"\n")

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")


def _parsed(line: bytes) -> dict[str, Any] | None:
    """A line of the ledger; `None` for what is none: its picture will be drawn again."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
