"""The PostgreSQL that comes with openorders, supervised: start it, share it, restart it, stop it.

One folder holds one database. Whoever needs it takes a lease: the server for as long as it runs,
a command for a moment. The first lease starts the database or takes over one that a killed
process left behind, the last one stops it. Knows nothing of what is kept in the database.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import asyncpg

from openorders.store import embedded_process, queries
from openorders.store.embedded_account import EmbeddedDatabaseError
from openorders.store.embedded_folder import (
    DataFolder,
    FolderLock,
    default_folder,
    open_folder,
    transition,
)
from openorders.store.embedded_process import Postmaster, Report
from openorders.store.queries import Connection

__all__ = ["EmbeddedDatabase", "EmbeddedDatabaseError", "attach", "default_folder", "running"]

ROLE = "openorders"
DATABASE = "openorders"

WATCH_S = 0.5
"""How often the server looks whether its database still runs."""

_RESTART_PAUSE_S_MAX = 30
_KILLED_SERVER_S = 1
_ITS_WORKERS_S = 10
_SQL = queries.load("embedded")
T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedDatabase:
    """Where the database answers and who may ask it."""

    folder: Path
    host: str
    port: int
    pid: int
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        """The order book's database as a `postgresql://` URL. Holds the password: not for logs."""
        return self.url_as(ROLE, DATABASE)

    def url_as(self, role: str, database: str) -> str:
        """The same server for another role, or another of its databases."""
        return (
            f"postgresql://{role}:{quote(self.password, safe='')}@/{database}"
            f"?host={quote(self.host, safe='')}&port={self.port}"
        )


@asynccontextmanager
async def running(
    data_dir: Path,
    *,
    bindir: Path | None = None,
    settings: Mapping[str, str] | None = None,
    report: Report | None = None,
    underway: Callable[[], None] = lambda: None,
) -> AsyncGenerator[EmbeddedDatabase, None]:
    """The folder's database for the one server of this folder, restarted whenever it dies.

    A second server on the same folder raises EmbeddedDatabaseError, as does a folder or a machine
    that cannot serve. `bindir` names PostgreSQL's programs, `settings` add to its configuration
    as written there; `report` is told in sentences what takes long, and `underway` is called, in a
    thread, as soon as what is left of the start is mostly waiting.
    """
    lease = _Lease(
        data_dir,
        bindir=bindir,
        settings=settings or {},
        report=report or _log.info,
        underway=underway,
    )
    try:
        database = await _undisturbed(lease.take_as_server)
        await _ensure_role(database)
        watch = asyncio.create_task(lease.watch(), name="embedded-database-watch")
        try:
            yield database
        finally:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
    finally:
        await _undisturbed(lease.release)


@asynccontextmanager
async def attach(
    data_dir: Path, *, bindir: Path | None = None, report: Report | None = None
) -> AsyncGenerator[EmbeddedDatabase, None]:
    """The folder's database for a command: that of a running server, else one for the moment."""
    lease = _Lease(data_dir, bindir=bindir, settings={}, report=report or _log.info)
    try:
        database = await _undisturbed(lease.take)
        await _ensure_role(database)
        yield database
    finally:
        await _undisturbed(lease.release)


