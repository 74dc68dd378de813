"""Log lines: structured, one event each, naming nobody.

A line never holds a key, a token, a mail address or a postal one: requests are named by their
route, faults by the places in our code they passed. The library that writes lines is loaded with
the first of them: it takes as long as starting a database, and a start has nothing to say.
"""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import msgspec

from openorders.settings import LogFormat, LogLevel

if TYPE_CHECKING:
    from structlog.typing import Processor

_LEVELS: Final[dict[LogLevel, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
_SEVERITY: Final[dict[str, int]] = {**_LEVELS, "exception": logging.ERROR}
_FRAMES: Final = 30
"""How many places a fault's log line names at most, the innermost ones."""

_QUIET: Final = ("uvicorn", "uvicorn.error", "httpx", "httpcore", "asyncio")
"""Libraries that are heard only from warnings on."""


class Logger:
    """Writes lines for one module. `event` says what happened, the fields to whom and how much."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, **fields: object) -> None:
        """Of use to whoever looks for a fault."""
        self._write("debug", event, fields)

    def info(self, event: str, **fields: object) -> None:
        """What an operator may want to read."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """What an operator should know of; it goes on."""
        self._write("warning", event, fields)

    def error(self, event: str, **fields: object) -> None:
        """What should not have happened. `exc_info` is the exception, or True for the current."""
        self._write("error", event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """The same, about the exception that is being handled."""
        self._write("exception", event, fields)

    def _write(self, method: str, event: str, fields: dict[str, object]) -> None:
        if _SEVERITY[method] < _Chosen.least:
            return
        _Chosen.apply()
        import structlog

        getattr(structlog.get_logger(self._name), method)(event, **fields)


def configure_logging(form: LogFormat, level: LogLevel, *, stream: TextIO | None = None) -> None:
    """Send our log lines and those of libraries to standard error, in one form."""
    _Chosen.set(form, level, stream or sys.stderr)
    root = logging.getLogger()
    root.handlers = [_OfLibraries()]
    root.setLevel(_LEVELS[level])
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(_LEVELS[level], logging.WARNING))


class _Chosen:
    """What was configured, until the first line asks for it."""

    least: int = logging.NOTSET
    _pending: tuple[LogFormat, LogLevel, TextIO] | None = None
    _of_libraries: logging.Handler | None = None

    @classmethod
    def set(cls, form: LogFormat, level: LogLevel, out: TextIO) -> None:
        cls._pending = form, level, out
        cls.least = _LEVELS[level]

    @classmethod
    def apply(cls) -> None:
        if cls._pending is not None:
            form, level, out = cls._pending
            cls._of_libraries = _configure(form, level, out)
            cls._pending = None

    @classmethod
    def of_libraries(cls) -> logging.Handler | None:
        cls.apply()
        return cls._of_libraries


class _OfLibraries(logging.Handler):
    """Takes what libraries log in their own way."""

    def emit(self, record: logging.LogRecord) -> None:
        if (handler := _Chosen.of_libraries()) is not None:
            handler.emit(record)


def _configure(form: LogFormat, level: LogLevel, out: TextIO) -> logging.Handler:
    import structlog

    as_json = form == "json" or (form == "auto" and not out.isatty())
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _name_fault,
    ]
    render: Processor = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=out.isatty())
    )
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(out),
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    return handler


def _to_json(event: MutableMapping[str, Any], **_: object) -> str:
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return msgspec.json.encode({**first, **event}, enc_hook=str).decode()


def _name_fault(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Replace an exception by its kind and the places it passed: its text may quote a customer."""
    error: object = event.pop("exc_info", None)
    if error is True or isinstance(error, tuple):
        error = sys.exc_info()[1] if error is True else cast("tuple[Any, ...]", error)[1]
    if isinstance(error, BaseException):
        event["fault"] = type(error).__name__
        event["places"] = places_of(error)
    return event


def places_of(error: BaseException) -> list[str]:
    """Where an exception came from, innermost last, with what had caused it."""
    chain: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(chain) < _FRAMES:
        frames = traceback.extract_tb(seen.__traceback__)[-_FRAMES:]
        chain = [
            *(f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames),
            *([f"-> {type(seen).__name__}"] if seen is not error else []),
            *chain,
        ]
        seen = seen.__cause__ or seen.__context__
    return chain[-_FRAMES:]


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-3:])
