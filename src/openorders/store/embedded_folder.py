"""The data folder: what lies where in it, who may open it, and who is using it.

Everything the embedded database needs is below one folder that only its owner can open; nothing
outside it is changed, save that missing parents are made. Knows nothing of processes.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from openorders.store.embedded_account import Account, EmbeddedDatabaseError, account_for

ROOTS_FOLDER = Path("/var/lib/openorders")

SOCKET_PATH_BYTES_MAX = 107
"""What fits into the kernel's socket address, on every system we run on (Linux: 107 bytes)."""

_MARKER = "openorders.txt"
_MARKER_TEXT = """\
This folder belongs to openorders: orders, their history, and all else it keeps.
Do not edit what is below postgres/. To back up, use `pg_dump`, or stop openorders and
copy the whole folder.
"""
_STEP_S = 0.02


class DataFolder(Struct, frozen=True, kw_only=True):
    path: Path
    account: Account

    @property
    def cluster(self) -> Path:
        return self.path / "postgres"

    @property
    def sockets(self) -> Path:
        return self.path / "run"

    @property
    def binaries(self) -> Path:
        return self.path / "binaries"

    @property
    def log(self) -> Path:
        return self.path / "postgres.log"

    @property
    def password_file(self) -> Path:
        return self.path / "password"

    @property
    def has_cluster(self) -> bool:
        return (self.cluster / "PG_VERSION").exists()

    def password(self) -> str:
        """The database's password, as it was made with the cluster."""
        try:
            return self.password_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise EmbeddedDatabaseError(
                f"{self.password_file}, which holds the database's password, is missing."
            ) from None

    def new_password(self) -> Path:
        """Make the password of a cluster to be; answer the file that only its owner can read."""
        self.write(self.password_file, secrets.token_urlsafe(24) + "\n")
        return self.password_file

    def make(self, folder: Path) -> Path:
        """Make a folder inside this one that only the database's account can open."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self._give(folder)
        return folder

    def write(self, file: Path, text: str) -> None:
        """Write a file inside this folder, whole or not at all, readable by its owner alone. One
        that says so already is left alone: making sure of a file on the disk takes its time.
        """
        if file.exists() and file.read_text(encoding="utf-8") == text:
            return
        part = file.with_name(f".{file.name}.part")
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        self._give(part)
        part.rename(file)

    def _give(self, path: Path) -> None:
        if self.account.is_borrowed:
            os.chown(path, self.account.uid, self.account.gid)


class FolderLock:
    """A lock on a file that the kernel drops when the last process holding it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def try_take(self, *, shared: bool = False) -> bool:
        """Take the lock, or turn a shared one into an exclusive one, unless others are there."""
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def take(self, *, shared: bool = False, patience_s: float) -> bool:
        """Take the lock, waiting for others to let go; False when they do not in time."""
        until = time.monotonic() + patience_s
        while not self.try_take(shared=shared):
            if time.monotonic() > until:
                return False
            time.sleep(_STEP_S)
        return True

    def sign(self) -> None:
        """Leave our process id in the file, for the sentence that others are refused with."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def signed_by(self) -> int | None:
        text = os.pread(self._file, 20, 0).strip()
        return int(text) if text.isdigit() else None

    def release(self) -> None:
        """Let go, also on behalf of child processes that inherited the open file."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1


@contextmanager
def transition(folder: DataFolder, *, patience_s: float = 120) -> Generator[None, None, None]:
    """While inside, nobody else starts or stops the folder's database."""
    lock = FolderLock(folder.path / "transition.lock")
    try:
        if not lock.take(patience_s=patience_s):
            raise EmbeddedDatabaseError(
                f"Another openorders process has been starting or stopping the database in "
                f"{folder.path} for {patience_s:.0f} s. Try again when it is done."
            )
        yield
    finally:
        lock.release()


def default_folder(*, xdg_data_home: str | None = None) -> Path:
    """Where orders are kept when nobody says otherwise: root's own place, else the user's."""
    if os.geteuid() == 0:
        return ROOTS_FOLDER
    home = Path(xdg_data_home) if xdg_data_home else Path.home() / ".local" / "share"
    return home / "openorders"


def open_folder(path: Path) -> DataFolder:
    """Make the folder ready, or refuse it in a sentence before anything was changed.

    A new or empty folder becomes ours; a folder with foreign contents is refused, and so is one
    that the database's account cannot reach.
    """
    path = path.expanduser().absolute()
    if path.exists():
        path = path.resolve()
    account = account_for(path)
    _check_way(path, account)
    known = (path / _MARKER).exists()
    try:
        if not known and path.exists() and any(path.iterdir()):
            raise EmbeddedDatabaseError(
                f"{path} is neither empty nor a data folder of openorders. Name another one with "
                "--data-dir."
            )
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = DataFolder(path=path.resolve(), account=account)
        _own(folder)
        if not known:
            folder.write(folder.path / _MARKER, _MARKER_TEXT)
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise EmbeddedDatabaseError(
            f"{path} cannot be used as the data folder: {error.strerror}. Name another one with "
            "--data-dir."
        ) from error
    return folder


def _check_way(path: Path, account: Account) -> None:
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    if existing == path and account.uid != path.stat().st_uid:
        existing = path.parent  # the folder itself is about to be given to the account
    closed = account.closed_folder(existing.resolve())
    if closed is not None:
        raise EmbeddedDatabaseError(
            f"{path} cannot be the data folder: PostgreSQL does not run as root, so it runs as "
            f"the account `{account.name}`, which may not enter {closed}. Name a folder that it "
            f"can reach, such as {ROOTS_FOLDER}, with --data-dir, or start openorders as an "
            "ordinary user."
        )


def _own(folder: DataFolder) -> None:
    """Close the folder to everybody but its account; both may be so already."""
    status = folder.path.stat()
    if status.st_uid != folder.account.uid:
        os.chown(folder.path, folder.account.uid, folder.account.gid)
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        folder.path.chmod(0o700)
