"""Mock tools over a World: what an agent can do, and a record of what it did."""

from __future__ import annotations

from .result import Effect, Permit, Span, Status, ToolResult, body_of, permit_all
from .sandbox import Sandbox
from .schemas import TOOLS, tool_schemas
from .state import State

__all__ = [
    "TOOLS",
    "Effect",
    "Permit",
    "Sandbox",
    "Span",
    "State",
    "Status",
    "ToolResult",
    "body_of",
    "permit_all",
    "tool_schemas",
]
