"""One camera from detections to events: tracks, then the rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from minefusion.models.unsafe_behaviour.detections import Detections, Picture
from minefusion.models.unsafe_behaviour.pose import LiesByPose
from minefusion.models.unsafe_behaviour.rules import Event, Judge
from minefusion.models.unsafe_behaviour.scene import Person, Scene
from minefusion.models.unsafe_behaviour.tracking import Tracker, TrackingConfig, is_outline_open
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
        pose: LiesByPose | None = None,
    ) -> None:
        self.view = view
        self._pose = pose
        self._tracker = Tracker(pictures_per_s, tracking)
        self._judge = Judge(view, behaviours)

    def look(
        self,
        found: Detections,
        at: float,
        aspect: float,
        machines: Mapping[str, bool | None] | None = None,
        carried: int | None = None,
        picture: Picture | None = None,
    ) -> Look:
        """Go on to the next picture.

        Args:
            found: what the detector saw in it.
            at: instant of capture [s since 1970, UTC].
            aspect: width ÷ height of the picture.
            machines: which machines run, as far as known.
            carried: people in the camera's area by the positioning system.
            picture: for a look at the joints of who may lie, where there is a pose network.
        """
        people = self._tracker.follow(found, at, aspect)
        if self._pose is not None and picture is not None:
            people = tuple(self._looked_at(person, picture, aspect) for person in people)
        events = self._judge.look(Scene(at, people, machines or {}, carried, aspect))
        return Look(people, tuple(events))

    def _looked_at(self, person: Person, picture: Picture, aspect: float) -> Person:
        """The person with what their joints say, where their outline leaves open whether they lie."""
        assert self._pose is not None
        if not is_outline_open(person.box, aspect):
            return person
        lies = self._pose(picture, person.box)
        return person if lies is None else replace(person, lying=lies)

    def close(self) -> list[Event]:
        """The events that still went on at the last picture, with their end."""
        return self._judge.close()
