"""One camera over the belt road of a simulated mine, and what it films in the middle of the shift."""

from __future__ import annotations

import csv
import os
import random
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from minefusion.pipelines.simulate.video.acting import Director
from minefusion.pipelines.simulate.video.film import EVENT_COLUMNS, event_row, film_script
from minefusion.pipelines.simulate.video.truth import events
from minefusion.pipelines.simulate.video.tunnel import tunnel
from minefusion.schemas.errors import InputError
from minefusion.schemas.exchange.grammar import MINE_UTC_OFFSET_H
from minefusion.schemas.site import Camera, Site

LAYOUT, SEED, FPS = "belt-101", 2, 5
# Clip and its true events, in the folder of the truth.
EVENTS = "video_events.csv"


def with_belt_camera(site: Site) -> Site:
    """The site with a camera where the layout fits: on its first road that has a belt.

    Raises:
        InputError: no road has one.
    """
    belt_roads = {area.area_id for area in site.areas if area.kind == "belt_road"}
    edge = next((edge for edge in site.edges if edge.area_id in belt_roads), None)
    if edge is None:
        raise InputError(f"expected a belt road in mine {site.mine_code} for its camera, got none; film none")
    view = tunnel(LAYOUT).view()
    camera = Camera(view.camera_code, "带式大巷摄像机", "Camera of the belt road", edge.edge_id, edge.length_m / 2)
    return replace(
        site,
        cameras=(*site.cameras, camera),
        camera_zones=(*site.camera_zones, *view.zones),
        camera_lines=(*site.camera_lines, *view.lines),
        camera_floors=(*site.camera_floors, *((view.floor,) if view.floor else ())),
    )


def film_shift(site: Site, *, at: datetime, out: Path, truth: Path) -> Path:
    """A clip that begins at this instant in `out`, and in `truth` what is true of it. One that is there is left alone.

    Somebody stands beside the belt and does nothing wrong, somebody climbs onto it while it runs, somebody passes
    without a helmet.
    """
    place = tunnel(LAYOUT)
    stamp = (at + timedelta(hours=MINE_UTC_OFFSET_H)).strftime("%Y%m%d%H%M%S")
    clip = out / f"{site.mine_code}_{place.camera_code}_{stamp}.mp4"
    if clip.is_file() and (truth / EVENTS).is_file():
        return clip
    director = Director(place, random.Random(f"shift {SEED}"))
    ends = 1.0
    for play in (director.stand_beside_belt, director.reach_onto_belt, director.pass_bare_headed):
        ends = play(ends) + 1.0
    director.script.seconds = ends
    truth.mkdir(parents=True, exist_ok=True)
    part = truth / clip.name  # the ingest must not see half a clip
    times, seen = film_script(part, place, director.script, SEED, FPS)
    with (truth / EVENTS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, EVENT_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(event_row(clip.name, each) for each in events(place, director.script, times, seen))
    os.replace(part, clip)
    return clip
