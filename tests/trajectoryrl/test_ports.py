"""A validator's own loop, with its real verification, runs and records: what it seals audits clean."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from clawbench.models.offline import OfflineModel
from trajectoryrl.archive import Archive
from trajectoryrl.audit import audited_chain
from trajectoryrl.epoch import first_block
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
    own, theirs = (
        json.loads((tmp_path / place / f"epoch-{EPOCH + 1}" / "manifest.json").read_bytes())
        for place in ("state/records", "tournament")
    )
    assert own["evaluations"] == theirs["evaluations"]
    assert own["award"]["winner"] == theirs["award"]["winner"] is not None
    assert own["weights"] == theirs["weights"]
    assert {row["outcome"] for row in own["submissions"]} == {"ENTRY", "DUPLICATE"}
