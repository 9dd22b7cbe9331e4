"""What others take for the same conversation: scripts that run alone, in an environment of their own if need be."""
