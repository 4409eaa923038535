"""Draws docs/images/people.png anew: what each channel shows of one ticket of an order whose fate nobody knows.

    python docs/images/people.py TARGET.png

Needs the font DejaVu Sans, and Pillow and participant in the Python that runs it.
"""

import datetime
import sys
import textwrap

from PIL import Image, ImageDraw, ImageFont

from participant.core.market import SECOND
from participant.core.notices import form_of, ticket_words
from participant.core.order import Order, OrderStatus
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side
from participant.core.session import at_time
from participant.core.tickets import order_ticket

NOW = at_time(datetime.date(2026, 11, 25), 10, 3, 5)
CALL = Contract("NIFTY", datetime.date(2026, 12, 29), Kind.CALL, 25_000 * PRICE_UNITS, 65, 500, 1_300)
ORDER = Order(
    "4f2a91c0d3e5b7861a2c", "d", "NIFTY", 1, CALL, Side.SELL, 65, 152 * PRICE_UNITS + 3_500, 0, NOW - 185 * SECOND,
    NOW + 415 * SECOND, status=OrderStatus.UNKNOWN, sends=1, sent_at=NOW - 180 * SECOND,
    reason="the broker did not answer within 10 s",
)  # fmt: skip
WHY = "Sell 1 lot of the 25,000 call against 1 lot of the future: its delta is 0.24, its IV rank 71.3%."
CHANNELS = {"push": 44, "slack": 58, "sms": 44, "email": 92, "voice": 58}
LEFT, RIGHT = ("push", "sms", "voice"), ("slack", "email")
SIZE, PAD, GAP = 26, 24, 28
PLAIN, BOLD = (ImageFont.truetype(f"DejaVuSans{weight}.ttf", SIZE) for weight in ("", "-Bold"))
LINE = round(SIZE * 1.4)


def lines_of(channel: str, letters: int) -> list[tuple[str, ImageFont.FreeTypeFont]]:
    """The message as the channel shows it, line by line."""
    title, body = ticket_words(order_ticket(ORDER, NOW, WHY), form_of(channel))
    wrapped = [part for line in body.splitlines() for part in textwrap.wrap(line, letters) or [""]]
    return [(part, BOLD) for part in textwrap.wrap(title, letters)] + [(part, PLAIN) for part in wrapped]


def card(channel: str) -> Image.Image:
    """One channel's message in a frame, under its name."""
    lines = lines_of(channel, CHANNELS[channel])
    width = 2 * PAD + round(max(font.getlength(text) for text, font in lines))
    image = Image.new("RGB", (width, 2 * PAD + LINE * (len(lines) + 1) + 10), (255, 255, 255))
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((0, LINE + 8, width - 1, image.height - 1), 16, (244, 246, 249), (160, 168, 180), 2)
    pen.text((4, 0), channel, (40, 90, 160), BOLD)
    for number, (text, font) in enumerate(lines):
        pen.text((PAD, LINE + 8 + PAD // 2 + number * LINE), text, (24, 26, 31), font)
    return image


def column(names: tuple[str, ...]) -> Image.Image:
    """Cards under each other."""
    cards = [card(name) for name in names]
    height = sum(c.height for c in cards) + GAP * (len(cards) - 1)
    image, top = Image.new("RGB", (max(c.width for c in cards), height), (255, 255, 255)), 0
    for one in cards:
        image.paste(one, (0, top))
        top += one.height + GAP
    return image


def draw() -> Image.Image:
    """All channels beside each other."""
    left, right = column(LEFT), column(RIGHT)
    size = (left.width + right.width + 3 * GAP, max(left.height, right.height) + 2 * GAP)
    image = Image.new("RGB", size, (255, 255, 255))
    image.paste(left, (GAP, GAP))
    image.paste(right, (left.width + 2 * GAP, GAP))
    return image


if __name__ == "__main__":
    draw().quantize(64, dither=Image.Dither.NONE).save(sys.argv[1], optimize=True)
