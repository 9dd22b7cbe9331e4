"""A validator dies at every named place, and goes on."""
