"""Keys are shown nowhere, and a placeholder hides nothing else."""

from __future__ import annotations

import pytest

from clawbench.models.keys import HIDDEN, Key


def test_a_key_is_hidden_wherever_it_is_quoted() -> None:
    assert Key("sk-planted-key").hidden_in(b'{"error": "sk-planted-key is wrong"}') == (
        f'{{"error": "{HIDDEN} is wrong"}}'.encode()
    )
    assert "planted" not in repr(Key("sk-planted-key"))


@pytest.mark.parametrize("placeholder", ["", "x", "k", "EMPTY", "ollama", "token"])
def test_a_placeholder_leaves_an_answer_as_it_is(placeholder: str) -> None:
    body = b'{"usage": {"total_tokens": 7}, "text": "EMPTY ollama x"}'
    assert Key(placeholder).hidden_in(body) == body
