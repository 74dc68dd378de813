"""The account that runs the embedded database's programs.

PostgreSQL refuses to run as root, so root borrows an account that exists already. Nothing is
added to the machine. Knows nothing of data folders beyond who owns one.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

BORROWED = ("postgres", "nobody")
"""Accounts that root runs the database as, the first that exists."""

_TESTS_EACH_FOLDER = 'for folder do [ -x "$folder" ] || { echo "$folder"; exit 1; }; done'
_TESTS_WRITING = '[ -w "$1" ] && [ -x "$1" ]'


class EmbeddedDatabaseError(Exception):
    """The embedded database cannot be had; the message is a sentence for whoever started us."""


class Account(Struct, frozen=True, kw_only=True):
    name: str
    uid: int
    gid: int

    @property
    def is_borrowed(self) -> bool:
        """Whether programs change to this account, which only root can do."""
        return self.uid != os.geteuid()

    def run(
        self, command: Sequence[str | Path], *, timeout_s: float = 60, cwd: str | Path = "/"
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end as this account and capture what it says."""
        return subprocess.run(  # noqa: S603 - our own programs, no shell, no foreign input
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            cwd=cwd,
            env=environment(),
            **self._switch(),
        )

    def run_into(self, command: Sequence[str | Path], *, log: IO[bytes], cwd: Path) -> str:
        """Run a program whose standard error goes to a file; answer what it printed."""
        return subprocess.run(  # noqa: S603 - as above
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            timeout=60,
            check=True,
            cwd=cwd,
            env=environment(),
            start_new_session=True,
            umask=0o077,
            **self._switch(),
        ).stdout

    def closed_folder(self, path: Path) -> Path | None:
        """The first folder on the way to an existing one that this account may not pass."""
        if not self.is_borrowed:
            return None
        way = [*reversed(path.parents), path]
        answer = self.run(["/bin/sh", "-c", _TESTS_EACH_FOLDER, "sh", *way])
        return Path(answer.stdout.strip()) if answer.returncode else None

    def may_write(self, path: Path) -> bool:
        return self.run(["/bin/sh", "-c", _TESTS_WRITING, "sh", path]).returncode == 0

    def _switch(self) -> dict[str, Any]:
        if not self.is_borrowed:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def account_for(folder: Path) -> Account:
    """Choose who runs the database in a folder that may not exist yet.

    An ordinary user runs it as themselves. Root runs it as the folder's owner, and where root
    owns the folder or there is none, as the first of BORROWED.
    """
    uid = os.geteuid()
    if uid == 0 and folder.exists():
        uid = folder.stat().st_uid
    if uid == 0:
        return _borrowed_account()
    try:
        return _account(pwd.getpwuid(uid))
    except KeyError:
        raise EmbeddedDatabaseError(
            f"User id {uid} has no account on this machine, and PostgreSQL does not run without "
            "one. Start openorders as an account that exists, or use --database-url."
        ) from None


def environment() -> dict[str, str]:
    """What PostgreSQL's programs see of our environment: nothing that could change their mind."""
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def _borrowed_account() -> Account:
    for name in BORROWED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return _account(entry)
    raise EmbeddedDatabaseError(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor "
        "`nobody`. Start openorders as an ordinary user, or use --database-url."
    )


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)
