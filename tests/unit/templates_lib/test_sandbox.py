"""A stranger's work has a process of its own, and nothing of ours but what it was handed."""

import json
import os
import socket
import sys
from pathlib import Path

import pytest

from templates_lib.sandbox import Limits, Stop, StoppedError, call_limited

SHORT = Limits(wall_s=20, cpu_s=1)
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's own doors")


def call(function: str, payload: bytes = b"", limits: Limits = SHORT, **granted) -> bytes:
    return call_limited(f"tests.unit.templates_lib.captive:{function}", payload, limits, **granted)


def test_bytes_go_in_and_come_out():
    much = bytes(range(256)) * 8000

    assert call("echo", much) == much


def test_no_secret_goes_with_it_and_what_libraries_print_is_no_answer(monkeypatch):
    monkeypatch.setenv("IMPRIMATUR_SECRET_KEY", "hush")

    environment = json.loads(call("surroundings"))

    assert "hush" not in str(environment)
    assert not [name for name in environment if name.startswith("IMPRIMATUR")]


@pytest.mark.parametrize(
    ("function", "limits", "code"),
    [
        ("spin", SHORT, Stop.TOO_SLOW),
        ("wait", Limits(wall_s=0.5), Stop.TOO_SLOW),
        ("flood_the_pipe", Limits(wall_s=0.5), Stop.TOO_SLOW),
        ("take_memory", SHORT, Stop.TOO_LARGE),
        ("take_memory_in_c", SHORT, Stop.TOO_LARGE),
        ("nest", SHORT, Stop.TOO_LARGE),
        ("flood", SHORT, Stop.TOO_LARGE),
        ("die", SHORT, Stop.CRASHED),
        ("leave", SHORT, Stop.CRASHED),
        ("fail", SHORT, Stop.CRASHED),
    ],
)
def test_what_goes_wrong_is_told_by_its_code(function, limits, code):
    with pytest.raises(StoppedError) as stopped:
        call(function, limits=limits)

    assert stopped.value.code is code


def test_an_error_inside_is_told_in_its_own_words():
    with pytest.raises(StoppedError, match="LookupError: no such thing"):
        call("fail")


@ON_LINUX
def test_it_reads_what_it_was_granted_and_nothing_else(tmp_path):
    canary = tmp_path / "canary"
    canary.write_text("CANARY", encoding="utf-8")

    assert call("read", str(canary).encode()) == b""
    assert call("read", str(canary).encode(), reads=[tmp_path]) == b"CANARY|CANARY"


@ON_LINUX
def test_it_reads_neither_accounts_nor_the_environment_of_its_parent():
    assert call("read", b"/etc/passwd") == b""
    assert call("read", f"/proc/{os.getpid()}/environ".encode()) == b""


@ON_LINUX
def test_it_writes_nothing_not_even_where_it_may_read(tmp_path):
    call("write", str(tmp_path / "new").encode(), reads=[tmp_path])

    assert list(tmp_path.iterdir()) == []


@ON_LINUX
def test_it_reaches_no_network_by_whatever_way():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        *by_python, by_the_c_library = json.loads(call("connect", str(listener.getsockname()[1]).encode()))

        assert by_python == ["URLError", "PermissionError"]
        assert by_the_c_library == -1
        with pytest.raises(BlockingIOError):
            listener.accept()


@ON_LINUX
def test_it_starts_no_process_though_it_may_start_threads():
    *by_python, forked, ran_nothing = json.loads(call("start_processes"))

    assert (by_python, forked, ran_nothing) == (["PermissionError"] * 3, -1, True)
    assert call("start_a_thread", b"said") == b"said"


@ON_LINUX
def test_it_signals_nobody():
    assert json.loads(call("kill_the_parent")) == [-1, -1]


def test_a_function_that_does_not_exist_is_a_crash():
    with pytest.raises(StoppedError) as stopped:
        call("gone")

    assert stopped.value.code is Stop.CRASHED
    assert "gone" in stopped.value.last_words


def test_many_calls_leave_no_file_open():
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("no list of open files here")
    call("echo")
    before = len(list(folder.iterdir()))
    call("echo")
    with pytest.raises(StoppedError):
        call("die")

    assert len(list(folder.iterdir())) == before
