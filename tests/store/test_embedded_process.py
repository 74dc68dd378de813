"""What is known of a process from outside, by its number alone."""

import os
import subprocess
import time

from openorders.store import embedded_process

STARTS = 40
WATCHED_S = 0.01
"""Longer than a process takes to become another program."""


def test_a_process_is_alive_while_it_becomes_another_program() -> None:
    """A start that looked in that moment told its user that the database had ended."""
    for _ in range(STARTS):
        with subprocess.Popen(
            ["/bin/sh", "-c", '/bin/sh -c "exec /bin/sleep 5" >&2 & echo $!'],
            stdout=subprocess.PIPE,
        ) as parent:
            assert parent.stdout is not None
            pid = int(parent.stdout.readline())
            until = time.monotonic() + WATCHED_S
            while time.monotonic() < until:
                assert embedded_process.is_alive(pid)
            os.kill(pid, 9)


def test_one_that_has_ended_is_not_alive_whether_it_was_taken_note_of_or_not() -> None:
    ended = subprocess.Popen(["/bin/true"])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    assert not embedded_process.is_alive(ended.pid)
    ended.wait()
    assert not embedded_process.is_alive(ended.pid)
