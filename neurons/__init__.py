"""What an operator starts: argument parsing only."""
