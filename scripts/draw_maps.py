"""Draws maps for docs/maps.md, the built-in ones or those named: `python scripts/draw_maps.py [MAP ...]`.

Each becomes docs/maps/NAME.png.
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from asterism.game.map import Map
from asterism.game.maps import MAPS, load_map
from asterism.web.draw import MINERAL, PLAYERS, VESPENE
from asterism.web.ground import paint_ground

SCALE = 5
"""Pixels a cell."""
RICH = (230, 190, 60)


def draw(game_map: Map) -> Image.Image:
    """The map with its resources and, in each player's colour, the places of town halls, numbered by the way."""
    picture = Image.fromarray(paint_ground(game_map, SCALE))
    pen = ImageDraw.Draw(picture)

    def box(x, y, half_width, half_height, **style):
        left, top = (x - half_width) * SCALE, (game_map.cells - y - half_height) * SCALE
        pen.rounded_rectangle((left, top, left + 2 * half_width * SCALE, top + 2 * half_height * SCALE), 3, **style)

    fields = len(game_map.minerals)
    for i, ((x, y), rich) in enumerate(zip(game_map.resources, game_map.rich, strict=True)):
        if i < fields:
            box(x, y, 0.9, 0.45, fill=RICH if rich else MINERAL)
        else:
            box(x, y, 1.4, 1.4, fill=VESPENE, outline=RICH if rich else None, width=3)
    for halls, colour in zip(game_map.bases, PLAYERS, strict=True):
        for number, (x, y) in enumerate(halls):
            box(x, y, 2.5, 2.5, outline=colour, width=3)
            pen.text((x * SCALE, (game_map.cells - y) * SCALE), str(number + 1), colour, anchor="mm")
    return picture


if __name__ == "__main__":
    folder = Path(__file__).parents[1] / "docs" / "maps"
    folder.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MAPS:
        game_map = load_map(name)
        picture = draw(game_map).quantize(128, dither=Image.Dither.NONE)
        picture.save(folder / f"{game_map.name.replace(':', '_')}.png", optimize=True)
