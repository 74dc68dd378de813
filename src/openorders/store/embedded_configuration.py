"""What the embedded database is told at every start, for a machine that it shares with the server.

Durability (`fsync`, `synchronous_commit`, `full_page_writes`) stays at PostgreSQL's defaults.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_MIB = 1024 * 1024
_HEAD = "# Written by openorders at every start; your own settings go to postgresql.conf.\n"


def configuration(settings: Mapping[str, str]) -> str:
    """The text of openorders.conf; `settings` add to it, as written there."""
    chosen = {**_chosen(_memory_bytes() // _MIB), **settings}
    return _HEAD + "".join(f"{name} = {value}\n" for name, value in chosen.items())


def _chosen(memory_mib: int) -> dict[str, str]:
    return {
        # Sixteen for each process that answers, as many processes as a machine has cores.
        "max_connections": "200",
        # So that an operator gets in while all others are taken.
        "superuser_reserved_connections": "5",
        # An eighth of the memory: the server, its workers and the system's own cache want theirs.
        "shared_buffers": f"{min(max(memory_mib // 8, 32), 1024)}MB",
        # What the planner may count on finding in memory, the system's cache included.
        "effective_cache_size": f"{max(memory_mib // 2, 64)}MB",
        # For building indexes and for vacuum, one or two at a time.
        "maintenance_work_mem": f"{min(max(memory_mib // 32, 16), 256)}MB",
        # For one sort or hash table; lists sort pages only, reports more.
        "work_mem": "8MB",
        # After a checkpoint each page is written to the log whole once more, which is most of what
        # a rush of orders writes: half as many checkpoints under load, for 1 GB more of disk and
        # seconds more of recovery ...
        "max_wal_size": "2GB",
        # ... and without a rush one in a quarter of an hour.
        "checkpoint_timeout": "15min",
        # Files of the log that are kept to be written again: making new ones costs a rush its time.
        "min_wal_size": "256MB",
        # Plans made while tables are empty scan what they should look up; statistics end that,
        # and a shop's first rush should not have to wait a minute for them.
        "autovacuum_naptime": "5s",
        # Compiling a plan takes longer than any statement of ours runs.
        "jit": "off",
        # Times are stored as instants; whoever asks with psql sees them as our answers show them.
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        # Names and articles of any language: no words are left out or cut to their stems.
        "default_text_search_config": "'pg_catalog.simple'",
        # Statements hold names and addresses, so neither they nor a refused row are logged.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        # Nobody reads two lines for each checkpoint.
        "log_checkpoints": "off",
    }


def _memory_bytes() -> int:
    """The machine's memory, or what a control group leaves of it."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return physical
    return min(physical, int(limit)) if limit.isdigit() else physical
