"""What the hub promises, as a peer, a clinician or an operator would notice it."""
