"""Speed, as a ratio against a peer in the same run: `python -m tests.benchmarks.cstore`, or `.mllp`.

Machines are shared and noisy: a figure means something only beside another of the same minutes; medians of three.
"""
