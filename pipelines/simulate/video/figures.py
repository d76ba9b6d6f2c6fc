"""People as the renderer draws them: joints in metres, then limbs, trunk, head and gear in the picture.

A person is drawn from parts far to near into the colours and, in step, into a map of who covers which pixel; from that
map come the boxes of the truth, so that a body behind a prop has the box of what is seen of it.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.video.tunnel import Tunnel

Posture = Literal["walk", "stand", "run", "lie", "sit", "crouch"]
Colour = tuple[float, float, float]

# Parts of a body in the map of pixels: person number × PARTS + part.
BODY, HEAD, TRUNK, PARTS = 1, 2, 3, 4

_HELMETS: tuple[Colour, ...] = ((225, 190, 30), (200, 40, 35), (225, 225, 220), (40, 80, 190), (230, 120, 30))
_VESTS: tuple[Colour, ...] = ((205, 235, 40), (250, 110, 25), (240, 85, 40), (180, 230, 60))
_CLOTHES: tuple[Colour, ...] = ((40, 50, 85), (60, 60, 62), (35, 35, 38), (75, 60, 48), (50, 70, 60), (95, 45, 45))
_SKIN: tuple[Colour, ...] = ((190, 145, 115), (165, 120, 90), (205, 160, 130))
_HAIR: tuple[Colour, ...] = ((25, 22, 20), (50, 38, 28), (70, 68, 66))
_STRIPE: Colour = (215, 215, 210)


@dataclass(frozen=True)
class Looks:
    """What does not change of a person: size, clothes, gear."""

    height: float
    has_helmet: bool
    has_vest: bool
    has_lamp: bool
    helmet: Colour
    vest: Colour
    clothes: Colour
    trousers: Colour
    skin: Colour
    hair: Colour


def looks(dice: random.Random, *, helmet: bool, vest: bool) -> Looks:
    clothes = dice.choice(_CLOTHES)
    return Looks(
        height=dice.uniform(1.62, 1.84),
        has_helmet=helmet,
        has_vest=vest,
        has_lamp=helmet and dice.random() < 0.7,
        helmet=dice.choice(_HELMETS),
        vest=dice.choice(_VESTS),
        clothes=clothes,
        trousers=clothes if dice.random() < 0.6 else dice.choice(_CLOTHES),
        skin=dice.choice(_SKIN),
        hair=dice.choice(_HAIR),
    )


@dataclass(frozen=True)
class Pose:
    """Where a person is and how: feet [m], the way they face [rad, 0 = away from the camera], and the step's phase."""

    x: float
    y: float
    z: float
    facing: float
    posture: Posture
    phase: float


def draw(
    canvas: NDArray[np.uint8], owners: NDArray[np.int32], number: int, who: Looks, pose: Pose, place: Tunnel
) -> None:
    """Draw one person over what is there; `owners` gets number × PARTS + part where they cover a pixel."""
    joints = _joints(who, pose)
    pixels, depth = place.project(np.array(list(joints.values())))
    if depth.min() < 0.6:
        return
    at = {name: (float(x), float(y)) for name, (x, y) in zip(joints, pixels, strict=True)}
    scale = place.focal * 360 / float(depth.mean())  # pixels per metre
    light = place.light(pose.x, 1.2, pose.z)
    fog = 1.0 - math.exp(-place.haze * float(depth.mean()))

    def shade(colour: Colour, more: float = 1.0) -> Colour:
        lit = [min(255.0, value * light * more) for value in colour]
        red, green, blue = (value * (1 - fog) + 150 * fog * light for value in lit)
        return (red, green, blue)

    pen = _Pen(canvas, owners, number, scale)
    # What the body's side towards the camera shows: 1 the back, -1 the face.
    away = math.cos(pose.facing - math.atan2(pose.x - place.eye[0], pose.z))
    across = math.sqrt(1 - min(1.0, away**2))
    for side in ("left", "right"):
        pen.limb(at[f"{side}_hip"], at[f"{side}_knee"], 0.16, shade(who.trousers, 0.9))
        pen.limb(at[f"{side}_knee"], at[f"{side}_foot"], 0.12, shade(who.trousers, 0.8))
        pen.limb(at[f"{side}_foot"], at[f"{side}_toe"], 0.09, shade((25, 25, 25)))
    half = math.hypot(0.21 * away, 0.13 * across)
    if away < 0:  # arms behind the trunk are drawn first, those before it last: seen from behind they are beside it
        _arms(pen, at, shade(who.clothes))
    trunk = shade(who.vest if who.has_vest else who.clothes)
    pen.trunk(at["hip"], at["shoulder"], half * 0.85, half, trunk)
    if who.has_vest:
        for share in (0.35, 0.7):
            pen.band(at["hip"], at["shoulder"], half * 0.9, share, 0.055, shade(_STRIPE, 1.25))
    if away >= 0:
        _arms(pen, at, shade(who.clothes))
    _head(pen, at, who, shade, away)
    if who.has_lamp and away < -0.3:
        glare(canvas, at["lamp"], scale * 0.16, 130 * light * -away + 90)


