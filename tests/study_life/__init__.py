"""The life of a study after its images came, as its peers and people meet it."""
