"""All views, by path, and their groups."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from minefusion.serving.analyst import alarm_load, hazards, methane, models, people, quality, video
from minefusion.serving.analyst.view import View
from minefusion.serving.text import Text

GROUPS: Mapping[str, Text] = MappingProxyType(
    {
        "hazards": Text("风险", "Hazards"),
        "methane": Text("瓦斯与监测", "Methane and monitoring"),
        "people": Text("人员", "People"),
        "video": Text("视频", "Video"),
        "quality": Text("数据质量", "Data quality"),
        "models": Text("模型", "Models"),
        "alarms": Text("报警考核", "Alarm load"),
    }
)
VIEWS: Mapping[str, View] = MappingProxyType(
    {
        each.path: each
        for module in (hazards, methane, people, video, quality, models, alarm_load)
        for each in module.VIEWS
    }
)
