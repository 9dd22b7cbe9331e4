"""A validator's own loop, with its real verification, runs and records: what it seals audits clean."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clawbench.budget import Budget
from clawbench.errors import ModelUnavailable
from clawbench.models import Reply, Request
from clawbench.models.offline import OfflineModel
from clawbench.prices import Price
from tests.golden import LIBRARY, inputs, parameters
from trajectoryrl.archive import Archive
from trajectoryrl.audit import audited_chain
from trajectoryrl.decision import competing
from trajectoryrl.epoch import first_block, plan
from trajectoryrl.github import Witness
from trajectoryrl.ledger import Ledger
from trajectoryrl.localtournament import LocalTournament, candidates
from trajectoryrl.ports import Runs
from trajectoryrl.protocol import library, shipped
from trajectoryrl.records import Records
from trajectoryrl.repository import forge_host
from trajectoryrl.submission import Verifier
from trajectoryrl.validator import Choices, Ports, epoch_ended

EPOCH = 4


class QuickClock:
    """The tournament's time; whoever waits only lets others go on."""

    def __init__(self, tournament: LocalTournament) -> None:
        self.now_ms = tournament.now_ms

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01)


async def validated(tournament: LocalTournament, state: Path) -> None:
    shared, chain, clock = shipped(), tournament._validator, QuickClock(tournament)
    archive, model = Archive(state / "evidence"), OfflineModel()
    host = forge_host(tournament._server.url, public_network=False)
    witness = Witness(host, archive, clock=clock)
    with Ledger(state / "ledger.db") as ledger:
        runs = Runs(model, shared, library(), state / "runs", ledger, clock)
        records = Records(model, shared, state / "records", state / "runs", archive, chain, ledger)
        verifier = Verifier(chain, host, witness, shared)
        ports = Ports(chain, ledger, clock, verifier, runs, records)
        try:
            for number in (EPOCH, EPOCH + 1):
                tournament.network.advance_to(first_block(number, shared))
                assert await epoch_ended(ports, shared, Choices(forbidden="a test"), number)
        finally:
            await witness.close()


def test_a_validators_record_audits_clean_and_names_the_tournaments_winner(tmp_path: Path) -> None:
    packs = [library() / "packs" / name for name in ("baseline", "careful", "reckless")]
    players, _ = candidates([*packs, packs[1]])

    async def play() -> None:
        with LocalTournament(players, EPOCH, OfflineModel(), shipped(), tmp_path / "tournament") as tournament:
            await tournament.publish()
            await validated(tournament, tmp_path / "state")
            await tournament.play(EPOCH + 1)

    asyncio.run(play())
    audits = audited_chain(tmp_path / "state" / "records")
    assert [audit.problems for audit in audits] == [(), ()]
    assert [audit.epoch for audit in audits] == [EPOCH, EPOCH + 1]
    with Ledger(tmp_path / "state" / "ledger.db") as ledger:
        rows = ledger.runs_of(EPOCH)
    place = tmp_path / "state" / "records" / f"epoch-{EPOCH}" / "trajectories"
    assert rows
    assert {f"{row.trajectory}.zst" for row in rows} == {path.name for path in place.glob("*.zst")}
    own, theirs = (
        json.loads((tmp_path / place / f"epoch-{EPOCH + 1}" / "manifest.json").read_bytes())
        for place in ("state/records", "tournament")
    )
    assert own["evaluations"] == theirs["evaluations"]
    assert own["award"]["winner"] == theirs["award"]["winner"] is not None
    assert own["weights"] == theirs["weights"]
    assert {row["outcome"] for row in own["submissions"]} == {"ENTRY", "DUPLICATE"}


SHARED = parameters()
PLAN = plan(11, 4, sha256(b"golden:4").hexdigest(), SHARED)
ENTRIES = competing(inputs(PLAN)[0], PLAN)[0]
PRICE = Price(Fraction(3), Fraction(3), Fraction(15))


