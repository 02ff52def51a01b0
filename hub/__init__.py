"""The hub: verbs over what is stored, and the edges where machines and people meet them."""
