"""What peers on the DICOM network ask of the hub: find, fetch, vouch for images, keep what modalities did."""

from .couriers import Commitments
from .nodes import Nodes
from .service import Archive

__all__ = ["Archive", "Commitments", "Nodes"]
