"""The roadway itself: arch, floor, belt, track and props, painted once, with its belt moving."""

from __future__ import annotations

import random

import cv2
import numpy as np
from numpy.typing import NDArray

from minefusion.pipelines.simulate.video.tunnel import HEIGHT_PX, WIDTH_PX, Tunnel

# Beyond it everything is dark [m].
FAR_M = 40.0
# The belt's pattern repeats after so many metres of samples.
_PATTERN_M, _SAMPLES_PER_M = 8.0, 24


class Stage:
    """Paints the roadway without people, and what stands before people."""

    def __init__(self, place: Tunnel, seed: int) -> None:
        self.place = place
        dice = np.random.default_rng(random.Random(f"stage {place.name} {seed}").randrange(2**32))
        rays = place.rays
        self._eye = np.array(place.eye)
        hit, self._kind = self._cast(rays)
        light = self._lit(hit)[..., None]
        fog = 1.0 - np.exp(-place.haze * np.linalg.norm(hit - self._eye, axis=2))[..., None]
        gain, veil = light * (1 - fog), 150 * fog * light
        self._still = np.clip(self._painted(hit, dice) * gain + veil, 0, 255).astype(np.uint8)
        # Only the belt changes from picture to picture.
        self._belt = (self._kind == _BELT) if place.belt else None
        self._pattern = self._coal(dice)
        if self._belt is not None:
            self._along, across = hit[self._belt][:, 2], hit[self._belt][:, 0]
            self._columns = (across * _SAMPLES_PER_M).astype(np.int64) % self._pattern.shape[1]
            self._gain, self._veil = gain[self._belt], veil[self._belt]

    def picture(self, belt_moved_m: float) -> NDArray[np.uint8]:
        """The roadway with its belt moved on so far [m]."""
        picture = self._still.copy()
        if self._belt is not None:
            rows = ((self._along - belt_moved_m) * _SAMPLES_PER_M).astype(np.int64) % self._pattern.shape[0]
            coal = self._pattern[rows, self._columns][:, None] * self._gain + self._veil
            picture[self._belt] = np.clip(coal, 0, 255).astype(np.uint8)
        self._lamps(picture)
        return picture

    def cover(self, canvas: NDArray[np.uint8], owners: NDArray[np.int32], nearer_than: float, down_to: float) -> None:
        """Draw the props that stand between these depths, over whoever stands behind them."""
        for x, z in self.place.props:
            if not down_to <= z < nearer_than:
                continue
            (foot, head), depth = self.place.project(np.array([(x, 0.0, z), (x, self.place.wall + 0.4, z)]))
            if depth.min() < 0.5:
                continue
            thick = max(2, round(0.24 * self.place.focal * HEIGHT_PX / float(depth.mean())))
            light = self.place.light(x, 1.2, z)
            ends = tuple(foot.round().astype(int).tolist()), tuple(head.round().astype(int).tolist())
            cv2.line(canvas, *ends, (95 * light, 90 * light, 85 * light), thick, cv2.LINE_AA)
            cv2.line(owners, *ends, 0, thick, cv2.LINE_8)

    # ── casting ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _cast(self, rays: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
        """Where each pixel's ray meets the roadway first, and what it meets."""
        place, eye = self.place, self._eye
        best = np.full(rays.shape[:2], FAR_M)
        kind = np.full(rays.shape[:2], _ROCK, dtype=np.int8)

        def nearest(t: NDArray[np.float64], what: int, valid: NDArray[np.bool_]) -> None:
            closer = valid & (t > 0.05) & (t < best)
            best[closer] = t[closer]
            kind[closer] = what

        with np.errstate(divide="ignore", invalid="ignore"):
            nearest(-eye[1] / rays[..., 1], _FLOOR, rays[..., 1] < 0)
            for side in (-1.0, 1.0):
                t = (side * place.half_width - eye[0]) / rays[..., 0]
                y = eye[1] + t * rays[..., 1]
                nearest(t, _ROCK, (np.sign(rays[..., 0]) == side) & (y >= 0) & (y <= place.wall))
            # The arch is half an ellipse over the walls.
            a, b = place.half_width, place.crown - place.wall
            px, py = eye[0] / a, (eye[1] - place.wall) / b
            dx, dy = rays[..., 0] / a, rays[..., 1] / b
            qa, qb, qc = dx**2 + dy**2, 2 * (px * dx + py * dy), px**2 + py**2 - 1
            t = (-qb + np.sqrt(np.maximum(qb**2 - 4 * qa * qc, 0.0))) / (2 * qa)
            nearest(t, _ROCK, eye[1] + t * rays[..., 1] >= place.wall)
            if place.belt:
                belt = place.belt
                t = (belt.y - eye[1]) / rays[..., 1]
                x = eye[0] + t * rays[..., 0]
                nearest(t, _BELT, (rays[..., 1] < 0) & (np.abs(x - belt.x) <= belt.half_width))
                edge = belt.x - np.sign(belt.x) * (belt.half_width + 0.06)
                t = (edge - eye[0]) / rays[..., 0]
                y = eye[1] + t * rays[..., 1]
                nearest(t, _FRAME, (y >= 0) & (y <= belt.y + 0.02))
        return eye + rays * best[..., None], kind

    def _lit(self, hit: NDArray[np.float64]) -> NDArray[np.float64]:
        light = np.full(hit.shape[:2], self.place.dusk)
        for x, y, z, strength in self.place.lamps:
            light += strength / (1.0 + ((hit - (x, y, z)) ** 2).sum(axis=2))
        return np.minimum(light, 1.0)

    def _painted(self, hit: NDArray[np.float64], dice: np.random.Generator) -> NDArray[np.float64]:
        """Colour of each pixel under full light."""
        rough = _noise(dice, hit[..., 2] * 1.3, np.arctan2(hit[..., 1] - 1.0, hit[..., 0]) * 2.0)
        fine = _noise(dice, hit[..., 2] * 6.0 + 50, hit[..., 0] * 6.0 + hit[..., 1] * 6.0)
        base = 70 + 45 * rough + 25 * fine
        tint = dice.uniform(0.9, 1.1, 3)
        paint = base[..., None] * tint
        floor = self._kind == _FLOOR
        ground = 60 + 40 * _noise(dice, hit[..., 2] * 2.0, hit[..., 0] * 2.0) + 20 * fine
        paint[floor] = (ground[..., None] * dice.uniform(0.9, 1.08, 3))[floor]
        ribs = (self._kind == _ROCK) & (np.mod(hit[..., 2], 1.2) < 0.12)
        paint[ribs] *= 1.3
        paint[self._kind == _FRAME] = 85.0
        self._mark_floor(paint, hit, floor)
        return paint

    def _mark_floor(self, paint: NDArray[np.float64], hit: NDArray[np.float64], floor: NDArray[np.bool_]) -> None:
        x, z = hit[..., 0], hit[..., 2]
        for zone in self.place.zones:
            if zone.zone_id == "track":
                for rail in (zone.x[0] + 0.45, zone.x[1] - 0.45):
                    paint[floor & (np.abs(x - rail) < 0.04)] = 150.0
                sleepers = floor & (x > zone.x[0] + 0.2) & (x < zone.x[1] - 0.2) & (np.mod(z, 0.7) < 0.16)
                paint[sleepers] *= 0.7
            elif zone.zone_id == "desk":
                inside = floor & (x > zone.x[0]) & (x < zone.x[1]) & (z > zone.z[0]) & (z < zone.z[1])
                paint[inside] = paint[inside] * 0.7 + np.array((60, 75, 60)) * 0.5
        for line in self.place.lines:
            if line.z is not None:
                striped = floor & (np.abs(z - line.z) < 0.12)
                paint[striped] = np.where((np.mod(x[striped], 0.5) < 0.25)[:, None], (230, 195, 30), (30, 30, 30))

    def _coal(self, dice: np.random.Generator) -> NDArray[np.float64]:
        size = (int(_PATTERN_M * _SAMPLES_PER_M), int(4 * _SAMPLES_PER_M))
        lumps = cv2.GaussianBlur(dice.normal(size=size).astype(np.float32), (0, 0), 2.0)
        return 38 + 90 * np.maximum(lumps, 0.0).astype(np.float64)

    def _lamps(self, picture: NDArray[np.uint8]) -> None:
        pixels, depth = self.place.project(np.array([lamp[:3] for lamp in self.place.lamps]))
        for (x, y), away, lamp in zip(pixels, depth, self.place.lamps, strict=True):
            if away > 0.5 and 0 <= x < WIDTH_PX and 0 <= y < HEIGHT_PX:
                size = max(1, round(0.09 * self.place.focal * HEIGHT_PX / float(away)))
                glow = min(255.0, 190 + 20 * lamp[3])
                cv2.circle(picture, (round(x), round(y)), size, (glow, glow, glow * 0.93), -1, cv2.LINE_AA)


