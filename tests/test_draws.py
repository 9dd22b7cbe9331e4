from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbench import draws


def test_digest_joins_fields_with_colons() -> None:
    assert draws.digest("a", 1, "é") == sha256("a:1:é".encode()).hexdigest()


def test_draw_golden_vectors() -> None:
    seed = draws.local_seed("0")
    assert seed == sha256(b"local-0").hexdigest()
    assert draws.draw(seed, "identity:name", 20) == int(sha256(f"{seed}:identity:name".encode()).hexdigest(), 16) % 20


def test_draw_refuses_an_empty_pool() -> None:
    with pytest.raises(ValueError, match="at least one choice"):
        draws.draw("s", "l", 0)


def test_fact_seed_takes_epoch_beacon_and_scenario() -> None:
    assert draws.fact_seed("e", "b", "s") == sha256(b"e:b:s").hexdigest()


def test_run_seed_is_the_first_eight_digits_times_a_thousand() -> None:
    assert draws.run_seed("0000000a" + "f" * 56, 2) == 10_002


@given(st.sets(st.text(max_size=8)), st.text(max_size=8))
def test_shuffle_keeps_names_and_forgets_their_order(names: set[str], seed: str) -> None:
    one = draws.shuffled(seed, "x", sorted(names))
    assert one == draws.shuffled(seed, "x", sorted(names, reverse=True))
    assert set(one) == names
