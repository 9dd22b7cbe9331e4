"""Start a validator: ``python neurons/validator.py --netuid 11 --wallet.name NAME --wallet.hotkey NAME``."""

from __future__ import annotations

import sys


def main() -> int:
    """Reads the command line and runs until told to stop; returns an exit status."""
    from trajectoryrl.operating import main as operate

    return operate(sys.argv[1:], prog="validator.py", about="Validate the subnet: evaluate packs and set weights.")


if __name__ == "__main__":
    sys.exit(main())