_ROCK, _FLOOR, _BELT, _FRAME = range(4)


def _noise(dice: np.random.Generator, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smooth random surface, sampled at u, v; about -1 to 1."""
    grid = dice.uniform(-1, 1, (64, 64)).astype(np.float32)
    smooth = cv2.resize(grid, (512, 512), interpolation=cv2.INTER_CUBIC)
    rows = (np.abs(u) * 8).astype(np.int64) % 512
    columns = (np.abs(v) * 8).astype(np.int64) % 512
    return smooth[rows, columns].astype(np.float64)


def finished(picture: NDArray[np.uint8], place: Tunnel, dice: np.random.Generator) -> NDArray[np.uint8]:
    """What a camera in dust makes of it: specks, a little blur, noise, and no colour where it has none."""
    out: NDArray[np.uint8] = cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.uint8, copy=False)
    for _ in range(int(place.haze * 400)):
        x, y = int(dice.integers(WIDTH_PX)), int(dice.integers(HEIGHT_PX))
        bright = float(dice.uniform(30, 110))
        cv2.circle(out, (x, y), int(dice.integers(1, 3)), (bright, bright, bright), -1, cv2.LINE_AA)
    grain = dice.standard_normal(out.shape, dtype=np.float32) * np.float32(place.noise)
    out = np.clip(out.astype(np.int16) + grain.astype(np.int16), 0, 255).astype(np.uint8)
    if place.is_grey:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2).astype(np.uint8, copy=False)
    return out
