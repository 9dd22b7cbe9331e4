"""Measure what a policy pack does to an agent: scenarios, a sandbox of mock tools, and a score anyone can recompute."""

__version__ = "0.1.0"
