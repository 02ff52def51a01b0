"""The vocabulary of the hub: frozen values and faults. Imports nothing of ours."""
