"""Whether a camera's picture can be used: dark, overexposed, blurred, blocked, frozen, moved, or lost.

A picture is judged small and grey, once a second. Blurred, blocked and moved are told beside the camera's own picture
in good times, which is learned when the camera begins and follows slowly; the others need no memory.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]

# code → case of MT/T 1201.6, event type, Chinese, English.
FAULTS: dict[str, tuple[str, str, str, str]] = {
    "lost": ("0007", "V902", "视频丢失", "stream lost"),
    "dark": ("0003", "V901", "画面过暗", "picture too dark"),
    "overexposed": ("0004", "V901", "画面过曝", "picture overexposed"),
    "frozen": ("0006", "V901", "画面冻结", "picture frozen"),
    "blocked": ("0001", "V901", "画面遮挡", "view blocked"),
    "moved": ("0002", "V901", "摄像仪挪动", "camera moved"),
    "blurred": ("0005", "V901", "图像模糊", "picture blurred"),
}

SMALL = (160, 90)
# A fault is told when it has lasted so long [s]; a lost stream after so long without a picture, 30 s at the most.
LASTING_S: Mapping[str, float] = {
    "lost": 6.0, "dark": 5.0, "overexposed": 5.0, "frozen": 8.0, "blocked": 5.0, "moved": 8.0, "blurred": 8.0,
}  # fmt: skip
# A fault is over when it has not been seen for so long [s].
OVER_S = 3.0
# Mean brightness under and over which nothing is seen, of 255; share of pixels at the upper end.
DARK_MEAN, BRIGHT_MEAN, BURNT_SHARE = 9.0, 235.0, 0.6
# Two pictures of a living camera differ at least by its noise [mean of 255].
FROZEN_DIFFERENCE = 0.02
# Detail, beside that of good times, under which a picture is blurred.
BLURRED_DETAIL = 0.25
# A tile of the picture that has lost its detail is covered; so many of them are a blocked view [share].
COVERED_DETAIL, BLOCKED_SHARE = 0.15, 0.5
# Shift of the picture beside that of good times [share of its width], and likeness under which it shows another place.
MOVED_SHIFT, UNLIKE = 0.03, 0.25
_TILES = (6, 8)
# The picture of good times is learned over so many pictures, then follows by this share each.
_LEARN, _FOLLOW = 5, 0.02


@dataclass(frozen=True)
class Fault:
    """A camera whose picture cannot be used; `ended_at` is None while it lasts [s since 1970]."""

    code: str
    camera_code: str
    began_at: float
    told_at: float
    sentence_zh: str
    sentence_en: str
    ended_at: float | None = None


@dataclass
class _Lasts:
    since: float
    seen_at: float
    fault: Fault | None = None


class CameraHealth:
    """Judges the pictures of one camera, about one a second."""

    def __init__(self, camera_code: str, names: tuple[str, str] = ("", "")) -> None:
        self.camera_code = camera_code
        self._names = tuple(name or camera_code for name in names)
        self._good: Grey | None = None
        self._learned = 0
        self._before: Grey | None = None
        self._lasting: dict[str, _Lasts] = {}

    def look(self, picture: NDArray[np.uint8], at: float) -> list[Fault]:
        """Faults that this picture makes certain, and those that are over by it."""
        grey = small_grey(picture)
        seen = self._faults_in(grey)
        if not seen:
            self._learn(grey)
        self._before = grey
        return self._go_on(seen, at)

    def silent(self, seconds: float, at: float) -> list[Fault]:
        """Nothing came for so long: the fault, once that is certain."""
        if seconds < 1.0:
            return []
        return self._go_on({"lost"}, at, since=at - seconds)

    @property
    def faults(self) -> tuple[str, ...]:
        """Codes of what is wrong now."""
        return tuple(code for code in FAULTS if (lasts := self._lasting.get(code)) and lasts.fault)

    def _faults_in(self, grey: Grey) -> set[str]:
        # In black and in white nothing moves: that is not a frozen picture.
        if float(grey.mean()) < DARK_MEAN:
            return {"dark"}
        if float(grey.mean()) > BRIGHT_MEAN or float((grey > 250).mean()) > BURNT_SHARE:
            return {"overexposed"}
        found = set()
        if self._before is not None and float(np.abs(grey - self._before).mean()) < FROZEN_DIFFERENCE:
            found.add("frozen")
        if self._good is None or self._learned < _LEARN:
            return found
        tiles = _detail(grey) / np.maximum(_detail(self._good), 1.0)
        if float((tiles < COVERED_DETAIL).mean()) > BLOCKED_SHARE:
            return found | {"blocked"}
        if _sharpness(grey) < BLURRED_DETAIL * _sharpness(self._good):
            return found | {"blurred"}  # where it has moved to cannot be seen
        shift, likeness = _shift(self._good, grey)
        return found | {"moved"} if shift > MOVED_SHIFT or likeness < UNLIKE else found

    def _learn(self, grey: Grey) -> None:
        if self._good is None:
            self._good = grey.copy()
        else:
            share = 1.0 / (self._learned + 1) if self._learned < _LEARN else _FOLLOW
            self._good += share * (grey - self._good)
        self._learned += 1

    def _go_on(self, seen: set[str], at: float, since: float | None = None) -> list[Fault]:
        changed = []
        for code in seen:
            lasts = self._lasting.setdefault(code, _Lasts(at if since is None else since, at))
            lasts.seen_at = at
            if lasts.fault is None and at - lasts.since >= LASTING_S[code]:
                lasts.fault = self._told(code, lasts.since, at)
                changed.append(lasts.fault)
        for code in [code for code, lasts in self._lasting.items() if code not in seen]:
            lasts = self._lasting[code]
            if at - lasts.seen_at >= OVER_S:
                del self._lasting[code]
                if lasts.fault:
                    fault = lasts.fault
                    changed.append(
                        Fault(code, fault.camera_code, fault.began_at, fault.told_at, fault.sentence_zh,
                              fault.sentence_en, ended_at=lasts.seen_at)
                    )  # fmt: skip
        return changed

    def _told(self, code: str, since: float, at: float) -> Fault:
        _, _, zh, en = FAULTS[code]
        lasted = at - since
        return Fault(
            code, self.camera_code, since, at, f"{self._names[0]}：{zh}，持续{lasted:.0f}秒",
            f"{self._names[1]}: {en}, for {lasted:.0f} s",
        )  # fmt: skip


def small_grey(picture: NDArray[np.uint8]) -> Grey:
    """The picture small and grey."""
    small = cv2.resize(picture, SMALL, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32)


def _detail(grey: Grey) -> NDArray[np.float32]:
    """Spread of brightness in each tile."""
    rows, columns = _TILES
    height, width = grey.shape[0] // rows, grey.shape[1] // columns
    tiles = grey[: rows * height, : columns * width].reshape(rows, height, columns, width)
    return tiles.std(axis=(1, 3))


def _sharpness(grey: Grey) -> float:
    """Variance of the Laplacian: how much edge there is (Pertuz et al. 2013, Pattern Recognition 46)."""
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def _shift(good: Grey, grey: Grey) -> tuple[float, float]:
    """How far the picture is from that of good times [share of its width], and how like it when put back, -1 to 1."""
    before, now = _edges(good), _edges(grey)
    window = np.outer(np.hanning(grey.shape[0]), np.hanning(grey.shape[1])).astype(np.float32)
    (dx, dy), _ = cv2.phaseCorrelate(before, now, window)
    put_back = np.roll(now, (round(-dy), round(-dx)), axis=(0, 1))
    spread = float(before.std() * put_back.std())
    if spread == 0:  # a picture without an edge has no place
        return 0.0, 1.0
    likeness = float(((before - before.mean()) * (put_back - put_back.mean())).mean()) / spread
    return float(np.hypot(dx, dy)) / SMALL[0], likeness


def _edges(grey: Grey) -> Grey:
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    return np.hypot(across, down).astype(np.float32)
