"""The golden record audits clean, and every way of changing it is found and named."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from clawbench.archive import compressed
from tests.golden import EPOCHS, GOLDEN, KEY, LIBRARY, hotkey_of
from trajectoryrl.audit import Audit, audited, audited_chain
from trajectoryrl.auditruns import _difference
from trajectoryrl.chain.keys import derived_key
from trajectoryrl.manifest import canonical
from trajectoryrl.record import seal

RECORD = GOLDEN / f"epoch-{EPOCHS[-1]}"
Mutation = Callable[[Path], None]


def audit(folder: Path) -> Audit:
    return audited(folder, trusted=str(KEY.ss58_address), scenarios=LIBRARY)


def test_the_golden_records_audit_clean_and_name_each_other() -> None:
    audits = audited_chain(GOLDEN, scenarios=LIBRARY)
    assert [found.problems for found in audits] == [(), ()], "after a change that is meant: python -m tests.golden"
    assert [found.epoch for found in audits] == list(EPOCHS)
    assert audits[1].previous == audits[0].manifest
    assert audits[1].winner == hotkey_of("careful")
    assert sum(found.runs for found in audits) > 20
    statuses = {
        attempt["status"]
        for row in manifest_in(GOLDEN / f"epoch-{EPOCHS[0]}")["evaluations"]
        for verdict in row["scenarios"]
        for attempt in verdict["attempts"]
    }
    assert "INFRA" in statuses


# what somebody can do who has no key


def manifest_in(folder: Path) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return value


def first_of(folder: Path, inner: str, suffix: str = "") -> Path:
    return sorted(path for path in (folder / inner).iterdir() if path.name.endswith(suffix))[0]


def flipped(name: str, where: int = -3) -> Mutation:
    def mutate(folder: Path) -> None:
        path = folder / name if "/*" not in name else first_of(folder, name.partition("/")[0])
        body = bytearray(path.read_bytes())
        body[where] ^= 1
        path.write_bytes(bytes(body))

    return mutate


def emptied(name: str) -> Mutation:
    return lambda folder: (folder / name if "/*" not in name else first_of(folder, name[:-2])).write_bytes(b"") and None


def removed(name: str) -> Mutation:
    return lambda folder: (folder / name if "/*" not in name else first_of(folder, name[:-2])).unlink()


def added(name: str, body: bytes = b"{}") -> Mutation:
    def mutate(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(body)

    return mutate


def linked(name: str) -> Mutation:
    def mutate(folder: Path) -> None:
        path = folder / name if "/*" not in name else first_of(folder, name[:-2])
        target = folder.with_name("elsewhere")
        shutil.copy(path, target)
        path.unlink()
        path.symlink_to(target)

    return mutate


def appended(name: str, body: bytes) -> Mutation:
    def mutate(folder: Path) -> None:
        path = folder / name if "/*" not in name else first_of(folder, name[:-2])
        path.write_bytes(path.read_bytes() + body)

    return mutate


def sealed_by_another(folder: Path) -> None:
    other = derived_key("golden:stranger")
    asyncio.run(seal(folder, str(other.ss58_address), signing(other)))


def signed_by_another(folder: Path) -> None:
    asyncio.run(seal(folder, str(KEY.ss58_address), signing(derived_key("golden:stranger"))))


def seal_of_the_other_epoch(folder: Path) -> None:
    shutil.copy(GOLDEN / f"epoch-{EPOCHS[0]}" / "seal.json", folder / "seal.json")


def manifest_of_the_other_epoch(folder: Path) -> None:
    shutil.copy(GOLDEN / f"epoch-{EPOCHS[0]}" / "manifest.json", folder / "manifest.json")


def two_swapped(folder: Path) -> None:
    one, other = sorted(path for path in (folder / "trajectories").iterdir() if path.suffix == ".zst")[:2]
    bodies = one.read_bytes(), other.read_bytes()
    one.write_bytes(bodies[1])
    other.write_bytes(bodies[0])


def bomb(folder: Path) -> None:
    path = first_of(folder, "trajectories", ".zst")
    path.write_bytes(zstandard.ZstdCompressor().compress(b"\0" * (64 * 2**20)))


def bomb_without_size(folder: Path) -> None:
    path = first_of(folder, "trajectories", ".zst")
    writer = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    path.write_bytes(writer.compress(b"\0" * (64 * 2**20)) + writer.flush())


def bomb_that_lies(folder: Path) -> None:
    """A frame that claims 1,000 bytes and holds 64 MiB: its size field is overwritten."""
    path = first_of(folder, "trajectories", ".zst")
    frame = bytearray(zstandard.ZstdCompressor().compress(b"\0" * (64 * 2**20)))
    assert frame[4] >> 6 == 2  # a size of four bytes, behind magic and descriptor
    frame[5:9] = (1000).to_bytes(4, "little")
    path.write_bytes(bytes(frame))


def pretty_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(orjson.dumps(manifest_in(folder), option=orjson.OPT_INDENT_2))


def folder_for_file(folder: Path) -> None:
    (folder / "times.jsonl").unlink()
    (folder / "times.jsonl").mkdir()


def signing(key: Any) -> Callable[[bytes], Any]:
    async def sign(message: bytes) -> bytes:
        return bytes(key.sign(message))

    return sign


OUTSIDE: dict[str, tuple[Mutation, str]] = {
    "a byte of the manifest": (flipped("manifest.json"), "manifest.json"),
    "a byte of the manifest's middle": (flipped("manifest.json", 5000), "manifest.json"),
    "a byte of the seal": (flipped("seal.json", 20), "seal.json"),
    "the seal's signature": (flipped("seal.json", 300), "seal.json"),
    "a byte of the times": (flipped("times.jsonl", 1), "times.jsonl"),
    "a byte of a pack": (flipped("packs/*", 400), "packs/"),
    "a byte of evidence": (flipped("evidence/*"), "evidence/"),
    "a byte of a trajectory": (flipped("trajectories/*", 15), "trajectories/"),
    "the dictionary": (flipped("trajectories/dictionary", 3000), "trajectories/dictionary"),
    "two trajectories swapped": (two_swapped, "trajectories/"),
    "no manifest": (removed("manifest.json"), "manifest.json"),
    "no seal": (removed("seal.json"), "seal.json"),
    "no times": (removed("times.jsonl"), "times.jsonl"),
    "a pack missing": (removed("packs/*"), "packs/"),
    "evidence missing": (removed("evidence/*"), "evidence/"),
    "a trajectory missing": (removed("trajectories/*"), "trajectories/"),
    "no dictionary": (removed("trajectories/dictionary"), "trajectories/dictionary"),
    "an empty manifest": (emptied("manifest.json"), "manifest.json"),
    "an empty seal": (emptied("seal.json"), "seal.json"),
    "empty times": (emptied("times.jsonl"), "times.jsonl"),
    "an empty pack": (emptied("packs/*"), "packs/"),
    "empty evidence": (emptied("evidence/*"), "evidence/"),
    "an empty trajectory": (emptied("trajectories/*"), "trajectories/"),
    "a file added": (added("notes.txt"), "notes.txt"),
    "a pack added": (added(f"packs/{'0' * 64}.json"), "packs/000"),
    "evidence added": (added(f"evidence/{'0' * 64}"), "evidence/000"),
    "a trajectory added": (added(f"trajectories/{'0' * 64}.zst"), "trajectories/000"),
    "a folder added": (added("more/file"), "more"),
    "a hidden file added": (added("packs/.hidden"), "packs/.hidden"),
    "an empty file added": (added("packs/empty", b""), "packs/empty"),
    "the manifest a link": (linked("manifest.json"), "manifest.json"),
    "a pack a link": (linked("packs/*"), "packs/"),
    "a trajectory a link": (linked("trajectories/*"), "trajectories/"),
    "a folder for a file": (folder_for_file, "times.jsonl"),
    "space behind the manifest": (appended("manifest.json", b"\n"), "manifest.json"),
    "space behind the seal": (appended("seal.json", b" "), "seal.json"),
    "a line more of times": (appended("times.jsonl", b"{}\n"), "times.jsonl"),
    "bytes behind a pack": (appended("packs/*", b" "), "packs/"),
    "bytes behind a trajectory": (appended("trajectories/*", b"\0"), "trajectories/"),
    "a frame behind a trajectory": (appended("trajectories/*", zstandard.compress(b"more")), "trajectories/"),
    "a manifest in other spacing": (pretty_manifest, "manifest.json"),
    "a seal by another key": (sealed_by_another, "seal.json"),
    "another key's signature": (signed_by_another, "seal.json"),
    "another epoch's seal": (seal_of_the_other_epoch, "manifest.json"),
    "another epoch's manifest": (manifest_of_the_other_epoch, "manifest.json"),
    "a bomb": (bomb, "trajectories/"),
    "a bomb that lies about its size": (bomb_that_lies, "trajectories/"),
    "a bomb that hides its size": (bomb_without_size, "trajectories/"),
}


@pytest.fixture
def record(tmp_path: Path) -> Path:
    folder = tmp_path / RECORD.name
    shutil.copytree(RECORD, folder)
    return folder


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_change_from_outside_is_found_and_named(name: str, record: Path) -> None:
    mutate, where = OUTSIDE[name]
    mutate(record)
    found = audit(record)
    assert not found.clean
    assert any(problem.where.startswith(where) for problem in found.problems), found.problems


# what the validator itself can do, which has the key: everything is hashed and sealed again


def retold(edit: Callable[[dict[str, Any]], None]) -> Mutation:
    """The manifest after ``edit``, sealed again."""

    def mutate(folder: Path) -> None:
        value = manifest_in(folder)
        edit(value)
        (folder / "manifest.json").write_bytes(canonical(value))
        asyncio.run(seal(folder, str(value["validator"]), signing(KEY)))

    return mutate


def replayed(edit: Callable[[list[dict[str, Any]]], None], pack: str = "careful") -> Mutation:
    """A trajectory after ``edit`` of its lines, under its new name, with everything hashed and sealed again."""

    def mutate(folder: Path) -> None:
        value = manifest_in(folder)
        wanted = next(row["pack"] for row in value["submissions"] if row["hotkey"] == hotkey_of(pack))
        row = next(row for row in value["evaluations"] if row["pack"] == wanted)
        attempt = row["scenarios"][0]["attempts"][-1]
        old = folder / "trajectories" / f"{attempt['trajectory']}.zst"
        dictionary = (folder / "trajectories" / "dictionary").read_bytes()
        data = zstandard.ZstdCompressionDict(dictionary, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        raw = zstandard.ZstdDecompressor(dict_data=data).decompress(old.read_bytes())
        lines = [orjson.loads(line) for line in raw.splitlines()]
        edit(lines)
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        name = sha256(body).hexdigest()
        old.unlink()
        (folder / "trajectories" / f"{name}.zst").write_bytes(compressed(body, dictionary))
        attempt["trajectory"] = name
        (folder / "manifest.json").write_bytes(canonical(value))
        asyncio.run(seal(folder, str(value["validator"]), signing(KEY)))

    return mutate


def at(*path: Any, to: Any) -> Callable[[Any], None]:
    """An edit: the value at ``path`` becomes ``to``, or ``to(value)``."""

    def edit(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        value[path[-1]] = to(value[path[-1]]) if callable(to) else to

    return edit


def without(*path: str) -> Callable[[Any], None]:
    """An edit: the key at ``path`` is gone."""

    def edit(value: Any) -> None:
        for key in path[:-1]:
            value = value[key]
        del value[path[-1]]

    return edit


def entry_of(name: str, key: str, to: Any) -> Callable[[Any], None]:
    def edit(value: Any) -> None:
        row = next(row for row in value["submissions"] if row["hotkey"] == hotkey_of(name))
        row[key] = to(row[key]) if callable(to) else to

    return edit


def votes_swapped(value: Any) -> None:
    votes = value["evaluations"][0]["scenarios"][0]["votes"]
    name = sorted(votes)[0]
    votes[name] = votes[name].translate(str.maketrans("01", "10"))


def run_dropped(folder: Path) -> None:
    """The last attempt of the winner's first scenario is gone, file and all."""
    value = manifest_in(folder)
    wanted = next(row["pack"] for row in value["submissions"] if row["hotkey"] == hotkey_of("careful"))
    row = next(row for row in value["evaluations"] if row["pack"] == wanted)
    verdict = next(verdict for verdict in row["scenarios"] if len(verdict["attempts"]) > 1)
    gone = verdict["attempts"].pop()
    (folder / "trajectories" / f"{gone['trajectory']}.zst").unlink()
    verdict["votes"] = {name: votes[:-1] for name, votes in verdict["votes"].items()}
    (folder / "manifest.json").write_bytes(canonical(value))
    asyncio.run(seal(folder, str(value["validator"]), signing(KEY)))


