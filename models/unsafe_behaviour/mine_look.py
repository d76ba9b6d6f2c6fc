"""Pictures made to look as if taken underground: dark, dusty, noisy, with a cap lamp that blinds the camera."""

from __future__ import annotations

import numpy as np

from minefusion.models.unsafe_behaviour.detections import Picture

# How much of the light is left; how much of the picture dust takes; noise of the sensor [of 255].
LIGHT, DUST, NOISE = (0.15, 0.6), (0.0, 0.35), (2.0, 9.0)
# Share of pictures into which a cap lamp shines, and of those without colour.
GLARE_SHARE, GREY_SHARE = 0.4, 0.15


def underground(picture: Picture, dice: np.random.Generator) -> Picture:
    """The picture in a mine's light. Boxes hold: nothing is moved."""
    height, width = picture.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    made = picture.astype(np.float32)
    # One lamp somewhere, light falling off around it.
    lamp_x, lamp_y, reach = dice.uniform(0, width), dice.uniform(-0.2, 0.6) * height, dice.uniform(0.4, 1.2) * width
    light = dice.uniform(*LIGHT) * (0.4 + 0.9 / (1.0 + ((x - lamp_x) ** 2 + (y - lamp_y) ** 2) / reach**2))
    made *= light[..., None]
    dust = dice.uniform(*DUST)
    made = made * (1 - dust) + dust * 150 * light[..., None]
    for _ in range(int(dust * 120)):
        speck_y, speck_x = int(dice.integers(height)), int(dice.integers(width))
        made[speck_y : speck_y + 2, speck_x : speck_x + 2] += dice.uniform(20, 90)
    if dice.random() < GLARE_SHARE:
        glare_x, glare_y, size = dice.uniform(0, width), dice.uniform(0, 0.7) * height, dice.uniform(0.01, 0.04) * width
        made += (230 * np.exp(-((x - glare_x) ** 2 + (y - glare_y) ** 2) / (2 * size**2)))[..., None]
    made += dice.normal(0.0, dice.uniform(*NOISE), made.shape).astype(np.float32)
    if dice.random() < GREY_SHARE:
        made = np.repeat(made.mean(axis=2, keepdims=True), 3, axis=2)
    return np.clip(made, 0, 255).astype(np.uint8)
