"""Senders: who they are, how they write, and what their waiting messages would become if that were known better."""

from .service import Profiles

__all__ = ["Profiles"]
