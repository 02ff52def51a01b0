"""HTTP for machines: a router translates, calls one verb, maps the result."""
