"""Ten miners and three epochs, from the registration to the weights: every story ends as docs/protocol.md says.

A story is played on pure functions; only the scores are given. A miner's entry time is what its pushes and
commitments say, by the rule ``max(push, commitment block's time − one epoch)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from hashlib import sha256

from trajectoryrl.chain.local import LocalNetwork
from trajectoryrl.entry import Commitment, Entry
from trajectoryrl.order import in_order, without_duplicates
from trajectoryrl.plan import Award
from trajectoryrl.protocol import parameters
from trajectoryrl.scoring import pack_score
from trajectoryrl.tournament import Contender, award

from .entries import flat, some_pack

GIVEN = parameters()
EPOCH = GIVEN.blocks_per_epoch
BLOCK_MS = GIVEN.seconds_per_block * 1000
NETWORK = LocalNetwork()


@dataclass(frozen=True)
class Miner:
    """What a miner has on chain: its content, pushed and committed at a block, and what it scores, by epoch."""

    name: str
    scores: Sequence[str | None]
    pushed: int
    committed: int
    content: str = ""
    coldkey: str = ""
    critical: bool = False

    def score(self, epoch: int) -> str | None:
        return self.scores[min(epoch, len(self.scores)) - 1]


def hash_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def entry_of(miner: Miner) -> Entry:
    genesis = NETWORK.rules.genesis_ms
    push, committed = (genesis + block * BLOCK_MS for block in (miner.pushed, miner.committed))
    content = hash_of(miner.content or miner.name)
    commitment = Commitment(miner.name, f"{miner.name}/pack", hash_of(miner.name)[:40], content, miner.committed)
    likeness = hash_of((miner.content or miner.name).lower())
    entry_ms = max(push, committed - GIVEN.epoch_ms)
    return Entry(0, miner.coldkey or miner.name, commitment, some_pack(), content, likeness, push, entry_ms)


def played(miners: Sequence[Miner], epoch: int = 1, previous: str | None = None) -> tuple[Award, dict[str, str]]:
    """The award of an epoch over everyone who had committed by its first block, and the rejections."""
    beacon = NETWORK.hash_of(epoch * EPOCH)
    there = [miner for miner in miners if miner.committed <= epoch * EPOCH]
    kept, duplicates = without_duplicates(in_order([entry_of(miner) for miner in there], beacon))
    by_name = {miner.name: miner for miner in there}
    contenders = []
    for entry in kept:
        miner = by_name[entry.hotkey]
        given = miner.score(epoch)
        score = flat(given, ("nothing_sent",) if miner.critical else ()) if given is not None else None
        contenders.append(Contender(entry, score, "" if given else "PROVIDER"))
    return award(contenders, beacon, GIVEN, "owner", previous), {row.hotkey: row.code for row in duplicates}


def crowd(count: int, score: str = "0.5", start: int = 500) -> list[Miner]:
    return [Miner(f"crowd{i}", [score], start + i, start + i) for i in range(count)]


def weights(made: Award) -> dict[str, str]:
    return {name: str(share) for name, share in made.weights.items()}


def test_bootstrap_turns_into_winner_take_all_with_the_tenth() -> None:
    nine = [Miner(f"m{i}", [f"0.{60 + 3 * i}"], 10 + i, 20 + i) for i in range(9)]
    tenth = Miner("tenth", ["0.31"], 1210, 1220)
    first, _ = played([*nine, tenth], 1)
    assert (first.active, first.bootstrap) == (9, True)
    assert weights(first) == {"m8": "7/10", "m7": "1/5", "m6": "1/10"}
    assert first.champions == ("m0", "m2", "m4", "m6", "m8")
    second, _ = played([*nine, tenth], 2, "m8")
    assert (second.active, second.bootstrap, weights(second)) == (10, False, {"m8": "1"})
    third, _ = played([*nine, tenth], 3, "m8")
    assert third == second


def test_a_tenth_hotkey_of_the_same_coldkey_changes_nothing() -> None:
    nine = [Miner(f"m{i}", ["0.8"], 10 + i, 20 + i) for i in range(9)]
    made, _ = played([*nine, Miner("again", ["0.7"], 40, 40, coldkey="m3")])
    assert (made.active, made.bootstrap) == (9, True)


def test_a_copier_owns_nothing_even_if_it_commits_a_moment_later() -> None:
    author = Miner("author", ["0.85"], 100, 101, content="Always ask before sending.")
    copier = Miner("copier", ["0.85"], 102, 102, content="always ASK before sending.")
    made, rejected = played([author, copier, *crowd(9)])
    assert (made.winner, rejected) == ("author", {"copier": "DUPLICATE"})
    assert "copier" not in made.why
    assert played([author, copier, *crowd(8)])[0].bootstrap


def test_a_variant_below_the_margin_stays_behind() -> None:
    author = Miner("author", ["0.82", "0.82", "0.82"], 100, 101)
    variant = Miner("variant", ["0.86", "0.8699", "0.87"], 300, 301)
    field = [author, variant, *crowd(9)]
    assert played(field, 1)[0].winner == "author"
    assert played(field, 2)[0].winner == "author"
    assert played(field, 3)[0].winner == "variant"


def test_an_early_decoy_holds_back_what_lies_within_its_margin_and_no_more() -> None:
    """A limit that no rule removes, and its bound."""
    decoy = Miner("decoy", ["0.81"], 10, 11, coldkey="one")
    rival = Miner("rival", ["0.85"], 20, 21)
    strong = Miner("strong", ["0.87"], 30, 31, coldkey="one")
    assert played([decoy, rival, strong, *crowd(9)])[0].winner == "strong"
    assert played([rival, strong, *crowd(9)])[0].winner == "rival"
    better = replace(rival, scores=["0.87"])
    assert played([decoy, better, strong, *crowd(9)])[0].winner == "rival"


def test_a_repository_that_was_private_until_now_gains_one_epoch_at_most() -> None:
    hidden = Miner("hidden", ["0.9"], 5, 2_390)
    opened = entry_of(hidden)
    assert opened.push_ms is not None
    assert opened.entry_ms == NETWORK.rules.genesis_ms + (2_390 - EPOCH) * BLOCK_MS > opened.push_ms
    before, after = Miner("before", ["0.9"], 1_180, 1_185), Miner("after", ["0.9"], 1_195, 1_196)
    assert played([hidden, before, *crowd(9)], 2)[0].winner == "before"
    assert played([hidden, after, *crowd(9)], 2)[0].winner == "hidden"


def test_a_hijacker_who_commits_anothers_push_comes_after_whoever_committed_it_first() -> None:
    """The commitment names the repository's push for both; the one that is earlier on chain owns it."""
    author = Miner("author", ["0.9"], 1_000, 1_010, content="the pack")
    hijacker = Miner("hijacker", ["0.9"], 1_000, 1_020, content="the pack")
    made, rejected = played([author, hijacker, *crowd(9)])
    assert (made.winner, rejected) == ("author", {"hijacker": "DUPLICATE"})
    front_runner = replace(hijacker, committed=1_005)
    made, rejected = played([author, front_runner, *crowd(9)])
    assert rejected == {"author": "DUPLICATE"}, "who pushes before committing gives it away: HOTKEY_MISMATCH stops that"


