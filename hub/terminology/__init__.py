"""What senders' own codes and units mean: tasks for those that nobody has mapped, and the mapping itself."""

from .service import Terminology

__all__ = ["Terminology"]
