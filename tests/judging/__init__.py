"""The rules of mutual recognition: hand-made cases, an oracle, and what holds of all of them."""