class AtOnce:
    """A clock for which nobody waits."""

    def now_ms(self) -> int:
        return 0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Failing(OfflineModel):
    """The offline model; the provider fails on one pack."""

    def __init__(self, unit: str = "none") -> None:
        super().__init__()
        self.unit = unit
        self.calls = 0

    async def reply(self, request: Request) -> Reply:
        self.calls += 1
        if request.unit.startswith(self.unit):
            raise ModelUnavailable.of("MODEL_REJECTED", "HTTP 400", "offline")
        return await super().reply(request)


@contextmanager
def runs_in(state: Path, model: OfflineModel, **also: Any) -> Iterator[Runs]:
    with Ledger(state / "ledger.db") as ledger:
        yield Runs(model, SHARED, LIBRARY, state / "runs", ledger, AtOnce(), **also)


def test_every_attempt_is_written_down_with_what_it_took(tmp_path: Path) -> None:
    with runs_in(tmp_path, OfflineModel(), price=PRICE) as runs:
        found, keep = asyncio.run(runs(PLAN, ENTRIES))
        rows = runs.ledger.runs_of(PLAN.number)
    assert keep == ""
    assert len(rows) == sum(len(verdict.attempts) for row in found for verdict in row.scenarios)
    assert all(3 * row.tokens <= row.micro_usd <= 15 * row.tokens for row in rows)
    assert all(row.tokens > 0 for row in rows)


def test_what_a_pack_provoked_is_told_to_who_asks_why(tmp_path: Path) -> None:
    entry = ENTRIES[0]
    told: list[tuple[str, dict[str, Any]]] = []
    tell = lambda event, **fields: told.append((event, fields))  # noqa: E731
    with runs_in(tmp_path, Failing(entry.pack.sha256[:16]), tell=tell) as runs:
        asyncio.run(runs(PLAN, ENTRIES))
        said = runs.ledger.verdicts_of(PLAN.number)[entry.content]
        rows = runs.ledger.runs_of(PLAN.number)
    assert said["exact"] == "0"
    assert "runs 0, 1, 2 counted as failed: the provider failed on every attempt" in said["trace"][0]
    assert "(MODEL_REJECTED: HTTP 400)" in said["trace"][0]
    assert sum(row.status == "INFRA" for row in rows) == 5 * SHARED.runs * len(PLAN.scenarios)
    waits = [fields for event, fields in told if event == "runs_wait"]
    assert [fields["seconds"] for fields in waits] == [20, 60, 180, 180]
    assert {(fields["runs"], fields["why"][:14]) for fields in waits} == {(6, "MODEL_REJECTED")}
    scores = {fields["content"]: fields["score"] for event, fields in told if event == "evaluated"}
    assert len(scores) == len(ENTRIES)
    assert scores[entry.content] == "0"


def test_a_budget_bounds_what_is_really_spent(tmp_path: Path) -> None:
    model = Failing()
    with runs_in(tmp_path, model, budget=Budget(tokens=30_000)) as runs:
        _, keep = asyncio.run(runs(PLAN, ENTRIES))
        spent = sum(row.tokens for row in runs.ledger.runs_of(PLAN.number))
    assert keep == "the budget was spent before every pack had been evaluated"
    assert 0 < spent <= 30_000
    calls = model.calls
    with runs_in(tmp_path, model, budget=Budget(tokens=30_000)) as runs:
        _, again = asyncio.run(runs(PLAN, ENTRIES))
    assert again == keep
    assert model.calls == calls, "what an earlier life has spent counts"


@pytest.mark.parametrize("tokens", [10_000_000, 2_000_000])
def test_a_budget_that_suffices_changes_nothing(tokens: int, tmp_path: Path) -> None:
    with runs_in(tmp_path / "free", OfflineModel()) as runs:
        free, _ = asyncio.run(runs(PLAN, ENTRIES))
    with runs_in(tmp_path / "paid", OfflineModel(), budget=Budget(tokens=tokens), price=PRICE) as runs:
        paid, keep = asyncio.run(runs(PLAN, ENTRIES))
    assert keep == ""
    assert [row.score for row in paid] == [row.score for row in free]
