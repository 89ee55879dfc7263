"""Work on what a stranger made, in a process that may be killed.

`call_limited` starts an interpreter of its own, hands it bytes and takes bytes back; nothing that
comes back is run or unpickled. The process has no environment of ours, no files but those it is
granted, no network, no children, and so much time and memory. Whatever happens to it happens to
nobody else.

A fresh interpreter costs some 0.15 s, and over a second where it must load the layout engine: the
price of reading an upload or a new design, not of drawing a picture.
"""

import importlib
import json
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Final

from templates_lib.confinement import confine

_MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one piece of work may take; beyond it the process is killed with all it started.

    Memory is the address space, mapped fonts and libraries included: drawing the largest design
    of the library maps 0.42 GB. The processor's time is counted in whole seconds.
    """

    wall_s: float = 10
    cpu_s: int = 10
    memory_bytes: int = 1536 * _MIB
    result_bytes: int = 64 * _MIB


class Stop(StrEnum):
    """Why a piece of work has no result."""

    TOO_SLOW = "too_slow"
    TOO_LARGE = "too_large"
    CRASHED = "crashed"


class StoppedError(RuntimeError):
    """Work in a sandbox was stopped, or died: why, and what the process last said."""

    def __init__(self, code: Stop, reason: str, last_words: str = "") -> None:
        super().__init__(reason)
        self.code, self.reason, self.last_words = code, reason, last_words


def call_limited(
    function: str, payload: bytes, limits: Limits = Limits(), *, reads: Iterable[Path] = ()
) -> bytes:
    """Call `module:function` with `payload` in a process of its own and return what it returns.

    `reads` are the folders and files it may read beside its own code. Raises StoppedError.
    """
    order = {"function": function, "limits": asdict(limits), "reads": [str(p.resolve()) for p in reads]}
    child = subprocess.Popen(
        [sys.executable, "-s", "-P", "-c", _START, json.dumps(order)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        env=_environment(),
        start_new_session=True,
    )
    with child:
        try:
            return _Talk(child, limits).result(payload)
        finally:
            # not reaped yet, so the number is still its own; a group of one is gone at once
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)


# ── this side ────────────────────────────────────────────────────────────────────────────────────

_START: Final = "from templates_lib.sandbox import _serve; _serve()"
_ROOT: Final = Path(__file__).resolve().parent.parent
_HEADER: Final = struct.Struct(">cQ")
_DONE, _FAILED = b"+", b"-"
_CHUNK: Final = 256 * 1024
_LAST_WORDS: Final = 2000
# Where libraries and temporary files lie is all that is passed on: no secret, no address.
_PASSED_ON: Final = ("TMPDIR", "FONTCONFIG_FILE", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")


def _environment() -> dict[str, str]:
    path = (str(_ROOT), *(entry for entry in sys.path if entry))
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
    }


class _Talk:
    """One question and one answer, over pipes, until the deadline."""

    def __init__(self, child: subprocess.Popen[bytes], limits: Limits) -> None:
        self._child, self._limits = child, limits
        self._deadline = time.monotonic() + limits.wall_s
        self._answer, self._words = bytearray(), bytearray()

    def result(self, payload: bytes) -> bytes:
        self._exchange(payload)
        if len(self._answer) < _HEADER.size or len(self._answer) < self._length():
            raise self._death()
        body = bytes(self._answer[_HEADER.size : self._length()])
        if self._answer[:1] == _DONE:
            return body
        code, _, reason = body.decode(errors="replace").partition("\n")
        if code not in set(Stop):
            raise self._stopped(Stop.CRASHED, "gave an answer that cannot be read")
        raise self._stopped(Stop(code), reason[:500])

    def _length(self) -> int:
        """How long the whole answer is, by its own header."""
        return int(_HEADER.size + _HEADER.unpack_from(self._answer)[1])

    def _exchange(self, payload: bytes) -> None:
        unsent = memoryview(payload)
        given, answer, words = (
            _pipe(self._child.stdin),
            _pipe(self._child.stdout),
            _pipe(self._child.stderr),
        )
        os.set_blocking(given.fileno(), False)
        with selectors.DefaultSelector() as selector:
            selector.register(given, selectors.EVENT_WRITE)
            selector.register(answer, selectors.EVENT_READ)
            selector.register(words, selectors.EVENT_READ)
            while selector.get_map():
                ready = selector.select(max(0.0, self._deadline - time.monotonic()))
                if not ready:
                    raise self._stopped(Stop.TOO_SLOW, f"took more than {self._limits.wall_s:g} s")
                for key, _ in ready:
                    if key.fileobj is given:
                        unsent = self._send(given, unsent, selector)
                    elif not (chunk := os.read(key.fd, _CHUNK)):
                        selector.unregister(key.fileobj)
                    elif key.fileobj is words:
                        self._words = (self._words + chunk)[-_LAST_WORDS:]
                    elif self._heard(chunk):
                        return

    def _send(self, given: IO[bytes], unsent: memoryview, selector: selectors.BaseSelector) -> memoryview:
        with suppress(BrokenPipeError):
            unsent = unsent[os.write(given.fileno(), unsent[:_CHUNK]) :]
            if unsent:
                return unsent
        selector.unregister(given)
        with suppress(BrokenPipeError):
            given.close()
        return unsent

    def _heard(self, chunk: bytes) -> bool:
        """Add to the answer; say whether it is whole."""
        self._answer += chunk
        if len(self._answer) < _HEADER.size:
            return False
        if self._length() - _HEADER.size > self._limits.result_bytes:
            raise self._stopped(Stop.TOO_LARGE, f"answered more than {self._limits.result_bytes} bytes")
        return len(self._answer) >= self._length()

    def _death(self) -> StoppedError:
        """Say why there is no answer, from how the process ended."""
        try:
            status = self._child.wait(max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return self._stopped(Stop.TOO_SLOW, f"took more than {self._limits.wall_s:g} s")
        if status == -signal.SIGXCPU:
            return self._stopped(Stop.TOO_SLOW, f"took more than {self._limits.cpu_s} s of the processor")
        if any(sign in self._words for sign in _OUT_OF_MEMORY):
            return self._stopped(Stop.TOO_LARGE, _memory_reason(self._limits))
        how = signal.Signals(-status).name if status < 0 else f"exit status {status}"
        return self._stopped(Stop.CRASHED, f"ended with {how}")

    def _stopped(self, code: Stop, reason: str) -> StoppedError:
        return StoppedError(code, reason, bytes(self._words).decode(errors="replace"))


# What libraries say with their last breath when memory is refused them.
_OUT_OF_MEMORY: Final = (
    b"failed to allocate",
    b"out of memory",
    b"Out of memory",
    b"bad_alloc",
    b"MemoryError",
)


def _memory_reason(limits: Limits) -> str:
    return f"took more than {limits.memory_bytes // _MIB} MB of memory"


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:  # all three are asked for above
        raise RuntimeError("the process has no pipe")
    return stream


# ── the other side ───────────────────────────────────────────────────────────────────────────────


def _serve() -> None:
    """Be the process: limits first, then the code, then the doors, then the stranger's bytes."""
    order = json.loads(sys.argv[1])
    limits = Limits(**order["limits"])
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is not an answer
    _limit(limits)
    module, _, name = order["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    confine((*_own_files(), *map(Path, order["reads"])))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    try:
        kind, body = _DONE, function(sys.stdin.buffer.read())
    except MemoryError:
        kind, body = _FAILED, f"{Stop.TOO_LARGE}\n{_memory_reason(limits)}".encode()
    except RecursionError:
        kind, body = _FAILED, f"{Stop.TOO_LARGE}\nis nested too deeply".encode()
    except Exception as error:  # noqa: BLE001  whatever it was, it is told in one line
        reason = f"{Stop.CRASHED}\n{type(error).__name__}: {error}"
        kind, body = _FAILED, reason.encode(errors="replace")
    answer.write(_HEADER.pack(kind, len(body)) + body)
    answer.flush()


def _limit(limits: Limits) -> None:
    wanted = {
        resource.RLIMIT_CPU: limits.cpu_s,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    for kind, most in wanted.items():
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        # macOS knows these names and does not keep all of them
        with suppress(ValueError, OSError):
            # a second between the two, so that the processor's end is told by its own signal
            resource.setrlimit(kind, (allowed, allowed + (kind == resource.RLIMIT_CPU)))


def _own_files() -> list[Path]:
    """What the interpreter and the engine read while they work: code, fonts, shared libraries."""
    paths = sysconfig.get_paths()
    return [
        Path(__file__).resolve().parent,
        *(Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        *map(Path, ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/share", "/etc/ld.so.cache")),
        *map(Path, ("/etc/fonts", "/dev/null", "/dev/urandom", "/proc/self", "/sys/devices/system/cpu")),
        *(Path(os.environ[name]).parent for name in ("FONTCONFIG_FILE",) if name in os.environ),
    ]