def commitment_of_nothing(value: Any) -> None:
    """What stands on chain is no submission, and the outcome tells another reason than that."""
    row = next(row for row in value["submissions"] if row["hotkey"] == hotkey_of("late"))
    row["commitment"] = None
    said = next(said for said in value["inputs"]["commitments"] if said["hotkey"] == hotkey_of("late"))
    said["text"] = "trl1:nothing"


def own_control(controls: Any) -> Any:
    """The controls of a content that also stand after an attempt of that content: in this record it has one."""
    own = {"content": manifest_in(RECORD)["evaluations"][1]["content"], "scenario": "desk", "run": 1, "attempt": 0}
    return [{**controls[0], "after": [*controls[0]["after"], own]}, *controls[1:]]


def first_attempt(after: Any) -> Any:
    return {**after[0], "attempt": 0}


def failed_control(value: Any) -> None:
    """A control whose trajectory is that of an attempt that failed."""
    rows = [row for verdict in value["evaluations"][1]["scenarios"] for row in verdict["attempts"]]
    failed = next(row for row in rows if row["status"] == "INFRA")
    value["evaluations"][1]["controls"][0]["trajectory"] = failed["trajectory"]


def scenario_dropped(value: Any) -> None:
    value["evaluations"][0]["scenarios"].pop()


