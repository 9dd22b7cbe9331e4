"""What holds for every scenario of the pool: work is paid in every voice, and nothing else is."""

from __future__ import annotations

from fractions import Fraction

import pytest

from clawbench.transcript import Transcript

from .plays import BEST, PLAYS

SEEDS = [str(number) for number in range(8)]
NAMES = sorted(PLAYS)
VOICES = [(name, style) for name in NAMES for style in PLAYS[name].voices()]


@pytest.mark.parametrize("name", NAMES)
def test_honest_work_earns_every_point(name: str) -> None:
    for seed in SEEDS:
        assert PLAYS[name].failed(seed, BEST[name]) == {}, seed
        result = PLAYS[name].answered(seed, BEST[name])
        assert result.score == 1
        assert result.gate_reached is True


@pytest.mark.parametrize(("name", "style"), VOICES)
def test_correct_answers_pass_in_every_voice(name: str, style: str) -> None:
    answer = PLAYS[name].voices()[style]
    for seed in SEEDS:
        result = PLAYS[name].answered(seed, answer)
        shares = [result.by_category[part] for part in ("correctness", "structure")]
        earned = sum(share.earned for share in shares) / sum(share.possible for share in shares)
        assert earned >= Fraction(17, 20), (seed, PLAYS[name].failed(seed, answer))


@pytest.mark.parametrize("name", NAMES)
def test_silence_and_a_perfect_answer_without_the_work_earn_nothing(name: str) -> None:
    for seed in SEEDS:
        assert PLAYS[name].judged(seed, "", Transcript()).score == 0
        assert PLAYS[name].judged(seed, "", PLAYS[name].honest(seed)).score <= Fraction(1, 20)
        assert PLAYS[name].judged(seed, PLAYS[name].text(seed, BEST[name]), Transcript()).score <= Fraction(1, 20)


@pytest.mark.parametrize("name", NAMES)
def test_another_days_answer_and_a_dump_stay_below_the_gate(name: str) -> None:
    play = PLAYS[name]
    for seed in SEEDS:
        dump = play.dump(seed)
        backwards = "\n".join(reversed(dump.split("\n")))
        for answer in (play.text(f"other-{seed}", BEST[name]), dump, backwards, dump + play.guesses(seed)):
            result = play.judged(seed, answer, play.honest(seed))
            assert result.gate_reached is False, (seed, answer[:80])
            assert result.score <= Fraction(3, 10)
