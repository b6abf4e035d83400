"""How one drawn face is painted: flat shapes on a head that can turn.

Coordinates are in head units: the origin is the middle of the head, x points right, y points
down, and 1 is the shorter side of the image. A feature of the face sits at a longitude (0 is
the middle of the face) and a height, so turning the head moves and foreshortens all of them
together. In each function `a` and `b` are half the head's width and height.
"""

from math import ceil

import numpy as np
from PIL import Image, ImageDraw

from facewright.data.appearance import Colour, Look, mix, shade

FEWEST_CANVAS_PIXELS = 128
"""Below this, thin strokes lose their shape before they are averaged."""
SUPERSAMPLING = 4
_FAR_DOWN = 16.0  # beyond the lower edge of the tallest image, 256 x 16


def paint(look: Look, size: tuple[int, int]) -> np.ndarray:
    """Paint one face.

    Args:
        look: the face.
        size: (height, width) in pixels.

    Returns:
        (height, width, 3) uint8, antialiased by averaging a larger canvas.
    """
    factor = max(SUPERSAMPLING, ceil(FEWEST_CANVAS_PIXELS / min(size)))
    canvas = Image.new("RGB", (size[1] * factor, size[0] * factor), look.backdrop)
    body, pen, head = _Pen(canvas, look, roll=0.0), _Pen(canvas, look, look.roll), _Head(look)
    body.polygon(_circle(64) * 0.54, shade(look.backdrop, 1.12))
    _paint_hair_behind(pen, look)
    _paint_body(body, look)
    _paint_head(pen, head)
    _paint_eyes(pen, head)
    _paint_nose(pen, head)
    _paint_smile(pen, head) if look.smiling else _paint_closed_mouth(pen, head)
    if look.glasses != "none":
        _paint_glasses(pen, head)
    _paint_hair_in_front(pen, head)
    return _lit(np.asarray(canvas.reduce(factor)), look.light)


