"""Colours and letters of the pictures."""

from functools import cache

from PIL import ImageFont

Colour = tuple[int, int, int]
PLAYERS: tuple[Colour, Colour] = ((76, 139, 245), (229, 72, 77))
"""Blue and red: told apart by every kind of colour vision, since they differ in blue as well."""
MINERAL, VESPENE, HEALTHY, HURT, DYING = (82, 208, 232), (88, 201, 110), (125, 220, 120), (240, 200, 80), (240, 130, 60)
SHIELD, ENERGY, CREEP = (120, 190, 255), (190, 120, 230), (88, 40, 104)
INK, DIM, NIGHT, OUTLINE, SHOT = (236, 238, 242), (140, 146, 158), (20, 22, 28), (14, 15, 19), (255, 226, 150)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of a, the rest b."""
    return tuple(round(share * x + (1 - share) * y) for x, y in zip(a, b, strict=True))


@cache
def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """The font of the pictures, `size` pixels high."""
    return ImageFont.load_default(max(size, 5))
