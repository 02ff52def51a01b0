"""Senders: who they are, how they write, and what their waiting messages would become if that were known better."""

from .first import register_first
from .service import Profiles

__all__ = ["Profiles", "register_first"]
