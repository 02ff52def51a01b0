"""What peers on the DICOM network ask beside storing: C-FIND, C-MOVE, C-GET, storage commitment, MPPS.

Source: DICOM PS3.4 annexes C, F and J.
"""

from .commitment import CommitmentCourier
from .services import services

__all__ = ["CommitmentCourier", "services"]