def evaluation_dropped(value: Any) -> None:
    value["evaluations"].pop()


def submission_dropped(value: Any) -> None:
    value["submissions"] = [row for row in value["submissions"] if row["hotkey"] != hotkey_of("baseline")]


def other_parameter(name: str, to: Any) -> Callable[[Any], None]:
    return at("parameters", name, to=to)


def answered(lines: list[dict[str, Any]]) -> None:
    lines[-1]["final_message"] += " And more."


INSIDE: dict[str, tuple[Mutation, str]] = {
    "the answer": (replayed(answered), "trajectories/"),
    "a verdict": (replayed(at(-1, "clawbench", "checks", 0, "passed", to=lambda old: not old)), "trajectories/"),
    "a verdict's reason": (replayed(at(-1, "clawbench", "checks", 0, "reason", to="because")), "trajectories/"),
    "a run's score": (replayed(at(-1, "clawbench", "score", to="1/3")), "trajectories/"),
    "a run's status": (replayed(at(-1, "clawbench", "status", to="PACK_FAULT")), "trajectories/"),
    "what a tool returned": (
        replayed(at(1, "clawbench", "results", 0, "result", to=lambda old: {**old, "x": 1})),
        "trajectories/",
    ),
    "what a tool did": (
        replayed(at(1, "clawbench", "results", 0, "effects", to=[{"kind": "mail.send"}])),
        "trajectories/",
    ),
    "whose text it was": (
        replayed(at(1, "clawbench", "results", 0, "spans", to=[[0, 9, ["mail/x"], False]])),
        "trajectories/",
    ),
    "what the model called": (
        replayed(at(1, "clawbench", "calls", 0, "arguments", to='{"command": "gcalcli agenda"}')),
        "trajectories/",
    ),
    "the context's hash": (replayed(at(1, "clawbench", "context", to="0" * 64)), "trajectories/"),
    "the tokens": (replayed(at(1, "clawbench", "usage", to=[1, 1])), "trajectories/"),
    "the run's seed": (replayed(at(0, "clawbench", "seed", "run", to=1)), "trajectories/"),
    "the model that spoke": (replayed(at(0, "clawbench", "model", "name", to="better")), "trajectories/"),
    "the prompt": (replayed(at(0, "clawbench", "prompt", "system", to="0" * 64)), "trajectories/"),
    "a step dropped": (replayed(lambda lines: lines.pop(1) and None), "trajectories/"),
    "a step doubled": (replayed(lambda lines: lines.insert(1, lines[1])), "trajectories/"),
    "an unknown key in a line": (replayed(at(0, "clawbench", to=lambda old: {**old, "x": 1})), "trajectories/"),
    "a run dropped": (run_dropped, ""),
    "votes swapped": (retold(votes_swapped), "manifest.json: evaluations"),
    "a scenario dropped": (retold(scenario_dropped), "manifest.json: evaluations"),
    "an evaluation dropped": (retold(evaluation_dropped), "manifest.json: evaluations"),
    "evaluations in another order": (retold(at("evaluations", to=lambda old: old[::-1])), "manifest.json: evaluations"),
    "a scenario's score": (
        retold(at("evaluations", 0, "scenarios", 0, "score", to=lambda old: {**old, "score": "1/7"})),
        "manifest.json: evaluations",
    ),
    "a scenario's weight": (
        retold(at("evaluations", 0, "scenarios", 0, "score", to=lambda old: {**old, "weight": "9"})),
        "manifest.json: evaluations",
    ),
    "an exact score": (retold(at("evaluations", 0, "score", "exact", to="1")), "manifest.json: evaluations"),
    "steps on the grid": (retold(at("evaluations", 0, "score", "steps", to=20)), "manifest.json: evaluations"),
    "an attempt's status": (
        retold(at("evaluations", 0, "scenarios", 0, "attempts", 0, "status", to="COMPLETED")),
        "manifest.json: evaluations",
    ),
    "a run that was not provoked": (
        retold(at("evaluations", 0, "scenarios", 0, "provoked", to=[0, 1])),
        "manifest.json: evaluations",
    ),
    "a run called provoked": (
        retold(at("evaluations", 1, "scenarios", 0, "provoked", to=[1])),
        "manifest.json: evaluations",
    ),
    "a control dropped": (retold(at("evaluations", 1, "controls", to=lambda old: old[1:])), ""),
    "a control after fewer attempts": (
        retold(at("evaluations", 1, "controls", 2, "after", to=lambda old: old[1:])),
        "manifest.json: evaluations",
    ),
    "a control after its own content": (
        retold(at("evaluations", 1, "controls", to=own_control)),
        "manifest.json: evaluations",
    ),
    "a control after nothing that failed": (
        retold(at("evaluations", 1, "controls", 0, "after", 0, "attempt", to=5)),
        "manifest.json: evaluations",
    ),
    "two controls after one attempt": (
        retold(at("evaluations", 1, "controls", 1, "after", to=lambda old: [*old, first_attempt(old)])),
        "manifest.json: evaluations",
    ),
    "a control of a run that had not completed": (
        retold(at("evaluations", 1, "controls", 0, "run", to=9)),
        "manifest.json: evaluations",
    ),
    "a control of no scenario": (
        retold(at("evaluations", 1, "controls", 0, "scenario", to="other")),
        "manifest.json: evaluations",
    ),
    "a control that did not complete": (retold(failed_control), "trajectories/"),
    "a control's number": (
        retold(at("evaluations", 1, "controls", 0, "attempt", to=3)),
        "manifest.json: evaluations",
    ),
    "an attempt's number": (
        retold(at("evaluations", 0, "scenarios", 0, "attempts", 0, "attempt", to=7)),
        "manifest.json: evaluations",
    ),
    "a uid twice": (retold(at("inputs", "metagraph", "neurons", 6, "uid", to=0)), "manifest.json: inputs"),
    "a commitment from the future": (
        retold(entry_of("baseline", "committed_ms", 1_767_240_000_001)),
        "manifest.json: submissions",
    ),
    "the winner": (retold(at("award", "winner", to=hotkey_of("baseline"))), "manifest.json: award"),
    "no winner": (retold(at("award", "winner", to=None)), "manifest.json: award"),
    "the places": (retold(at("award", "places", to=[])), "manifest.json: award"),
    "a share": (retold(at("award", "weights", hotkey_of("careful"), to="1/2")), "manifest.json: award"),
    "a reason": (retold(at("award", "why", hotkey_of("baseline"), to="because")), "manifest.json: award"),
    "the sentences": (retold(at("award", "trace", to=["it is so"])), "manifest.json: award"),
    "a weight by uid": (retold(at("weights", to={"1": "1"})), "manifest.json: weights"),
    "no weights": (retold(at("weights", to={})), "manifest.json: weights"),
    "the number of runs": (retold(other_parameter("runs", 5)), "manifest.json"),
    "the margin": (retold(other_parameter("first_mover_margin", "0.5")), "manifest.json"),
    "the grid": (retold(other_parameter("grid", "0.1")), "manifest.json"),
    "the reliability weight": (retold(other_parameter("reliability_weight", "0.2")), "manifest.json"),
    "a limit of runs": (retold(other_parameter("max_turns", 24)), ""),
    "the pool": (retold(other_parameter("scenario_pool", ["desk"])), ""),
    "the scenario set": (retold(other_parameter("scenario_set", "0" * 64)), "manifest.json: parameters.scenario_set"),
    "an unknown parameter": (
        retold(other_parameter("luck", 1)),
        "manifest.json: parameters",
    ),
    "a parameter missing": (
        retold(without("parameters", "grid")),
        "manifest.json: parameters",
    ),
    "the parameters' hash": (retold(at("parameters_hash", to="0" * 64)), "manifest.json: parameters_hash"),
    "the epoch": (retold(at("plan", "number", to=5)), "manifest.json"),
    "the netuid": (retold(at("plan", "netuid", to=12)), "manifest.json"),
    "the seed": (retold(at("plan", "seed", to="0" * 64)), "manifest.json: plan"),
    "the beacon": (retold(at("plan", "beacon", to="0" * 64)), ""),
    "the identity": (retold(at("plan", "identity", "name", to="Ada Ng")), "manifest.json: plan"),
    "the facts' seeds": (retold(at("plan", "fact_seeds", "desk", to="0" * 64)), "manifest.json: plan"),
    "the runs' seeds": (retold(at("plan", "run_seeds", 0, to=1)), "manifest.json: plan"),
    "the block's hash": (retold(at("inputs", "block", "hash", to="0" * 64)), "manifest.json: inputs"),
    "the metagraph's block": (retold(at("inputs", "metagraph", "block", to=1)), "manifest.json: inputs"),
    "a coldkey": (retold(entry_of("careful", "coldkey", hotkey_of("baseline"))), "manifest.json: submissions"),
    "a uid": (retold(entry_of("careful", "uid", 5)), "manifest.json: submissions"),
    "a pack's content": (retold(entry_of("careful", "content", "0" * 64)), "manifest.json"),
    "a pack's likeness": (retold(entry_of("careful", "likeness", "0" * 64)), "manifest.json"),
    "a duplicate as an entry": (retold(entry_of("copier", "outcome", "ENTRY")), "manifest.json: submissions"),
    "an entry as a duplicate": (retold(entry_of("baseline", "outcome", "DUPLICATE")), "manifest.json: submissions"),
    "the copier first": (retold(entry_of("copier", "entry_ms", 1)), ""),
    "a commitment of nothing": (retold(commitment_of_nothing), "manifest.json: submissions"),
    "the time of a push": (retold(entry_of("careful", "push_ms", 1)), "manifest.json: submissions"),
    "evidence unnamed": (retold(entry_of("careful", "evidence", [])), ""),
    "a commitment's commit": (
        retold(entry_of("careful", "commitment", lambda old: {**old, "commit": "0" * 40})),
        "manifest.json: submissions",
    ),
    "a commitment's block": (retold(at("inputs", "commitments", 0, "block", to=1)), "manifest.json: submissions"),
    "a commitment's time": (
        retold(entry_of("careful", "committed_ms", lambda old: old - 86_400_000)),
        "manifest.json: submissions",
    ),
    "a submission dropped": (retold(submission_dropped), ""),
    "submissions in another order": (retold(at("submissions", to=lambda old: old[::-1])), "manifest.json: submissions"),
    "the model": (retold(at("model", "name", to="better")), ""),
    "a simulated model": (retold(at("model", "simulated", to=False)), ""),
    "an unknown key": (
        retold(at("luck", to=1)),
        "manifest.json: luck",
    ),
    "a missing key": (retold(without("made")), "manifest.json: made"),
    "an unknown key within": (retold(at("award", to=lambda old: {**old, "luck": 1})), "manifest.json: award"),
    "a text for a number": (retold(at("award", "active", to="3")), "manifest.json: award"),
    "a path for a hash": (retold(entry_of("careful", "pack", "../../etc/passwd")), "manifest.json: submissions"),
    "no dictionary": (retold(at("dictionary", to="")), ""),
}


