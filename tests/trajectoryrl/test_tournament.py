"""Who wins: the founding examples, every departure from them, and what must hold for any field."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_protocol_doc import DOC, vectors
from trajectoryrl.order import in_order, without_duplicates
from trajectoryrl.plan import Award
from trajectoryrl.protocol import parameters
from trajectoryrl.tournament import Contender, award

from .entries import BEACON, contender, entry

CROWD = [(f"crowd{i}", "0.4", 90 + i) for i in range(10)]


def awarded(*rows: tuple[str, str, int] | Contender, owner: str | None = "owner", **more: Any) -> Award:
    given = [row if isinstance(row, Contender) else contender(*row) for row in rows]
    return award(given, BEACON, parameters(), owner, **more)


def shares(made: Award) -> dict[str, str]:
    return {name: str(weight) for name, weight in made.weights.items()}


# the founding text's worked examples


def test_the_timeline() -> None:
    made = awarded(("a", "0.85", 1), ("b", "0.87", 2), ("c", "0.91", 3), *CROWD)
    assert (made.winner, made.champions) == ("c", ("a", "c"))
    assert shares(made) == {"c": "1"}
    assert made.why["b"] == (
        "0.8700 is better than the 0.8500 of a, who came earlier, but whoever comes later needs 0.9000"
    )
    assert made.why["a"] == "dethroned by c, whose 0.9100 reaches 0.9000"
    assert made.why["c"] == "wins: champion when all had been compared; place 1 gets 100%"
    assert made.trace == (
        "13 active miners, 10 or more: the winner takes all",
        "a came first, with 0.85 (0.8500 exactly): champion",
        "c, 0.90 (0.9100 exactly), reaches 0.9000: the new champion",
        "c wins with 0.90 (0.9100 exactly) and gets 100%",
    )


def test_a_later_093_stays_behind_091() -> None:
    made = awarded(("a", "0.85", 1), ("b", "0.87", 2), ("c", "0.91", 3), ("d", "0.93", 4), *CROWD)
    assert made.winner == "c"
    assert "needs 0.9600" in made.why["d"]


def test_090_dethrones_085() -> None:
    made = awarded(("b", "0.85", 8), ("a", "0.90", 10), ("c", "0.90", 14), *CROWD)
    assert made.winner == "a"
    assert made.why["c"] == "0.9000 equals the 0.9000 of a, who came earlier"


def test_bootstrap_pays_three() -> None:
    made = awarded(("a", "0.85", 2), ("b", "0.87", 1), ("c", "0.95", 3), ("d", "0.72", 4), ("e", "0.60", 5))
    assert made.places == ("c", "b", "a")
    assert shares(made) == {"c": "7/10", "b": "1/5", "a": "1/10"}
    made = awarded(("c", "0.91", 1), ("b", "0.87", 2), ("a", "0.85", 3), ("d", "0.72", 4), ("e", "0.60", 5))
    assert shares(made) == {"c": "7/10", "b": "1/5", "a": "1/10"}


def test_the_table_of_examples_in_the_docs() -> None:
    found = re.findall(r"^\| ([0-9., ]+) \| (first|second|third) \|", DOC, re.MULTILINE)
    assert len(found) == 6
    for scores, winner in found:
        rows = [contender(f"m{i}", score, i) for i, score in enumerate(scores.split(", "))]
        assert awarded(*rows, *CROWD).winner == f"m{['first', 'second', 'third'].index(winner)}"


# departures, each with its reason


def test_in_bootstrap_the_champion_is_first_even_if_a_later_score_is_higher() -> None:
    """First-mover protection holds in both modes: else a copier with a lucky run takes the 70 %."""
    made = awarded(("first", "0.85", 1), ("later", "0.88", 2))
    assert made.places == ("first", "later")


def test_the_margin_is_of_exact_scores() -> None:
    """On the grid alone, with q = δ, one step of luck would do: 0.874 and 0.876 are 0.85 and 0.90 there."""
    made = awarded(("a", "0.874", 1), ("b", "0.876", 2), *CROWD)
    assert made.winner == "a"


def test_a_whole_step_is_needed_too() -> None:
    """What is published must show who is better."""
    made = awarded(("a", "0.99", 1), ("b", "1", 2), *CROWD)
    assert made.winner == "a"
    assert made.why["b"].endswith("but both are 1.00 on the grid")


def test_a_perfect_pack_dethrones_an_imperfect_one() -> None:
    """With the full margin nobody could pass 0.96: the headroom is the margin there."""
    assert awarded(("a", "0.97", 1), ("b", "1", 2), *CROWD).winner == "b"
    assert awarded(("a", "0.97", 1), ("b", "0.99", 2), *CROWD).winner == "a"


def test_no_score_of_an_earlier_epoch_counts() -> None:
    """A champion that collapsed this epoch blocks nobody: other scenarios and facts, other scores."""
    assert awarded(("incumbent", "0.40", 1), ("other", "0.45", 2), *CROWD, previous="incumbent").winner == "other"


def test_epsilon_widens_the_margin_and_ties_nobody() -> None:
    """After the grid 0.02 has no effect; on exact scores it is a second margin, and the larger one holds."""
    wide = replace(parameters(), consensus_epsilon=Fraction("0.1"))
    rows = [contender("a", "0.80", 1), contender("b", "0.88", 2)]
    assert award(rows, BEACON, wide).winner == "a"
    assert award(rows, BEACON, parameters()).winner == "b"


def test_not_eligible_entries_get_no_place_in_bootstrap() -> None:
    """A place below the minimum would pay for nothing; shares are divided among those present."""
    made = awarded(("a", "0.85", 1), ("b", "0.2999", 2), ("c", "0.30", 3))
    assert shares(made) == {"a": "7/9", "c": "2/9"}
    assert made.why["b"] == "not eligible: its score 0.2999 is below 0.30"
    assert made.trace[-2] == "2 of 3 places could be given: their shares are scaled up to 100%"
    assert shares(awarded(("a", "0.85", 1))) == {"a": "1"}


def test_a_critical_failure_is_not_eligible() -> None:
    made = awarded(contender("a", "0.9", 1, critical=("nothing_sent",)), contender("b", "0.5", 2))
    assert made.winner == "b"
    assert made.why["a"].startswith("not eligible: critical failure (client_escalation/nothing_sent")


def test_one_place_per_coldkey_and_active_miners_are_coldkeys() -> None:
    """A second hotkey is free of charge, a second coldkey only nearly so."""
    mine = [contender(f"m{i}", "0.9", i, coldkey="mine") for i in range(12)]
    made = awarded(*mine, contender("other", "0.5", 20))
    assert (made.active, made.bootstrap) == (2, True)
    assert shares(made) == {"m0": "7/9", "other": "2/9"}
    assert made.why["m1"].endswith("m0 holds the one place of their coldkey")


def test_the_tenth_active_miner_ends_bootstrap_even_if_it_is_not_eligible() -> None:
    nine = [contender(f"m{i}", "0.5", i) for i in range(9)]
    assert awarded(*nine).bootstrap
    tenth = awarded(*nine, contender("tenth", "0", 9))
    assert (tenth.bootstrap, shares(tenth)) == (False, {"m0": "1"})
    assert not awarded(*nine, contender("tenth", None, 9)).bootstrap


def test_nobody_eligible_burns() -> None:
    """Uniform weights would pay for being registered."""
    made = awarded(("a", "0.1", 1), ("b", "0.2", 2))
    assert (made.winner, shares(made), made.keep_previous) == (None, {"owner": "1"}, False)
    assert "burned" in made.trace[-1]
    assert shares(awarded()) == {"owner": "1"}


def test_nobody_eligible_and_no_owner_keeps_the_previous_weights() -> None:
    made = awarded(("a", "0.1", 1), owner=None)
    assert (made.winner, shares(made), made.keep_previous) == (None, {}, True)


def test_an_undecided_entry_blocks_nobody() -> None:
    made = awarded(contender("a", None, 1, cause="PROVIDER"), contender("b", "0.5", 2))
    assert made.winner == "b"
    assert "at no fault of the pack" in made.why["a"]


def test_a_previous_winner_cut_off_with_others_keeps_the_weights() -> None:
    """Else whoever breaks the provider at the right moment takes the throne."""
    down = [contender("king", None, 1, cause="PROVIDER"), contender("b", None, 2, cause="PROVIDER")]
    made = awarded(*down, contender("c", "0.5", 3), previous="king")
    assert (made.winner, made.keep_previous, shares(made)) == (None, True, {})
    assert awarded(*down, contender("c", "0.5", 3), previous="b").keep_previous
    assert awarded(*down, contender("c", "0.5", 3), previous="c").winner == "c"
    other = [down[0], contender("b", None, 2, cause="CONTEXT"), contender("c", "0.5", 3)]
    assert awarded(*other, previous="king").winner == "c"


def test_a_reason_to_keep_keeps() -> None:
    made = awarded(("a", "0.9", 1), keep="the provider's breaker tripped")
    assert (made.keep_previous, made.winner) == (True, None)
    assert made.why["a"] == "no new weights: the provider's breaker tripped; the previous ones stay"


def test_a_later_place_is_told_why_it_is_not_first() -> None:
    made = awarded(("a", "0.85", 1), ("b", "0.87", 2))
    assert made.why["b"] == (
        "0.8700 is better than the 0.8500 of a, who came earlier, but whoever comes later needs 0.9000; "
        "place 2 gets 22.2%"
    )


def test_what_cannot_be_a_field_is_refused() -> None:
    with pytest.raises(ValueError, match="hotkey"):
        awarded(("a", "0.9", 1), ("a", "0.8", 2))
    with pytest.raises(ValueError, match="alike"):
        awarded(contender("a", "0.9", 1, content="x"), contender("b", "0.9", 2, content="x"))


# Order


def test_ties_are_broken_by_block_then_by_what_nobody_knew() -> None:
    one, two = entry("a", 1, block=7), entry("b", 1, block=6)
    assert [row.hotkey for row in in_order([one, two], BEACON)] == ["b", "a"]
    even = [entry(name, 1, block=7) for name in "abcdefgh"]
    first = {in_order(even, f"{number:064x}")[0].hotkey for number in range(60)}
    assert len(first) > 4


def test_order_vectors() -> None:
    said = vectors("order")
    rows = []
    for row in said["entries"]:
        made = entry(row["hotkey"], block=row["block"])
        commitment = replace(made.commitment, pack_hash=row["pack_hash"])
        rows.append(replace(made, entry_ms=row["entry_ms"], commitment=commitment))
    assert [row.hotkey for row in in_order(rows, said["beacon"])] == said["is"]
    assert said["is"][:2] == ["d", "c"]


def test_the_earliest_owns_a_content() -> None:
    rows = [entry("late", 3, content="x"), entry("early", 1, content="x"), entry("own", 2)]
    kept, duplicates = without_duplicates(in_order(rows, BEACON))
    assert [row.hotkey for row in kept] == ["early", "own"]
    assert [(row.hotkey, row.code) for row in duplicates] == [("late", "DUPLICATE")]
    assert "early" in duplicates[0].message


# properties

SCORES = st.one_of(
    st.sampled_from([Fraction(n, 40) for n in range(41)]),
    st.fractions(min_value=0, max_value=1, max_denominator=300),
)
ROW = st.tuples(SCORES, st.integers(0, 6), st.integers(0, 8), st.booleans())
FIELDS = st.lists(ROW, min_size=0, max_size=14)


def field_of(rows: Sequence[tuple[Fraction, int, int, bool]]) -> list[Contender]:
    return [
        contender(f"m{i}", score, hour, coldkey=f"cold{cold}", critical=("x",) if critical and i % 5 == 0 else ())
        for i, (score, hour, cold, critical) in enumerate(rows)
    ]


@given(FIELDS, st.randoms(use_true_random=False))
def test_the_award_is_independent_of_the_order_it_is_given(
    rows: list[tuple[Fraction, int, int, bool]], chance: Any
) -> None:
    field = field_of(rows)
    other = list(field)
    chance.shuffle(other)
    one, two = (award(given, BEACON, parameters(), "owner") for given in (field, other))
    assert one == two
    assert list(one.weights) == list(two.weights)


@given(FIELDS)
def test_weights_sum_to_one_and_everyone_is_told_why(rows: list[tuple[Fraction, int, int, bool]]) -> None:
    field = field_of(rows)
    made = award(field, BEACON, parameters(), "owner")
    assert sum(made.weights.values()) == 1
    assert all(weight > 0 for weight in made.weights.values())
    assert set(made.why) == {row.hotkey for row in field}
    assert all(made.why.values())
    if made.winner is not None:
        assert made.champions[-1] == made.winner == made.places[0]
        assert made.weights[made.winner] == max(made.weights.values())


@given(FIELDS, st.booleans())
def test_who_held_nothing_changes_nothing(rows: list[tuple[Fraction, int, int, bool]], many: bool) -> None:
    """For a fixed number of active miners, without an entry that was never champion and got no place."""
    given = parameters()
    field = field_of(rows)
    fixed = replace(given, bootstrap_threshold=0 if many else 1000)
    made = award(field, BEACON, fixed, "owner")
    held = {*made.champions, *made.places}
    for row in field:
        if row.hotkey in held:
            continue
        without = award([other for other in field if other is not row], BEACON, fixed, "owner")
        assert (without.winner, without.places, without.champions) == (made.winner, made.places, made.champions)
        assert without.weights == made.weights


@given(FIELDS)
def test_every_champion_was_better_by_the_margin(rows: list[tuple[Fraction, int, int, bool]]) -> None:
    field = field_of(rows)
    made = award(field, BEACON, parameters(), "owner")
    scores = {row.hotkey: row.score for row in field}
    order = [row.hotkey for row in in_order([row.entry for row in field], BEACON)]
    assert sorted(made.champions, key=order.index) == list(made.champions)
    for before, after in zip(made.champions, made.champions[1:], strict=False):
        one, two = scores[before], scores[after]
        assert one is not None
        assert two is not None
        assert two.steps > one.steps
        assert two.exact - one.exact >= min(Fraction("0.05"), 1 - one.exact)
