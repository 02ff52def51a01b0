"""The demo: its district, its people, its traffic."""
