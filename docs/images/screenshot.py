"""Takes docs/images/desk.png anew: runs a made day in a terminal of its own and draws what it shows, cell by cell.

    python docs/images/screenshot.py SECONDS_INTO_THE_RUN TARGET.png

Needs tmux, the font DejaVu Sans Mono, and Pillow and rich in the Python that runs it; `participant` as built by `make`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parents[2]
COLUMNS, ROWS = 120, 40
SIZE, MARGIN = 28, 22
FONTS = [ImageFont.truetype(f"DejaVuSansMono{weight}.ttf", SIZE) for weight in ("", "-Bold")]
WIDTH, HEIGHT = round(FONTS[0].getlength("M")), round(SIZE * 1.32)
GREYS = ((60, 64, 72), (208, 212, 220))
COLOURS = ((224, 88, 98), (134, 193, 102), (229, 192, 123), (97, 160, 230), (198, 120, 221), (86, 182, 194))
THEME = TerminalTheme((24, 26, 31), GREYS[1], [GREYS[0], *COLOURS, GREYS[1]])
# Lines are drawn from edge to middle, so that they join: (left, right, up, down), and thickness.
LINES = {
    "─": ("lr", 2), "│": ("ud", 2), "╭": ("rd", 2), "╮": ("ld", 2), "╰": ("ru", 2), "╯": ("lu", 2),
    "━": ("lr", 4), "╸": ("l", 4), "╺": ("r", 4),
}  # fmt: skip


def shown(after_s: float) -> list[Text]:
    """What the terminal shows so many seconds into the run, line by line."""
    tmux = ["tmux", "-L", "participant-screenshot", "-f", "/dev/null"]
    with tempfile.TemporaryDirectory() as home:
        command = f"env COLORTERM=truecolor {ROOT}/.venv/bin/participant trade --lockstep --home {home}; sleep 60"
        subprocess.run([*tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), command], check=True, cwd=home)
        try:
            time.sleep(after_s)
            taken = subprocess.run([*tmux, "capture-pane", "-e", "-p"], check=True, capture_output=True, text=True)
        finally:
            subprocess.run([*tmux, "kill-server"], check=True)
            time.sleep(2.0)  # the desk notices that its terminal is gone
    lines = list(Text.from_ansi(taken.stdout).split("\n", allow_blank=True))
    return lines[: 1 + max(i for i, line in enumerate(lines) if line.plain.strip())]


def draw(lines: list[Text]) -> Image.Image:
    """The lines as a picture."""
    size = max(len(line.plain) for line in lines) * WIDTH + 2 * MARGIN, len(lines) * HEIGHT + 2 * MARGIN
    image = Image.new("RGB", size, THEME.background_color)
    pen = ImageDraw.Draw(image)
    console = Console(width=400, color_system="truecolor", force_terminal=True)
    for row, line in enumerate(lines):
        column = 0
        for segment in line.render(console):
            for character in segment.text.rstrip("\n"):
                put(pen, character, (MARGIN + column * WIDTH, MARGIN + row * HEIGHT), segment.style or Style())
                column += 1
    return image


def put(pen: ImageDraw.ImageDraw, character: str, at: tuple[int, int], style: Style) -> None:
    """One character in its cell."""
    x, y = at
    ink = THEME.foreground_color if style.color is None else tuple(style.color.get_truecolor(THEME))
    if style.dim:
        ink = tuple((11 * a + 9 * b) // 20 for a, b in zip(ink, THEME.background_color, strict=True))
    if character not in LINES:
        pen.text((x, y + (HEIGHT - SIZE) // 2 - 2), character, font=FONTS[bool(style.bold)], fill=ink)
        return
    ends, thick = LINES[character]
    middle_x, middle_y, half = x + WIDTH // 2, y + HEIGHT // 2, thick // 2
    boxes = {
        "l": (x, middle_y - half, middle_x, middle_y + half - 1),
        "r": (middle_x, middle_y - half, x + WIDTH, middle_y + half - 1),
        "u": (middle_x - half, y, middle_x + half - 1, middle_y),
        "d": (middle_x - half, middle_y, middle_x + half - 1, y + HEIGHT),
    }
    for end in ends:
        pen.rectangle(boxes[end], fill=ink)


if __name__ == "__main__":
    draw(shown(float(sys.argv[1]))).quantize(256, dither=Image.Dither.NONE).save(sys.argv[2], optimize=True)