class _Pen:
    """Draws shapes given in head units."""

    def __init__(self, canvas: Image.Image, look: Look, roll: float) -> None:
        self._unit = min(canvas.size)
        cos, sin = self._unit * np.cos(roll), self._unit * np.sin(roll)
        self._turn = np.array([[cos, sin], [-sin, cos]])
        self._origin = np.array(canvas.size) / 2 + self._unit * np.array(look.centre)
        self._draw = ImageDraw.Draw(canvas)

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        self._draw.polygon(self._on_canvas(points), fill=colour)

    def blob(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        self.polygon(_CIRCLE * (rx, ry) + (x, y), colour)

    def stroke(self, points: np.ndarray, width: float, colour: Colour) -> None:
        thickness = max(1, round(width * self._unit))
        self._draw.line(self._on_canvas(points), fill=colour, width=thickness, joint="curve")

    def _on_canvas(self, points: np.ndarray) -> list[float]:
        return (points @ self._turn + self._origin).ravel().tolist()


class _Head:
    """Where things are on a turned head."""

    def __init__(self, look: Look) -> None:
        self.look = look
        # Dense at the top and the chin, where the outline turns fastest.
        y = np.sin(np.linspace(-np.pi / 2, np.pi / 2, 31)) * look.height
        side = np.stack([self.half_width(y), y], axis=1)
        self.outline = np.concatenate([side, side[::-1] * (-1, 1)])

    def half_width(self, y: np.ndarray) -> np.ndarray:
        """Half the width of the head at these heights."""
        relative = np.clip(np.abs(y) / self.look.height, 0, 1)
        return self.look.width * np.sqrt(1 - relative ** np.where(y > 0, self.look.jaw, 2.2))

    def at(self, longitude: float, y: float) -> tuple[float, float, float]:
        """X and y of a point of the face, and its foreshortening (1 is seen from the front)."""
        angle = longitude + self.look.yaw
        return float(self.half_width(np.array(y)) * np.sin(angle)), y, float(np.cos(angle))


def _paint_hair_behind(pen: _Pen, look: Look) -> None:
    a, b = look.width, look.height
    back = -0.25 * np.sin(look.yaw) * a  # the back of the head moves against the face
    if look.hair == "long":
        length = (1.08 + 0.05 * look.volume) * b
        pen.blob(back, 0.3 * b, 1.34 * a, length, shade(look.hair_colour, 0.8))
    elif look.hair == "curly":
        reach = 1.17 + 0.05 * look.volume
        pen.blob(back, -0.2 * b, a * reach * 1.15, b * reach * 0.95, look.hair_colour)
        for angle in np.linspace(0.9 * np.pi, 2.1 * np.pi, 10):
            x, y = reach * a * np.cos(angle) + back, reach * b * 0.88 * np.sin(angle) - 0.14 * b
            pen.blob(x, y, 0.29 * a, 0.29 * a, look.hair_colour)
    elif look.hair == "bun":
        size = (0.44 + 0.05 * look.volume) * a
        pen.blob(2.2 * back, -1.2 * b, size, 0.92 * size, look.hair_colour)
        pen.blob(2.2 * back, -1.04 * b, 0.3 * a, 0.1 * a, shade(look.hair_colour, 0.75))


def _paint_body(body: _Pen, look: Look) -> None:
    a, b = look.width, look.height
    neck = shade(look.skin_colour, 0.8)
    body.polygon(_circle(64) * (0.5, 0.21) + (0, b + 0.28), look.clothes)
    torso = np.array([[-0.5, b + 0.28], [0.5, b + 0.28], [0.5, _FAR_DOWN], [-0.5, _FAR_DOWN]])
    body.polygon(torso, look.clothes)
    body.blob(0, b + 0.055, 0.6 * a, 0.07, shade(look.clothes, 0.8))
    body.polygon(np.array([[-0.42, 0.5], [0.42, 0.5], [0.46, 1.13], [-0.46, 1.13]]) * (a, b), neck)
    body.blob(0, 1.13 * b, 0.46 * a, 0.05, neck)


def _paint_head(pen: _Pen, head: _Head) -> None:
    look, skin = head.look, head.look.skin_colour
    a, b = look.width, look.height
    pen.polygon(head.outline, skin)
    for side in (-1, 1):
        if side * look.yaw < 0.2:  # the other ear is behind the head
            pen.blob(side * a, 0.08 * b, 0.13 * a, 0.2 * b, skin)
            pen.blob(side * a, 0.09 * b, 0.07 * a, 0.12 * b, shade(skin, 0.8))
        x, y, squeeze = head.at(0.62 * side, 0.42 * b)
        pen.blob(x, y, 0.19 * a * squeeze, 0.12 * b, mix(skin, (226, 84, 84), 0.22))


def _paint_eyes(pen: _Pen, head: _Head) -> None:
    look = head.look
    a, b = look.width, look.height
    lash = shade(look.skin_colour, 0.45)
    brow_colour = mix(shade(look.hair_colour, 0.7), lash, 0.3)
    for side in (-1, 1):
        x, y, squeeze = head.at(look.eye_longitude * side, 0.06 * b)
        rx, ry = 0.2 * a * look.eye_size * squeeze, 0.125 * b * look.eye_size
        gaze = x + 0.03 * look.yaw
        pen.blob(x, y - 0.1 * ry, rx * 1.1, ry * 1.15, lash)
        pen.blob(x, y + 0.05 * ry, rx, ry, (250, 250, 248))
        pen.blob(gaze, y, 0.66 * ry * squeeze, 0.8 * ry, look.iris)
        pen.blob(gaze, y, 0.36 * ry * squeeze, 0.45 * ry, (22, 18, 20))
        pen.blob(gaze + 0.22 * ry, y - 0.32 * ry, 0.2 * ry, 0.2 * ry, (255, 255, 255))
        arch = np.array([[-1.15, 0.1], [-0.4, -0.45], [0.4, -0.45], [1.25, 0.35]])
        lift = (-0.18 + 0.03 * look.brow_lift) * b
        pen.stroke(arch * (rx * side, 0.05 * b) + (x, y + lift), 0.024, brow_colour)


def _paint_nose(pen: _Pen, head: _Head) -> None:
    look = head.look
    a, b = look.width * look.nose_size, look.height * look.nose_size
    x, y, _ = head.at(0, 0.36 * look.height)
    x += 0.25 * look.yaw * look.width  # it sticks out, so it moves further than the face
    pen.blob(x, y, 0.11 * a, 0.06 * b, shade(look.skin_colour, 0.8))
    pen.blob(x, y - 0.03 * b, 0.1 * a, 0.055 * b, shade(look.skin_colour, 1.06))


def _paint_smile(pen: _Pen, head: _Head) -> None:
    look, b = head.look, head.look.height
    x, y, squeeze = head.at(0, 0.62 * b)
    across = np.linspace(-1, 1, 13)
    half = 0.4 * look.width * look.mouth_size * squeeze

    def edge(depth: float, share: float = 1.0) -> np.ndarray:
        drop = b * (depth * (1 - across**2) - 0.03 * across**2)
        return np.stack([x + across * half * share, y + drop], axis=1)

    top, teeth, bottom = edge(0.0), edge(0.085, share=0.9), edge(0.17)
    pen.polygon(np.concatenate([top, bottom[::-1]]), shade(look.lips, 0.5))
    pen.polygon(np.concatenate([top, teeth[::-1]]), (252, 252, 250))
    pen.stroke(bottom, 0.02, look.lips)


def _paint_closed_mouth(pen: _Pen, head: _Head) -> None:
    look, b = head.look, head.look.height
    x, y, squeeze = head.at(0, 0.64 * b)
    across = np.linspace(-1, 1, 13)
    half = 0.29 * look.width * look.mouth_size * squeeze
    line = np.stack([x + across * half, y - 0.03 * b * across**2], axis=1)
    pen.blob(x, y + 0.015 * b, half * 0.8, 0.055 * b, look.lips)
    pen.stroke(line, 0.014, shade(look.lips, 0.55))


def _paint_glasses(pen: _Pen, head: _Head) -> None:
    look = head.look
    a, b = look.width, look.height
    dark = look.glasses == "sunglasses"
    frame = (24, 22, 28) if dark else (44, 34, 40)
    bridge = []
    for side in (-1, 1):
        x, y, squeeze = head.at((look.eye_longitude + 0.01) * side, 0.08 * b)
        radii = np.array([0.34 * a * squeeze, 0.25 * b])
        rim = _CIRCLE * radii + (x, y)
        if dark:
            pen.polygon(rim, frame)
            gleam = np.array([[-0.5, -0.5], [-0.2, -0.6], [-0.5, 0.1], [-0.62, 0.0]])
            pen.polygon(gleam * radii + (x, y), (96, 100, 116))
        pen.stroke(np.concatenate([rim, rim[:2]]), 0.02, frame)
        bridge.append((x - side * radii[0], y - 0.03 * b))
        if side * look.yaw < 0.2:
            hinge = (x + side * radii[0], y - 0.03 * b)
            pen.stroke(np.array([hinge, (side * a, y - 0.05 * b)]), 0.02, frame)
    pen.stroke(np.array(bridge), 0.02, frame)


def _paint_hair_in_front(pen: _Pen, head: _Head) -> None:
    look = head.look
    hairline, outer = _hairline(head), _hair_outline(look)
    shadow = np.concatenate([hairline * (0.95, 1) + (0, 0.03 * look.height), outer * 0.85])
    pen.polygon(shadow, shade(look.skin_colour, 0.87))
    pen.polygon(np.concatenate([hairline, outer]), look.hair_colour)
    # A sheen on the side that the light comes from.
    angle = np.linspace(-1.0, -0.35, 9) if look.light[0] > 0 else np.linspace(-2.8, -2.15, 9)
    arc = np.stack([look.width * np.cos(angle), look.height * np.sin(angle)], axis=1)
    pen.polygon(np.concatenate([0.98 * arc, 0.9 * arc[::-1]]), shade(look.hair_colour, 1.16))


def _hairline(head: _Head) -> np.ndarray:
    """Where the hair in front ends on the face, from the viewer's left to the right."""
    look = head.look
    longitude = np.linspace(-2.1, 2.1, 43)
    away = np.abs(longitude)
    if look.hair == "long":  # a curtain down to the shoulders on both sides
        height = np.interp(away, [0.8, 1.15, 1.35, 2.1], [-0.5, -0.1, 0.9, 1.2])
    else:  # the temple, the sideburn, the neck behind the ear
        ear = 0.02 if look.hair == "bun" else 0.12
        height = np.interp(away, [0.75, 1.15, 1.5, 1.7, 2.1], [-0.5, -0.25, ear, ear, 0.3])
    # The parting lifts the hairline on one side of the forehead and lowers it on the other.
    height += np.where(away < 1.2, 0.1 * look.parting * np.sin(1.3 * longitude), 0)
    if look.hair in ("short", "curly"):
        height += np.where(away < 0.8, 0.035 * np.abs(np.sin(9 * longitude)), 0)
    y = height * look.height
    half_width = np.maximum(head.half_width(y), 0.5 * look.width)
    visible = np.clip(longitude + look.yaw, -np.pi / 2, np.pi / 2)
    return np.stack([half_width * np.sin(visible), y], axis=1)


def _hair_outline(look: Look) -> np.ndarray:
    """The outer edge of the hair in front, from the viewer's right over the top to the left."""
    angle = np.linspace(0.05, -np.pi - 0.05, 49)
    puff = {"short": 1.1, "long": 1.12, "curly": 1.1, "bun": 1.05}[look.hair] + 0.02 * look.volume
    if look.hair == "short":  # tufts on top, combed to the side of the parting
        comb = 7 * angle + 1.2 * look.parting
        puff = puff + 0.07 * np.abs(np.sin(comb)) * np.clip(-np.sin(angle), 0, 1) ** 2
    top = np.stack([np.cos(angle) * look.width, np.sin(angle) * look.height], axis=1)
    top *= np.reshape(puff, (-1, 1))
    if look.hair != "long":
        return top
    right = np.array([[1.0, 1.22], [1.24, 1.12], [1.3, 0.85], [1.24, 0.4]])
    right = right * (look.width, look.height)
    return np.concatenate([right, top, right[::-1] * (-1, 1)])


def _lit(pixels: np.ndarray, light: tuple[float, float]) -> np.ndarray:
    """The picture in light that falls from one side."""
    height, width, _ = pixels.shape
    across = np.linspace(-0.5, 0.5, width, dtype=np.float32)
    down = np.linspace(-0.5, 0.5, height, dtype=np.float32)
    brightness = 1 + light[0] * across[None, :, None] + light[1] * down[:, None, None]
    return np.rint(np.clip(pixels * brightness, 0, 255)).astype(np.uint8)


def _circle(corners: int) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


_CIRCLE = _circle(28)
