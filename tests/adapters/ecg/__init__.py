"""ECG files of carts: what is read, what is refused, and why."""
