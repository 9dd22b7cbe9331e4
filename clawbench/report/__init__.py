"""Views of a bench: the terminal and plain text."""
