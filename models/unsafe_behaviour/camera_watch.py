"""One camera from detections to events: tracks, then the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from minefusion.models.unsafe_behaviour.detections import Detections
from minefusion.models.unsafe_behaviour.rules import Event, Judge
from minefusion.models.unsafe_behaviour.scene import Person, Scene
from minefusion.models.unsafe_behaviour.tracking import Tracker, TrackingConfig
from minefusion.schemas.behaviours import Behaviour
from minefusion.schemas.site_cameras import View


@dataclass(frozen=True)
class Look:
    """What one picture came to: its people, and the events that it raised or ended."""

    people: tuple[Person, ...]
    events: tuple[Event, ...]


class CameraWatch:
    """Follows the people of one camera and holds the rules against them; pictures come in the order of capture."""

    def __init__(
        self,
        view: View,
        pictures_per_s: float,
        behaviours: Iterable[Behaviour] | None = None,
        tracking: TrackingConfig | None = None,
    ) -> None:
        self.view = view
        self._tracker = Tracker(pictures_per_s, tracking)
        self._judge = Judge(view, behaviours)

    def look(
        self,
        found: Detections,
        at: float,
        aspect: float,
        machines: Mapping[str, bool | None] | None = None,
        carried: int | None = None,
    ) -> Look:
        """Go on to the next picture.

        Args:
            found: what the detector saw in it.
            at: instant of capture [s since 1970, UTC].
            aspect: width ÷ height of the picture.
            machines: which machines run, as far as known.
            carried: people in the camera's area by the positioning system.
        """
        people = self._tracker.follow(found, at, aspect)
        events = self._judge.look(Scene(at, people, machines or {}, carried, aspect))
        return Look(people, tuple(events))

    def close(self) -> list[Event]:
        """The events that still went on at the last picture, with their end."""
        return self._judge.close()
