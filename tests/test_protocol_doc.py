"""The test vectors of docs/protocol.md are true."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

from clawbench import draws
from clawbench.likeness import content_hash, likeness, plain_text
from clawbench.pack import pack_of

DOC = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text(encoding="utf-8")


def vectors(name: str) -> Any:
    found = re.search(rf"```json vectors={name}\n(.*?)```", DOC, re.DOTALL)
    assert found, f"docs/protocol.md has no vectors called {name}"
    return json.loads(found[1])


def test_draws() -> None:
    given = vectors("draws")
    assert all(draws.local_seed(row["text"].removeprefix("local-")) == row["is"] for row in given["epoch_seed"])
    for row in given["fact_seed"]:
        assert draws.fact_seed(row["epoch_seed"], row["beacon"], row["scenario"]) == row["is"]
    for row in given["run_seed"]:
        assert draws.run_seed(row["epoch_seed"], row["index"]) == row["is"]
    for row in given["draw"]:
        assert draws.draw(row["seed"], row["label"], row["n"]) == row["is"]
    for row in given["shuffle"]:
        assert draws.shuffled(row["seed"], row["label"], row["names"]) == row["is"]
    assert all(given.values())


def test_packs() -> None:
    given = vectors("packs")
    for row in given["packs"]:
        pack = pack_of(row["pack"])
        assert (pack.sha256, content_hash(pack), likeness(pack)) == (row["hash"], row["content"], row["likeness"])
        assert pack.sha256 == sha256(json.dumps(row["pack"], sort_keys=True).encode()).hexdigest()
    assert not all(json.dumps(row["pack"], ensure_ascii=False).isascii() for row in given["packs"])
    for row in given["plain_text"]:
        assert plain_text(row["text"]) == row["is"]
    assert all(given.values())
