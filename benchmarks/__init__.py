"""What the harness costs, measured: run with ``python -m benchmarks``."""
