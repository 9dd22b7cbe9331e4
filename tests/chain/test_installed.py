"""Without Bittensor's SDK: one sentence that says what to type."""

from __future__ import annotations

import importlib.util

import pytest

from trajectoryrl.chain.bittensor import BittensorChain, hotkey_of
from trajectoryrl.errors import InvalidInput


def test_what_needs_the_sdk_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for needs in (lambda: BittensorChain("finney", 11), lambda: hotkey_of("default", "default", "~/.bittensor")):
        with pytest.raises(InvalidInput, match=r"pip install -e '\.\[chain\]'") as caught:
            needs()
        assert caught.value.code == "CHAIN_SDK"