def test_an_upgrade_is_a_new_entry_and_leaves_its_old_content_behind() -> None:
    old = Miner("author", ["0.8"], 100, 101, content="v1")
    copier = Miner("copier", ["0.8"], 200, 201, content="V1")
    rival = Miner("rival", ["0.83"], 300, 301)
    field = [copier, rival, *crowd(9)]
    made, rejected = played([old, *field], 1)
    assert (made.winner, rejected) == ("author", {"copier": "DUPLICATE"})
    upgraded = Miner("author", ["0.86"], 1_300, 1_301, content="v2")
    made, rejected = played([upgraded, *field], 2, "author")
    assert rejected == {}
    assert (made.winner, made.champions) == ("author", ("copier", "author"))
    small = replace(upgraded, scores=["0.84"])
    made, _ = played([small, *field], 2, "author")
    assert made.winner == "copier", "a limit that no rule removes: what it left behind holds it back"


def test_an_empty_field_burns() -> None:
    made, _ = played([])
    assert (made.winner, weights(made), made.active) == (None, {"owner": "1"}, 0)
    hopeless = [Miner(f"m{i}", ["0.2999"], i, i) for i in range(10)]
    made, _ = played(hopeless)
    assert (made.winner, weights(made)) == (None, {"owner": "1"})
    reckless = [Miner(f"m{i}", ["0.99"], i, i, critical=True) for i in range(10)]
    made, _ = played(reckless)
    assert (made.winner, weights(made)) == (None, {"owner": "1"})


def test_all_equal_the_earliest_wins_every_epoch() -> None:
    field = [Miner(f"m{i}", ["0.75"], 50 - i, 100) for i in range(10)]
    for epoch in (1, 2, 3):
        assert played(field, epoch)[0].winner == "m9"
    three = field[:3]
    assert played(three)[0].places == ("m2", "m1", "m0")
    together = [replace(miner, pushed=10, committed=20) for miner in field]
    winners = {played(together, epoch)[0].winner for epoch in range(1, 40)}
    assert len(winners) > 4, "equal in everything: the beacon decides, and nobody can choose"


def test_a_champion_that_collapses_is_no_obstacle_and_may_return() -> None:
    king = Miner("king", ["0.9", "0.4", "0.9"], 1, 2)
    heir = Miner("heir", ["0.8", "0.8", "0.8"], 3, 4)
    field = [king, heir, *crowd(9)]
    winners = [played(field, epoch)[0].winner for epoch in (1, 2, 3)]
    assert winners == ["king", "heir", "king"]


def test_a_provider_that_fails_for_many_dethrones_nobody() -> None:
    king = Miner("king", ["0.9", None, "0.9"], 1, 2)
    other = Miner("other", ["0.6", None, "0.6"], 3, 4)
    heir = Miner("heir", ["0.8"], 5, 6)
    field = [king, other, heir, *crowd(9)]
    assert played(field, 1)[0].winner == "king"
    dark, _ = played(field, 2, "king")
    assert (dark.keep_previous, dark.winner) == (True, None)
    assert played(field, 3, "king")[0].winner == "king"
    alone = [king, replace(other, scores=["0.6"]), heir, *crowd(9)]
    assert played(alone, 2, "king")[0].winner == "heir"


def test_reliability_decides_between_equal_means() -> None:
    from trajectoryrl.plan import ScenarioScore

    even = pack_score("a", [ScenarioScore(name, Fraction(1), Fraction("0.8")) for name in "abcd"], GIVEN)
    uneven = pack_score(
        "b",
        [ScenarioScore(n, Fraction(1), Fraction(x)) for n, x in zip("abcd", ("1", "1", "1", "0.2"), strict=True)],
        GIVEN,
    )
    assert (even.mean, uneven.mean) == (Fraction("0.8"), Fraction("0.8"))
    assert (even.exact, uneven.exact) == (Fraction("0.8"), Fraction("0.788"))
