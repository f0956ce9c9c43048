"""Draws a confusion matrix as an SVG picture."""

from collections.abc import Sequence
from html import escape

_CELL, _MARGIN = 56, 110


def confusion_svg(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """Return the picture: true labels in rows, predicted ones in columns, more is darker."""
    side = _MARGIN + _CELL * len(labels) + 20
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{side}" height="{side}" fill="white"/>',
        f'<text x="{side / 2}" y="20" text-anchor="middle">predicted (columns), true (rows)</text>',
    ]
    for index, label in enumerate(labels):
        middle = _MARGIN + _CELL * (index + 0.5)
        name = escape(label)
        parts.append(f'<text x="{_MARGIN - 8}" y="{middle + 4}" text-anchor="end">{name}</text>')
        turned = f'transform="rotate(-40 {middle} {_MARGIN - 8})"'
        parts.append(f'<text x="{middle}" y="{_MARGIN - 8}" {turned}>{name}</text>')
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            parts += _cell(x, y, count, count / max(sum(row), 1))
    return "\n".join([*parts, "</svg>", ""])


def _cell(x: int, y: int, count: int, share: float) -> list[str]:
    left, top = _MARGIN + _CELL * x, _MARGIN + _CELL * y
    light = round(255 - 175 * share)
    colour = "white" if share > 0.6 else "black"
    return [
        f'<rect x="{left}" y="{top}" width="{_CELL}" height="{_CELL}" '
        f'fill="rgb({light},{light},255)" stroke="#ccc"/>',
        f'<text x="{left + _CELL / 2}" y="{top + _CELL / 2 + 5}" text-anchor="middle" '
        f'fill="{colour}">{count}</text>',
    ]
