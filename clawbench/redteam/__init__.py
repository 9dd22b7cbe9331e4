"""The red team: agents that do not do the work, and what a rubric gives them for it.

A scenario that means something gives them next to nothing. ``red_team`` plays all of them through the real agent
loop, over many seeds, and says which checks gave points away.
"""

from __future__ import annotations

from .findings import AgentFinding, Giveaway, RedTeamFinding, Trial
from .trial import MAX_SEEDS, red_team

__all__ = ["MAX_SEEDS", "AgentFinding", "Giveaway", "RedTeamFinding", "Trial", "red_team"]
