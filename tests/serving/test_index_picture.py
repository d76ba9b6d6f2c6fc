"""The picture of an index: what it draws, where it breaks, and that it stays small."""

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis.strategies import floats, integers, lists, none, one_of, tuples

from minefusion.serving.index_picture import MOST_POINTS, Window, index_picture, level_kept

T0 = datetime(2026, 3, 1, tzinfo=UTC)


def hourly(*rows: tuple[float | None, int | None]) -> list[Window]:
    return [Window(T0 + timedelta(hours=hour), value, level) for hour, (value, level) in enumerate(rows)]


def test_a_missing_value_breaks_the_line_and_levels_stand_in_a_strip():
    picture = index_picture("F-02 · <ratio>", "%", hourly((0.1, 0), (1.2, 3), (None, None), (2.4, 4)), {"orange": 1.0})
    assert "F-02 · &lt;ratio&gt;" in picture
    curve = re.search(r'<path d="([^"]+)" fill="none" stroke="#14191E"', picture)
    assert curve is not None
    assert curve[1].count("M") == 2
    fills = re.findall(r'<rect [^>]*height="10" fill="(#\w+)"', picture)
    assert fills == ["#8D969E", "#EC7A08", "#D3D7DB", "#C4161C"]
    assert picture.count("stroke-dasharray") == 1


def test_the_highest_level_that_a_picture_shows_is_kept_in_it(tmp_path):
    picture = tmp_path / "F-02.svg"
    assert level_kept(picture) is None
    picture.write_text(index_picture("F-02", "%", hourly((0.1, 0), (1.2, 3), (None, None)), {}), encoding="utf-8")
    assert level_kept(picture) == 3


def test_a_long_run_keeps_its_peak_and_stays_small():
    windows = [Window(T0 + timedelta(minutes=n), 50.0 if n == 7_001 else float(n % 7), 0) for n in range(20_000)]
    picture = index_picture("G-01", "%", windows, {})
    assert len(picture) < 20_000
    curve = re.search(r'<path d="([^"]+)" fill="none" stroke="#14191E"', picture)
    assert curve is not None
    heights = [float(y) for _, y in re.findall(r"[ML]([\d.]+) ([\d.]+)", curve[1])]
    assert len(heights) <= MOST_POINTS + 4
    assert min(heights) < 50, "the peak is drawn"


@given(
    lists(tuples(one_of(none(), floats(-1e6, 1e6)), one_of(none(), integers(0, 4))), min_size=1, max_size=300),
    floats(-1e6, 1e6),
)
def test_it_is_a_drawing_inside_its_frame(rows, step):
    picture = index_picture("X", "1", hourly(*rows), {"blue": step})
    root = ElementTree.fromstring(picture)
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        assert -1 <= float(text.get("x", "0")) <= 721
        assert 0 <= float(text.get("y", "0")) <= 240
    curve = re.search(r'<path d="([^"]*)" fill="none" stroke="#14191E"', picture)
    assert curve is not None
    for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", curve[1]):
        assert 0 <= float(x) <= 721
        assert 0 <= float(y) <= 240