class _Lease:
    """A share in the folder's database. Its methods block, save `watch`."""

    def __init__(
        self,
        data_dir: Path,
        *,
        bindir: Path | None,
        settings: Mapping[str, str],
        report: Report,
        underway: Callable[[], None] = lambda: None,
    ) -> None:
        self._data_dir = data_dir
        self._bindir = bindir
        self._settings = settings
        self._report = report
        self._underway = underway
        self._folder: DataFolder | None = None
        self._as_server: FolderLock | None = None
        self._as_user: FolderLock | None = None

    def take_as_server(self) -> EmbeddedDatabase:
        """Take the lock that one server holds; that of a killed one may need a moment to fall."""
        folder = open_folder(self._data_dir)
        self._as_server = lock = FolderLock(folder.path / "server.lock")
        holder = lock.signed_by()
        taken = lock.take(patience_s=_KILLED_SERVER_S)
        if not taken and (holder is None or not embedded_process.is_alive(holder)):
            taken = lock.take(patience_s=_ITS_WORKERS_S)
        if not taken:
            raise EmbeddedDatabaseError(
                f"{folder.path} is in use by another openorders server (process {holder}). Stop "
                "it, or name another folder with --data-dir."
            )
        lock.sign()
        return self.take()

    def take(self) -> EmbeddedDatabase:
        folder = open_folder(self._data_dir)
        with transition(folder):
            self._as_user = FolderLock(folder.path / "users.lock")
            if not self._as_user.take(shared=True, patience_s=1):
                raise EmbeddedDatabaseError(f"The lock of {folder.path} cannot be had.")
            self._folder = folder
            return facts(folder, self._up(folder))

    def release(self) -> None:
        """Give back whatever was taken; the last one out stops the database."""
        try:
            if self._folder is not None and self._as_user is not None:
                with transition(self._folder):
                    if self._as_user.try_take():
                        embedded_process.stop(self._folder)
                    self._as_user.release()
        finally:
            if self._as_server is not None:
                self._as_server.release()

    async def watch(self) -> None:
        """Start the database again whenever it is gone, waiting longer after each failure."""
        pause_s = WATCH_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                if await asyncio.to_thread(self._revive):
                    _log.warning("the embedded database was gone and has been started again")
                pause_s = WATCH_S
            except (EmbeddedDatabaseError, OSError) as error:
                pause_s = min(pause_s * 2, _RESTART_PAUSE_S_MAX)
                _log.error("the embedded database does not start again: %s", error)

    def _revive(self) -> bool:
        folder = self._folder
        if folder is None:
            return False
        _bound_the_log(folder)
        if embedded_process.running(folder) is not None:
            return False
        with transition(folder):
            if embedded_process.running(folder) is not None:
                return False
            self._up(folder)
        return True

    def _up(self, folder: DataFolder) -> Postmaster:
        """Take over what runs, else start; the caller holds the folder's transition lock."""
        return embedded_process.await_ready(folder, self._report) or embedded_process.start(
            folder,
            bindir=self._bindir,
            settings=self._settings,
            report=self._report,
            underway=self._underway,
        )


def facts(folder: DataFolder, postmaster: Postmaster) -> EmbeddedDatabase:
    """How to reach a running database of this folder."""
    return EmbeddedDatabase(
        folder=folder.path,
        host=postmaster.host,
        port=postmaster.port,
        pid=postmaster.pid,
        password=folder.password(),
    )


def _bound_the_log(folder: DataFolder) -> None:
    """Empty a log that has grown too large; the server appends, so it goes on from there."""
    if folder.log.exists() and folder.log.stat().st_size > embedded_process.LOG_BYTES_MAX:
        os.truncate(folder.log, 0)


async def _ensure_role(database: EmbeddedDatabase) -> None:
    """Make the role and its database, unless a look as that role shows that they are there."""
    try:
        connection = await _connect(database, user=ROLE, name=DATABASE)
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError):
        connection = await _connect(database, user=embedded_process.SUPERUSER, name="postgres")
        try:
            await _SQL.remember_password.execute(connection, password=database.password)
            await _SQL.create_role.execute(connection)
            await _SQL.create_database.execute(connection)
        except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
            _log.debug("another process made the role and the database at the same moment")
    await connection.close()


async def _connect(database: EmbeddedDatabase, *, user: str, name: str) -> Connection:
    return await asyncpg.connect(
        host=database.host,
        port=database.port,
        user=user,
        database=name,
        password=database.password,
        timeout=10,
    )


async def _undisturbed(work: Callable[[], T]) -> T:
    """Run blocking work in a thread, to its end even when we are cancelled meanwhile."""
    task = asyncio.create_task(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
