#!/usr/bin/env python3
"""Makes an SVG of a terminal's screen: tmux capture-pane -p -e | screenshot.py >picture.svg"""

import re
import sys
from xml.sax.saxutils import escape

CELL_WIDTH, CELL_HEIGHT, MARGIN = 7.8, 17, 12
COLORS = {0: "#1c1c1c", 1: "#d75f5f", 2: "#87af5f", 3: "#d7af5f", 4: "#5f87af", 5: "#af87af", 6: "#5fafaf", 7: "#d0d0d0"}
FOREGROUND, BACKGROUND = "#d0d0d0", "#1c1c1c"


def attributes(codes, state):
    numbers = [int(code or 0) for code in codes.split(";")]
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            state.clear()
        elif code in (1, 2, 7):
            state[code] = True
        elif code in (22, 27):
            for key in (1, 2) if code == 22 else (7,):
                state.pop(key, None)
        elif code == 38 and numbers[:1] == [5]:
            state["fg"] = COLORS.get(numbers[1], FOREGROUND)
            numbers = numbers[2:]
        elif 30 <= code <= 37:
            state["fg"] = COLORS[code - 30]
        elif code == 39:
            state.pop("fg", None)


def spans(line, state):
    """Pieces of a line with the column each begins at."""
    column = 0
    for piece in re.split(r"(\x1b\[[0-9;]*m)", line):
        found = re.fullmatch(r"\x1b\[([0-9;]*)m", piece)
        if found:
            attributes(found.group(1), state)
        elif piece:
            yield column, piece, dict(state)
            column += len(piece)


def main():
    lines = sys.stdin.read().rstrip("\n").split("\n")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = max(map(len, plain)) * CELL_WIDTH + 2 * MARGIN
    height = len(lines) * CELL_HEIGHT + 2 * MARGIN
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" font-size="13" '
          f'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace">')
    print(f'<rect width="100%" height="100%" rx="6" fill="{BACKGROUND}"/>')
    state = {}
    for row, line in enumerate(lines):
        y = MARGIN + row * CELL_HEIGHT
        for column, text, style in spans(line, state):
            x, color = MARGIN + column * CELL_WIDTH, style.get("fg", FOREGROUND)
            if style.get(7):
                print(f'<rect x="{x:.1f}" y="{y}" width="{len(text) * CELL_WIDTH:.1f}" height="{CELL_HEIGHT}" fill="{color}"/>')
                color = BACKGROUND
            extra = ' font-weight="bold"' if style.get(1) else ' opacity="0.6"' if style.get(2) else ""
            if text.strip():
                print(f'<text x="{x:.1f}" y="{y + 13}" fill="{color}"{extra} xml:space="preserve" '
                      f'textLength="{len(text) * CELL_WIDTH:.1f}">{escape(text)}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
