"""Acknowledging a prior result: recognised, or not and why."""

from .service import Recognition

__all__ = ["Recognition"]
