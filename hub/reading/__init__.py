"""Reading ECGs: from what a cart says to what a doctor of the ECG centre stands by."""

from .service import Readings

__all__ = ["Readings"]
