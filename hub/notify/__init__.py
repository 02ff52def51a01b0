"""Telling others: results go to the system of whoever ordered them."""

from .outbound import Outbound, release
from .pace import Pace
from .service import Notify

__all__ = ["Notify", "Outbound", "Pace", "release"]