def _arms(pen: _Pen, at: dict[str, tuple[float, float]], colour: Colour) -> None:
    for side in ("left", "right"):
        pen.limb(at[f"{side}_shoulder"], at[f"{side}_elbow"], 0.11, colour)
        pen.limb(at[f"{side}_elbow"], at[f"{side}_hand"], 0.09, colour)


def _head(pen: _Pen, at: dict[str, tuple[float, float]], who: Looks, shade, away: float) -> None:
    pen.limb(at["shoulder"], at["head"], 0.11, shade(who.skin, 0.85))
    up = _unit(at["shoulder"], at["crown"])
    face = shade(who.skin) if away < 0.25 else shade(who.hair if not who.has_helmet else who.skin, 0.8)
    if who.has_helmet:
        pen.ball(at["head"], up, 0.095, 0.125, face, part=BODY)
        top = (at["head"][0] + up[0] * 0.055 * pen.scale, at["head"][1] + up[1] * 0.055 * pen.scale)
        pen.dome(top, up, 0.14, 0.13, shade(who.helmet))
    else:
        pen.ball(at["head"], up, 0.1, 0.13, face, part=HEAD)
        top = (at["head"][0] + up[0] * 0.03 * pen.scale, at["head"][1] + up[1] * 0.03 * pen.scale)
        pen.dome(top, up, 0.108, 0.115, shade(who.hair))


class _Pen:
    """Draws into the colours and the map of owners alike; lengths in metres."""

    def __init__(self, canvas: NDArray[np.uint8], owners: NDArray[np.int32], number: int, scale: float) -> None:
        self.canvas, self.owners, self.number, self.scale = canvas, owners, number, scale

    def _owner(self, part: int) -> int:
        return self.number * PARTS + part

    def limb(self, a: tuple[float, float], b: tuple[float, float], width: float, colour: Colour) -> None:
        thick = max(1, round(width * self.scale))
        ends = tuple(round(v) for v in a), tuple(round(v) for v in b)
        cv2.line(self.canvas, *ends, colour, thick, cv2.LINE_AA)
        cv2.line(self.owners, *ends, self._owner(BODY), thick, cv2.LINE_8)

    def trunk(
        self, hip: tuple[float, float], shoulder: tuple[float, float], low: float, high: float, colour: Colour
    ) -> None:
        up = _unit(hip, shoulder)
        across = (-up[1], up[0])
        outline = np.array([
            (hip[0] - across[0] * low * self.scale, hip[1] - across[1] * low * self.scale),
            (shoulder[0] - across[0] * high * self.scale, shoulder[1] - across[1] * high * self.scale),
            (shoulder[0] + up[0] * 0.06 * self.scale, shoulder[1] + up[1] * 0.06 * self.scale),
            (shoulder[0] + across[0] * high * self.scale, shoulder[1] + across[1] * high * self.scale),
            (hip[0] + across[0] * low * self.scale, hip[1] + across[1] * low * self.scale),
        ]).round().astype(np.int32)  # fmt: skip
        cv2.fillPoly(self.canvas, [outline], colour, cv2.LINE_AA)
        cv2.fillPoly(self.owners, [outline], self._owner(TRUNK), cv2.LINE_8)

    def band(self, hip: tuple[float, float], shoulder: tuple[float, float], half: float, share: float, width: float,
             colour: Colour) -> None:  # fmt: skip
        up = _unit(hip, shoulder)
        across = (-up[1], up[0])
        x, y = (hip[i] + (shoulder[i] - hip[i]) * share for i in (0, 1))
        a, b = ((round(x + sign * across[0] * half * self.scale), round(y + sign * across[1] * half * self.scale))
                for sign in (-1, 1))  # fmt: skip
        cv2.line(self.canvas, a, b, colour, max(1, round(width * self.scale)), cv2.LINE_AA)

    def ball(
        self, at: tuple[float, float], up: tuple[float, float], wide: float, high: float, colour: Colour, part: int
    ) -> None:
        self._ellipse(at, up, wide, high, 0, 360, colour, part)

    def dome(self, at: tuple[float, float], up: tuple[float, float], wide: float, high: float, colour: Colour) -> None:
        self._ellipse(at, up, wide, high, 180, 360, colour, HEAD)

    def _ellipse(self, at: tuple[float, float], up: tuple[float, float], wide: float, high: float, start: int, end: int,
                 colour: Colour, part: int) -> None:  # fmt: skip
        centre = (round(at[0]), round(at[1]))
        axes = (max(1, round(wide * self.scale)), max(1, round(high * self.scale)))
        turn = math.degrees(math.atan2(up[1], up[0])) + 90
        cv2.ellipse(self.canvas, centre, axes, turn, start, end, colour, -1, cv2.LINE_AA)
        cv2.ellipse(self.owners, centre, axes, turn, start, end, self._owner(part), -1, cv2.LINE_8)


