"""Line plots as SVG, and tables between marks of a page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

COLOURS = ("#1f77b4", "#17a2a2", "#2ca02c", "#d62728", "#ff7f0e", "#9467bd")
_WIDE, _HIGH, _LEFT, _TOP, _GAP = 220, 200, 56, 56, 28


def replaced(page: str, tables: Mapping[str, str]) -> str:
    """``page`` with each table put between its marks ``<!-- NAME -->`` and ``<!-- end -->``."""
    for name, table in tables.items():
        page = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)",
            lambda found, t=table: found[1] + t + found[2],
            page,
            flags=re.DOTALL,
        )
    return page


def line_plot(
    title: str, across: str, labels: Sequence[str], panels: Mapping[str, Mapping[str, Sequence[float]]]
) -> str:
    """One panel beside the other, shares from 0 to 1 against ``labels``; a legend of the first panel's lines below."""
    names = list(next(iter(panels.values())))
    width = _LEFT + len(panels) * (_WIDE + _GAP)
    height = _TOP + _HIGH + 56 + 18 * ((len(names) + 1) // 2)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="{_LEFT}" y="20" font-size="14" font-weight="bold">{escape(title)}</text>',
    ]
    for number, (panel, lines) in enumerate(panels.items()):
        left = _LEFT + number * (_WIDE + _GAP)
        out.append(f'<text x="{left}" y="{_TOP - 10}">{escape(panel)}</text>')
        for tenth in range(0, 11, 2):
            y = _TOP + _HIGH - _HIGH * tenth / 10
            out.append(f'<line x1="{left}" x2="{left + _WIDE}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
            if number == 0:
                out.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tenth / 10:.1f}</text>')
        place = [left + _WIDE * (i + 0.5) / len(labels) for i in range(len(labels))]
        for x, label in zip(place, labels, strict=True):
            out.append(f'<text x="{x:.1f}" y="{_TOP + _HIGH + 16}" text-anchor="middle">{escape(label)}</text>')
        for colour, name in zip(COLOURS, names, strict=False):
            points = [(x, _TOP + _HIGH * (1 - value)) for x, value in zip(place, lines[name], strict=True)]
            path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>')
            out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{colour}"/>' for x, y in points]
    out.append(f'<text x="{_LEFT}" y="{_TOP + _HIGH + 36}">{escape(across)}</text>')
    for index, (colour, name) in enumerate(zip(COLOURS, names, strict=False)):
        x, y = _LEFT + 220 * (index % 2), _TOP + _HIGH + 58 + 18 * (index // 2)
        out.append(f'<line x1="{x}" x2="{x + 22}" y1="{y - 4}" y2="{y - 4}" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{x + 28}" y="{y}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
