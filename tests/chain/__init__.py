"""A chain that the real SDK takes for Subtensor: real runtime metadata, a small state machine, a websocket."""
