"""Shut the doors behind a process: after `confine()` it computes, and does nothing else.

Linux alone can promise this to a process that is not root: Landlock leaves it the files it was
granted, to read; a filter of system calls leaves it no socket, no new process and no other
process. Both are bound by this thread and inherited by every later one, and cannot be undone.
Elsewhere, or where a kernel lacks them, an audit hook refuses what Python itself would start.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final


class Door(StrEnum):
    """What a kernel can be asked to shut."""

    FILES = "files"
    CALLS = "calls"


def confine(readable: Iterable[Path]) -> frozenset[Door]:
    """Give up all files but `readable`, all sockets and all other processes; say what held.

    Load first what the work needs: nothing is written from here on, not even a cache.
    """
    sys.addaudithook(_refuse)
    if sys.platform != "linux":
        return frozenset()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return frozenset()
    held = {
        Door.FILES: _restrict_files(libc, readable),
        Door.CALLS: _restrict_calls(libc),
    }
    return frozenset(door for door, shut in held.items() if shut)


# ── Python ───────────────────────────────────────────────────────────────────────────────────────

_REFUSED_EVENTS: Final = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.system")
_WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open":
        flags = arguments[2]
        if isinstance(flags, int) and flags & _WRITING:
            raise PermissionError(errno.EPERM, "nothing may be written here")
    elif event.startswith(_REFUSED_EVENTS):
        raise PermissionError(errno.EPERM, f"{event} is not allowed here")


# ── Landlock ─────────────────────────────────────────────────────────────────────────────────────
# Source: landlock(7). The numbers of these three calls are the same on every architecture.

_PR_SET_NO_NEW_PRIVS: Final = 38
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION: Final = 1
_PATH_BENEATH: Final = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# By version: how many kinds of access to files, to TCP, and scopes (abstract sockets, signals).
_HANDLED: Final = {1: (13, 0, 0), 2: (14, 0, 0), 3: (15, 0, 0), 4: (15, 2, 0), 5: (16, 2, 0), 6: (16, 2, 2)}


def _restrict_files(libc: Any, readable: Iterable[Path]) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return False
    kinds = _HANDLED[min(version, max(_HANDLED))]
    # an older kernel refuses a longer struct with anything set in it; later fields stay unsaid
    attributes = b"".join(struct.pack("=Q", (1 << count) - 1) for count in kinds if count)
    ruleset = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _grant(libc, ruleset, path)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _grant(libc: Any, ruleset: int, path: Path) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be granted
    try:
        access = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", access, place), 0)
    finally:
        os.close(place)


# ── system calls ─────────────────────────────────────────────────────────────────────────────────
# Source: seccomp(2), and the tables of system calls of the two architectures.

_MACHINES: Final = ("x86_64", "aarch64")
_ARCHITECTURES: Final = (0xC000003E, 0xC00000B7)
_SECCOMP: Final = (317, 277)
_CLONE: Final = (56, 220)
_TGKILL: Final = (234, 131)
_CLONE3: Final = 435
# Each call's number on the two machines; the newer one lacks what it can do by another name.
_REFUSED_CALLS: Final = {
    # without these there is no way out
    "socket": (41, 198),
    "socketpair": (53, 199),
    "io_uring_setup": (425, 425),
    # no process is started
    "fork": (57, None),
    "vfork": (58, None),
    "execve": (59, 221),
    "execveat": (322, 281),
    # none is signalled, read or steered
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    # the view of the machine stays as it is, also for root
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "chroot": (161, 51),
    "pivot_root": (155, 41),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    # memory is not hidden from its limit, nor files changed in what Landlock does not see
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
}
_X32: Final = 0x40000000  # the same machine's other way to say a number
_LOAD, _EQUALS, _AT_LEAST, _HAS_BITS, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_KILL, _FAIL, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_CLONE_THREAD: Final = 0x00010000
_SET_MODE_FILTER, _ALL_THREADS = 1, 1


def _restrict_calls(libc: Any) -> bool:
    if platform.machine() not in _MACHINES:
        return False
    machine = _MACHINES.index(platform.machine())
    program = _program(machine)
    filters = ctypes.create_string_buffer(program, len(program))
    described = struct.pack("=HxxxxxxQ", len(program) // 8, ctypes.addressof(filters))
    return bool(libc.syscall(_SECCOMP[machine], _SET_MODE_FILTER, _ALL_THREADS, described) == 0)


def _program(machine: int) -> bytes:
    """Write the filter: each step is (what, a value, steps to skip if so, steps to skip if not)."""
    denied = _FAIL | errno.EPERM
    steps = [
        (_LOAD, _ARCHITECTURE_AT, 0, 0),
        (_EQUALS, _ARCHITECTURES[machine], 1, 0),
        (_RETURN, _KILL, 0, 0),
        (_LOAD, _NUMBER_AT, 0, 0),
        (_AT_LEAST, _X32, 0, 1),
        (_RETURN, denied, 0, 0),
        # the C library falls back to clone, whose flags a filter can see
        (_EQUALS, _CLONE3, 0, 1),
        (_RETURN, _FAIL | errno.ENOSYS, 0, 0),
    ]
    for numbers in _REFUSED_CALLS.values():
        if (number := numbers[machine]) is not None:
            steps += [(_EQUALS, number, 0, 1), (_RETURN, denied, 0, 0)]
    for number, test, value in (
        (_CLONE[machine], _HAS_BITS, _CLONE_THREAD),  # a thread may start, a process may not
        (_TGKILL[machine], _EQUALS, os.getpid()),  # how the C library aborts; itself and nobody else
    ):
        steps += [
            (_EQUALS, number, 0, 4),
            (_LOAD, _FIRST_ARGUMENT_AT, 0, 0),
            (test, value, 0, 1),
            (_RETURN, _ALLOW, 0, 0),
            (_RETURN, denied, 0, 0),
        ]
    steps.append((_RETURN, _ALLOW, 0, 0))
    return b"".join(struct.pack("=HBBI", code, yes, no, value) for code, value, yes, no in steps)
