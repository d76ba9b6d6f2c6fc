"""What a site file may say of the ways out: exits, refuge chambers, and how long a self-rescuer lasts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minefusion.schemas.site import Site

# Where the site file names none: the least that an isolating self-rescuer has to last [min], inferred.
SELF_RESCUER_MIN = 30.0


@dataclass(frozen=True)
class Exit:
    """A junction from which people are brought to the surface, or which is there: a shaft's bottom, an adit's mouth."""

    node_id: str
    name_zh: str
    name_en: str


@dataclass(frozen=True)
class RefugeChamber:
    """A refuge chamber beside a roadway; `places`: how many people it keeps alive, null where not told."""

    chamber_id: str
    name_zh: str
    name_en: str
    edge_id: str
    chainage_m: float
    places: int | None = None


def check_escape(site: Site, complain: Callable[[Any, str], None]) -> None:
    """What must hold inside these sections."""
    for chamber in site.refuge_chambers:
        if chamber.places is not None and chamber.places < 1:
            problem = f"expected places of 1 or more in chamber {chamber.chamber_id}, got {chamber.places}"
            complain(chamber, f"{problem}; mend it or write null")
    if site.self_rescuer_min is not None and site.self_rescuer_min <= 0:
        complain(site, f"expected self_rescuer_min above 0, got {site.self_rescuer_min}; mend it or write null")
