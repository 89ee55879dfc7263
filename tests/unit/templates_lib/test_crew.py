"""Jobs shared out among real processes, some of which die."""

import os
import signal
from functools import partial

import pytest

from templates_lib.crew import AT_HAND, CrewStopped, Lost, WorkerDefect, share_out


class OutOfPaper(CrewStopped):
    """A stop of the jobs' own kind."""


def doubler():
    return double


def double(job):
    return 2 * job


def obedient():
    return obey


def obey(job):
    """Do what a job says: `die`, `die once`, `hang`, `stop`, `break`, or nothing special."""
    word, marker = job
    match word:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "die once" if not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        case "hang":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "stop":
            raise OutOfPaper("没有纸了")
        case "break":
            return len(marker)
    return word


def tell_the_process():
    return lambda _job: os.getpid()


def unready():
    raise OutOfPaper("没有纸了")


def doomed():
    os.kill(os.getpid(), signal.SIGKILL)


def words(*words, marker=None):
    return [(word, marker) for word in words]


def test_every_job_is_done_once():
    done = list(share_out(doubler, range(50), processes=2))

    assert sorted(done) == [(job, 2 * job) for job in range(50)]


def test_all_processes_take_part():
    # more jobs than one process has at hand, so the second gets its share before the first is ready
    pids = {pid for _job, pid in share_out(tell_the_process, range(2 * AT_HAND), processes=2)}

    assert len(pids) == 2
    assert os.getpid() not in pids


def test_a_long_list_is_never_read_far_ahead():
    asked = 0

    def jobs():
        nonlocal asked
        for job in range(200):
            asked += 1
            yield job

    ahead = []
    for answered, _ in enumerate(share_out(doubler, jobs(), processes=2)):
        ahead.append(asked - answered)

    assert max(ahead) <= 2 * AT_HAND


def test_a_process_that_dies_is_replaced_and_its_job_done_after_all(tmp_path):
    jobs = words("a", "die once", "b", "c", marker=tmp_path / "died")

    done = [result for _job, result in share_out(obedient, jobs, processes=1)]

    assert sorted(done) == ["a", "b", "c", "die once"]


def test_a_job_that_kills_every_process_is_given_up_and_the_others_are_done():
    done = dict(share_out(obedient, words("a", "die", "b", "c"), processes=2))

    assert done.pop(("die", None)) == Lost()
    assert sorted(done.values()) == ["a", "b", "c"]


def test_a_job_that_never_ends_is_given_up():
    done = dict(share_out(obedient, words("a", "hang", "b"), processes=1, patience_s=3))

    assert done.pop(("hang", None)) == Lost()
    assert sorted(done.values()) == ["a", "b"]


def test_what_concerns_all_jobs_ends_the_work():
    with pytest.raises(OutOfPaper, match="没有纸了"):
        list(share_out(obedient, words("a", "stop", "b"), processes=2))


def test_a_worker_that_cannot_be_made_ready_ends_the_work():
    with pytest.raises(OutOfPaper, match="没有纸了"):
        list(share_out(unready, range(4), processes=2))


def test_a_worker_that_dies_while_made_ready_ends_the_work():
    with pytest.raises(CrewStopped, match="exit code -9"):
        list(share_out(doomed, range(4), processes=1))


def test_a_defect_shows_where_it_happened():
    with pytest.raises(WorkerDefect, match=r"in obey\n(.|\n)*TypeError"):
        list(share_out(obedient, words("break"), processes=1))


def test_what_is_prepared_may_carry_its_own_settings():
    done = list(share_out(partial(_adder, 5), [1, 2], processes=1))

    assert done == [(1, 6), (2, 7)]


def _adder(number):
    return lambda job: job + number