def glare(canvas: NDArray[np.uint8], at: tuple[float, float], radius: float, strength: float) -> None:
    """A lamp that looks into the camera blinds it."""
    reach = round(max(3.0, radius * 4))
    x, y = round(at[0]), round(at[1])
    top, bottom, left, right = (
        max(0, y - reach),
        min(canvas.shape[0], y + reach),
        max(0, x - reach),
        min(canvas.shape[1], x + reach),
    )
    if top >= bottom or left >= right:
        return
    ys, xs = np.mgrid[top:bottom, left:right]
    bloom = strength * np.exp(-((xs - x) ** 2 + (ys - y) ** 2) / (2 * max(1.0, radius) ** 2))
    part = canvas[top:bottom, left:right].astype(np.float32) + bloom[..., None]
    canvas[top:bottom, left:right] = np.minimum(part, 255).astype(np.uint8)


def _unit(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
    length = math.hypot(b[0] - a[0], b[1] - a[1]) or 1.0
    return (b[0] - a[0]) / length, (b[1] - a[1]) / length


def _joints(who: Looks, pose: Pose) -> dict[str, tuple[float, float, float]]:
    """Places of the joints [m] in the roadway. Built facing +z in the body's own plane, then turned and moved."""
    k = who.height / 1.72
    swing = {"walk": 0.42, "run": 0.75}.get(pose.posture, 0.04) * math.sin(pose.phase)
    hip, knee_drop = 0.92 * k, 0.46 * k
    lean = {"run": 0.16, "crouch": 0.35, "sit": 0.1}.get(pose.posture, 0.02)
    thigh: dict[str, float] = {"left": swing, "right": -swing}
    shin_bend = {"walk": 0.25, "run": 0.9}.get(pose.posture, 0.05)
    if pose.posture == "crouch":
        hip, thigh, shin_bend = 0.5 * k, {"left": 1.1, "right": 1.1}, 2.0
    elif pose.posture == "sit":
        hip, thigh, shin_bend = 0.14, {"left": 1.45, "right": 1.45}, 0.35
    body: dict[str, tuple[float, float, float]] = {}
    shoulder = (0.0, hip + 0.5 * k * math.cos(lean), 0.5 * k * math.sin(lean))
    body["hip"], body["shoulder"] = (0.0, hip, 0.0), shoulder
    body["head"] = (0.0, shoulder[1] + 0.2 * k, shoulder[2] + 0.03)
    body["crown"] = (0.0, shoulder[1] + 0.33 * k, shoulder[2] + 0.04)
    body["lamp"] = (0.0, shoulder[1] + 0.28 * k, shoulder[2] + 0.16)
    for side, sign in (("left", -1.0), ("right", 1.0)):
        angle = thigh[side]
        knee = (sign * 0.1, hip - knee_drop * math.cos(angle), knee_drop * math.sin(angle))
        bend = (
            angle - shin_bend * (0.3 + max(0.0, -math.sin(pose.phase) * sign)) if shin_bend < 1.5 else angle - shin_bend
        )
        foot = (sign * 0.1, max(0.05, knee[1] - knee_drop * math.cos(bend)), knee[2] + knee_drop * math.sin(bend))
        body[f"{side}_hip"], body[f"{side}_knee"], body[f"{side}_foot"] = (sign * 0.09, hip, 0.0), knee, foot
        body[f"{side}_toe"] = (foot[0], max(0.03, foot[1] - 0.03), foot[2] + 0.16)
        arm = -angle * 0.8 if pose.posture in ("walk", "run") else 0.1
        body[f"{side}_shoulder"] = (sign * 0.2, shoulder[1] - 0.02, shoulder[2])
        elbow = (sign * 0.25, shoulder[1] - 0.29 * k * math.cos(arm), shoulder[2] + 0.29 * k * math.sin(arm))
        forward = {"run": 1.2, "crouch": 0.9, "sit": 0.7}.get(pose.posture, 0.25)
        body[f"{side}_elbow"] = elbow
        body[f"{side}_hand"] = (
            sign * 0.24, elbow[1] - 0.25 * k * math.cos(arm + forward), elbow[2] + 0.25 * k * math.sin(arm + forward)
        )  # fmt: skip
    if pose.posture == "lie":  # on the back along the way that is faced, the feet where the person stood
        body = {name: (x, max(0.12, 0.16 - z * 0.5), y - 0.9 * k) for name, (x, y, z) in body.items()}
    turn_sin, turn_cos = math.sin(pose.facing), math.cos(pose.facing)
    return {
        name: (pose.x + x * turn_cos + z * turn_sin, pose.y + y, pose.z - x * turn_sin + z * turn_cos)
        for name, (x, y, z) in body.items()
    }
