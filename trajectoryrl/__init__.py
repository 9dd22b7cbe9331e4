"""The subnet: who submitted what, who wins, and the proof of it."""
