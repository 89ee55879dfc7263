"""What a captive tries: each function is called inside a sandbox by the tests beside it."""

from __future__ import annotations

import base64
import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen


def echo(payload: bytes) -> bytes:
    return payload


def surroundings(payload: bytes) -> bytes:
    sys.stdout.write("a library that talks to standard output\n")
    sys.stdout.flush()
    return json.dumps(dict(os.environ)).encode()


def spin(payload: bytes) -> bytes:
    while True:
        pass


def wait(payload: bytes) -> bytes:
    threading.Event().wait()
    return b""


def take_memory(payload: bytes) -> bytes:
    return bytes(len(bytearray(1 << 40)))


def take_memory_in_c(payload: bytes) -> bytes:
    glib = ctypes.CDLL("libglib-2.0.so.0")
    glib.g_malloc.argtypes = [ctypes.c_size_t]
    glib.g_malloc(1 << 40)
    return b""


def nest(payload: bytes) -> bytes:
    return nest(payload)


def flood(payload: bytes) -> bytes:
    return bytes(100 * 1024 * 1024)


def flood_the_pipe(payload: bytes) -> bytes:
    while True:
        os.write(2, b"x" * 65536)


def die(payload: bytes) -> bytes:
    os.abort()


def leave(payload: bytes) -> bytes:
    os._exit(3)


def fail(payload: bytes) -> bytes:
    raise LookupError("no such thing")


def read(payload: bytes) -> bytes:
    """Python asks, then the C library, which no hook of Python's hears."""
    path = payload.decode()
    found = []
    with suppress(OSError):
        found.append(Path(path).read_bytes())
    file = _libc().open(payload, os.O_RDONLY)
    if file >= 0:
        found.append(os.read(file, 1000))
    return b"|".join(found)


def write(payload: bytes) -> bytes:
    path = payload.decode()
    with suppress(OSError):
        Path(path).write_bytes(b"x")
    _libc().open(payload, os.O_CREAT | os.O_WRONLY, 0o600)
    return b""


def connect(payload: bytes) -> bytes:
    """Python asks, then the C library."""
    port = int(payload)
    tried = []
    for way in (
        lambda: urlopen(f"http://127.0.0.1:{port}/"),
        lambda: socket.create_connection(("127.0.0.1", port)),
    ):
        try:
            way()
            tried.append("reached")
        except OSError as error:
            tried.append(type(error).__name__)
    made = _libc().socket(socket.AF_INET, socket.SOCK_STREAM, 0)
    return json.dumps([*tried, made]).encode()


def start_processes(payload: bytes) -> bytes:
    tried = []
    for way in (lambda: subprocess.run(["/bin/true"], check=False), os.fork, lambda: os.system("true")):
        try:
            way()
            tried.append("started")
        except OSError as error:
            tried.append(type(error).__name__)
    libc = _libc()
    return json.dumps([*tried, libc.fork(), libc.system(b"true") != 0]).encode()


def kill_the_parent(payload: bytes) -> bytes:
    libc = _libc()
    parent = os.getppid()
    return json.dumps([libc.kill(parent, 0), libc.syscall(234, parent, parent, 0)]).encode()


def start_a_thread(payload: bytes) -> bytes:
    said: list[bytes] = []
    thread = threading.Thread(target=lambda: said.append(payload))
    thread.start()
    thread.join()
    return b"".join(said)


def decode_pictures(payload: bytes) -> bytes:
    """Decode files that ask for much, one after the other; tell the outcomes and the growth in MB."""
    from templates_lib.pictures import BadImageError, decode

    decode(base64.b64decode(json.loads(payload)[0]))  # what the codecs themselves take
    before, outcomes = _peak_mb(), []
    for file in json.loads(payload)[1:]:
        try:
            decode(base64.b64decode(file))
            outcomes.append("decoded")
        except BadImageError as error:
            outcomes.append(error.code)
    return json.dumps({"outcomes": outcomes, "growth_mb": _peak_mb() - before}).encode()


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