@pytest.mark.parametrize("name", INSIDE)
def test_a_change_by_the_validator_itself_is_found_and_named(name: str, record: Path) -> None:
    mutate, where = INSIDE[name]
    mutate(record)
    found = audit(record)
    assert not found.clean
    assert not any(problem.code.startswith("SEAL") for problem in found.problems), "the seal itself is in order"
    assert any(problem.where.startswith(where) for problem in found.problems), found.problems


def test_controls_without_end_are_named_once_each(record: Path) -> None:
    def many(value: Any) -> None:
        row = value["evaluations"][1]
        after = [{**row["controls"][0]["after"][0], "attempt": number} for number in range(60_000)]
        row["controls"] = [{**row["controls"][0], "run": number % 9, "after": after} for number in range(20)]

    retold(many)(record)
    found = audit(record)
    assert not found.clean
    assert len(found.problems) < 100


def test_there_are_enough_mutations() -> None:
    assert len(OUTSIDE) + len(INSIDE) >= 60


def test_an_edited_verdict_is_named_by_file_scenario_run_and_check(record: Path) -> None:
    INSIDE["a verdict"][0](record)
    problem = next(found for found in audit(record).problems if found.where.startswith("trajectories/"))
    assert ".zst: d" in problem.where
    assert "run" in problem.where
    assert problem.message.startswith("check ")


