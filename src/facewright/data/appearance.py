"""What one drawn face looks like: its classes, and where it lies within them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

SKIN: dict[str, Colour] = {
    "light": (250, 217, 194),
    "tan": (228, 176, 132),
    "brown": (172, 114, 76),
    "dark": (92, 58, 46),
}
HAIR: dict[str, Colour] = {
    "black": (34, 29, 34),
    "brown": (130, 80, 42),
    "blond": (238, 199, 106),
    "red": (198, 78, 36),
    "grey": (148, 149, 160),
}
BACKGROUND: dict[str, Colour] = {
    "sky": (124, 178, 222),
    "mint": (160, 210, 172),
    "rose": (242, 176, 182),
    "night": (58, 64, 98),
}
YAW = {"left": -0.42, "front": 0.0, "right": 0.42}

_CLOTHES: list[Colour] = [
    (62, 92, 148),
    (176, 58, 66),
    (52, 122, 104),
    (226, 180, 66),
    (92, 68, 120),
    (238, 236, 230),
]
_IRIS: list[Colour] = [(78, 52, 36), (60, 98, 142), (84, 116, 66), (96, 88, 84)]


@dataclass(frozen=True)
class Look:
    """All that decides how one face is painted.

    Lengths are in image sides (the shorter one); angles in radians, positive to the viewer's
    right; colours are RGB. `width` and `height` are half the head's; `jaw` is the exponent of
    its outline, larger is squarer; the other bare numbers are 1 or 0 on the average face.
    `light` is the brightness gained from left to right and from top to bottom.
    """

    hair: str
    glasses: str
    smiling: bool
    skin_colour: Colour
    hair_colour: Colour
    backdrop: Colour
    clothes: Colour
    iris: Colour
    lips: Colour
    yaw: float
    roll: float
    centre: tuple[float, float]
    width: float
    height: float
    jaw: float
    eye_size: float
    eye_longitude: float
    brow_lift: float
    nose_size: float
    mouth_size: float
    parting: float
    volume: float
    light: tuple[float, float]

    @classmethod
    def of(cls, chosen: Mapping[str, str], rng: np.random.Generator) -> "Look":
        """A face with the chosen class of each attribute; all else is drawn at random."""

        def around(middle: float, reach: float) -> float:
            return middle + reach * float(rng.uniform(-1, 1))

        skin = _close_to(SKIN[chosen["skin"]], rng)
        return cls(
            hair=chosen["hair"],
            glasses=chosen["glasses"],
            smiling=chosen["smile"] == "yes",
            skin_colour=skin,
            hair_colour=_close_to(HAIR[chosen["hair_colour"]], rng),
            backdrop=_close_to(BACKGROUND[chosen["background"]], rng),
            clothes=_close_to(_CLOTHES[rng.integers(len(_CLOTHES))], rng),
            iris=_close_to(_IRIS[rng.integers(len(_IRIS))], rng),
            lips=mix(skin, (186, 44, 62), around(0.5, 0.15)),
            yaw=around(YAW[chosen["pose"]], 0.1),
            roll=around(0, 0.06),
            centre=(around(0, 0.025), around(0.035, 0.02)),
            width=around(0.258, 0.018),
            height=around(0.32, 0.02),
            jaw=around(2.5, 0.4),
            eye_size=around(1, 0.14),
            eye_longitude=around(0.42, 0.035),
            brow_lift=around(0, 1),
            nose_size=around(1, 0.2),
            mouth_size=around(1, 0.14),
            parting=around(0, 1),
            volume=around(0, 1),
            light=(around(0, 0.16), around(0, 0.1)),
        )


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` of the other colour, the rest of the one."""
    r, g, b = (round(p + (q - p) * share) for p, q in zip(one, other, strict=True))
    return r, g, b


def shade(colour: Colour, factor: float) -> Colour:
    """The colour in more light (factor above 1) or in less (below 1)."""
    return mix(colour, (0, 0, 0) if factor < 1 else (255, 255, 255), abs(1 - factor))


def _close_to(colour: Colour, rng: np.random.Generator) -> Colour:
    # Mostly lighter or darker, only a little of another hue: independent channels would
    # give green hair.
    change = rng.integers(-9, 10) + rng.integers(-4, 5, size=3)
    r, g, b = (int(c) for c in np.clip(np.array(colour) + change, 0, 255))
    return r, g, b
