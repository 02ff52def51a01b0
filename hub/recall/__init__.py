"""What somebody relied on is no longer so: finding everyone, telling them, and waiting until they know."""

from .hooks import Hooks
from .raising import Raising
from .service import Recall
from .telling import Telling

__all__ = ["Hooks", "Raising", "Recall", "Telling"]