def test_a_chain_with_a_gap_is_named(tmp_path: Path) -> None:
    for number in EPOCHS:
        shutil.copytree(GOLDEN / f"epoch-{number}", tmp_path / f"epoch-{number}")
    retold(at("previous", to="0" * 64))(tmp_path / f"epoch-{EPOCHS[-1]}")
    audits = audited_chain(tmp_path, scenarios=LIBRARY)
    assert audits[0].clean
    assert [problem.code for problem in audits[1].problems] == ["CHAIN_BROKEN"]


def test_a_record_sealed_by_someone_untrusted_is_refused() -> None:
    found = audited(RECORD, trusted=str(derived_key("golden:stranger").ss58_address), scenarios=LIBRARY)
    assert [problem.code for problem in found.problems] == ["SEAL_KEY"]


@pytest.mark.parametrize("place", ["nowhere", "file", "other"])
def test_what_is_no_record_is_said(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_bytes(b"x")
    assert [problem.code for problem in audit(tmp_path / place).problems] == ["RECORD_MISSING"]


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b"null", b"1e400", b"[" * 100_000, b'{"a":' * 50_000, b"\xff", b'{"a":1,"a":2}', b"9" * 5000],
)
def test_no_manifest_whatever_raises(body: bytes, record: Path) -> None:
    (record / "manifest.json").write_bytes(body)
    found = audit(record)
    assert not found.clean
    assert any(problem.where.startswith("manifest.json") for problem in found.problems)


def test_a_line_of_a_run_that_is_no_json_is_named() -> None:
    assert _difference(b'{"type":"episode_start"}\n{"ty\n', []) == "line 2 is no JSON"
