"""Logs hold events, ids and durations; what a library or an exception wants to add may be a patient's."""

import logging
import sys
import traceback
import warnings
from collections.abc import MutableMapping
from typing import Any

import structlog

# They quote the values that they stumble over.
TALKATIVE = ("pydicom", "pynetdicom", "hl7apy", "ecgdatakit", "PIL", "sqlalchemy", "urllib3")
_PLACES = 6


def configure(level: str) -> None:
    """One JSON object a line on standard error; the level as in the settings."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            places_only,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        # Else every line makes its logger anew, also where it is not written.
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")


def places_only(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replaces an exception by its type and the places it passed: its message may quote what was read."""
    if not event.pop("exc_info", None):
        return event
    kind, _error, trace = sys.exc_info()
    if kind is not None:
        frames = traceback.extract_tb(trace)[-_PLACES:]
        event["error"] = kind.__name__
        event["at"] = [f"{frame.filename}:{frame.lineno}" for frame in frames]
    return event
