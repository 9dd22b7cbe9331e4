"""Keeps what the SDK writes to disk in a folder that is thrown away."""

from __future__ import annotations

import os
import tempfile

_FOLDER = tempfile.mkdtemp(prefix="sdk-")
os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = _FOLDER
os.environ["BTCLI_TOKEN_SYMBOLS_CACHE"] = os.path.join(_FOLDER, "symbols.json")
