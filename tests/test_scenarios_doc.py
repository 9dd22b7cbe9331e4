"""The scenario that docs/scenarios.md shows loads as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from clawbench import draws
from clawbench.lint import lint_scenario
from clawbench.rubric import rubric_for
from clawbench.scenario import load_scenario, render_world

DOC = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_the_whole_scenario_of_the_page_works(tmp_path: Path) -> None:
    scenario = re.search(r"```yaml\n(name: .*?)```", DOC, re.DOTALL)
    inbox = re.search(r"```json\n(.*?)```", DOC, re.DOTALL)
    assert scenario
    assert inbox
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "fixtures" / "late_order").mkdir(parents=True)
    path = tmp_path / "scenarios" / "late_order.yaml"
    path.write_text(scenario[1])
    (tmp_path / "fixtures" / "late_order" / "inbox.json").write_text(inbox[1])
    loaded = load_scenario(path)
    world = render_world(loaded, draws.local_seed("0"))
    assert [record.ref for record in world.mails] == ["mail/order", "mail/question"]
    assert len(rubric_for(loaded, world).checks) == 2
    assert not lint_scenario(path).problems
