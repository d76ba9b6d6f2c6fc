"""Gold: what the readings mean, each row with its reason."""

from minefusion.schemas.table import Column, Table, day_column

_MINE = Column("mine_code", "string", "Mine.", "煤矿编码")
_AREA = Column(
    "area_id", "string", "Area; the mine code for the whole mine; 'unplaced' where not resolved.", "区域编码"
)
_POINT = Column("point_id", "string", "Point; null for an area's own row.", "测点编码")
_LEVEL = Column(
    "level", "int", "0 normal, 1 blue, 2 yellow, 3 orange, 4 red; null with a reason.", "风险等级", valid=(0, 4)
)
_ZH = Column("sentence_zh", "string", "What it means, in Chinese.", "说明（中文）")
_EN = Column("sentence_en", "string", "What it means, in English.", "说明（英文）")
_REVISION = Column("revision", "int", "0 at first; one more each time an input changed the row.", "修订号")
_COMPUTED = Column("computed_at", "timestamp", "When the row was written.", "计算时间")

HAZARD_INDEX = Table(
    name="gold.hazard_index",
    doc="Hazard indices by place and window.",
    zh="灾害指标",
    key=("mine_code", "index_id", "area_id", "entity", "window_start"),
    columns=(
        _MINE,
        Column("index_id", "string", "Catalogue id, such as G-01.", "指标编号"),
        _AREA,
        Column(
            "entity",
            "string",
            "Point id, or the area id for an area's own row: the key's part that is never null.",
            "对象",
        ),
        _POINT,
        Column("window_start", "timestamp", "Start of the window, included.", "窗口开始"),
        Column("window_end", "timestamp", "End of the window, not included.", "窗口结束"),
        Column("value", "double", "Value of the index; null with a reason.", "指标值"),
        Column("unit", "string", "Unit.", "单位"),
        _LEVEL,
        Column("legal_exceeded", "boolean", "The legal alarm limit is reached.", "是否超法定限值"),
        Column("coverage", "double", "Share of the window that good data covers.", "覆盖率", valid=(0, 1)),
        Column("null_reason", "string", "Why the value is null.", "空值原因"),
        Column("inputs", "string", "JSON of the inputs used.", "输入（JSON）"),
        Column("limit_source", "string", "Where the limits come from.", "限值来源"),
        Column("limit_confidence", "string", "confirmed, inferred, convention, advisory or mine.", "限值可信度"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="window_start",
)

ALARM = Table(
    name="gold.alarm",
    doc="Alarm episodes: one row each, from raise to clear.",
    zh="报警",
    key=("alarm_id",),
    columns=(
        Column("alarm_id", "string", "Identity: kind, mine, place and start.", "报警标识"),
        Column("kind", "string", "Index id, or YCBJ-001 … for what the mine reports.", "报警种类"),
        _MINE,
        _AREA,
        Column("entity", "string", "Point id, or the area id.", "对象"),
        _POINT,
        _LEVEL,
        Column("raised_at", "timestamp", "Sample that opened it.", "开始时间"),
        Column("cleared_at", "timestamp", "Sample that closed it; null while active.", "解除时间"),
        Column("peak_value", "double", "Worst value.", "峰值"),
        Column("peak_at", "timestamp", "When it was worst.", "峰值时刻"),
        Column("integral", "double", "Area over the limit (G-01: %·min); null elsewhere.", "超限积分"),
        Column("unit", "string", "Unit.", "单位"),
        Column("legal_exceeded", "boolean", "The legal alarm limit was reached.", "是否超法定限值"),
        Column("people_in_area", "int", "People in the area when it was raised.", "区域人数", unit="person"),
        Column("marks", "string", "SATURATED, NO_DATA … comma-joined.", "标记"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="raised_at",
)

AREA_MINUTE = Table(
    name="gold.area_minute",
    doc="The fused table: gas, air, people and machines by area and minute.",
    zh="区域分钟融合表",
    key=("mine_code", "area_id", "minute"),
    columns=(
        _MINE,
        _AREA,
        Column("minute", "timestamp", "Start of the minute.", "分钟"),
        Column("ch4_pct_min", "double", "Lowest methane.", "甲烷最小", unit="%"),
        Column("ch4_pct_mean", "double", "Mean methane.", "甲烷平均", unit="%"),
        Column("ch4_pct_max", "double", "Highest methane.", "甲烷最大", unit="%"),
        Column(
            "ch4_pct_trend_per_h",
            "double",
            "Rise of the area's highest methane over the last 30 min.",
            "甲烷趋势",
            unit="%/h",
        ),
        Column("co_ppm_max", "double", "Highest carbon monoxide.", "一氧化碳最大", unit="ppm"),
        Column("o2_pct_min", "double", "Lowest oxygen.", "氧气最小", unit="%"),
        Column("air_velocity_m_s", "double", "Mean air velocity.", "风速", unit="m/s"),
        Column("temperature_c", "double", "Highest temperature.", "温度", unit="degC"),
        Column("people_count", "int", "People in the area.", "人数", unit="person"),
        Column("people_cap", "int", "Cap.", "核定人数", unit="person"),
        Column("machines_running", "int", "Machines that run.", "运行设备数"),
        Column("reported_abnormalities", "int", "Abnormalities that the mine reports as open.", "上报异常数"),
        Column("behaviours", "int", "Unsafe behaviours seen; null where no camera analysis runs.", "不安全行为数"),
        _LEVEL,
        Column("why_zh", "string", "Why this level, in Chinese.", "原因（中文）"),
        Column("why_en", "string", "Why this level, in English.", "原因（英文）"),
        Column("null_reasons", "string", "JSON: column → why it is null.", "空值原因（JSON）"),
        Column("readings_expected", "int", "Inputs that should have a fresh value.", "应有输入数"),
        Column("readings_good", "int", "Inputs that have a fresh good value.", "有效输入数"),
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="minute",
)

RISK_TIER = Table(
    name="gold.risk_tier",
    doc="Risk of each area and hour: the worst legal level, else all findings together; never a mean.",
    zh="区域风险等级",
    key=("mine_code", "area_id", "window_start"),
    columns=(
        _MINE,
        _AREA,
        Column("window_start", "timestamp", "Start of the hour.", "窗口开始"),
        Column("window_end", "timestamp", "End of the hour, not included.", "窗口结束"),
        Column(
            "tier",
            "int",
            "0 normal, 1 blue, 2 yellow, 3 orange, 4 red; null: insufficient data, which is never green.",
            "风险等级",
            valid=(0, 4),
        ),
        Column(
            "basis",
            "string",
            "What decides: legal, critical, sudden, combined or insufficient_data.",
            "判定依据",
        ),
        Column("legal_level", "int", "Worst level of an index over its legal limit; null where none is.", "法定等级"),
        Column("combined_level", "int", "Level of all findings together (X-06).", "综合等级"),
        Column("score", "double", "Noisy-OR of all findings, 0 to 1 (X-06).", "综合得分", valid=(0, 1)),
        Column("completeness", "double", "Share of the area's indices that are known.", "完整性", valid=(0, 1)),
        Column("decided_by", "string", "Indices that decide, comma-joined, the worst first.", "决定指标"),
        Column("people_count", "int", "Most people in the area in the hour; null: not known.", "人数", unit="person"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="window_start",
)

DATA_QUALITY = Table(
    name="gold.data_quality",
    doc="Completeness, accuracy and timeliness by dataset, point and hour, with findings.",
    zh="数据质量",
    key=("mine_code", "dataset", "entity", "hour"),
    columns=(
        _MINE,
        Column("dataset", "string", "Table it is about, such as silver.reading.", "数据集"),
        Column("entity", "string", "Point, area or file kind.", "对象"),
        _AREA,
        Column("hour", "timestamp", "Start of the hour.", "小时"),
        Column("expected", "int", "Values expected from the nominal period.", "应到数"),
        Column("received", "int", "Values that came.", "实到数"),
        Column("completeness", "double", "received ÷ expected.", "完整性", valid=(0, 1)),
        Column("accuracy", "double", "Share of GOOD among those that came.", "准确性", valid=(0, 1)),
        Column("timeliness", "double", "Share that came no later than its late-after time.", "及时性", valid=(0, 1)),
        Column("findings", "string", "JSON list of {code, rule, count, zh, en}.", "发现（JSON）"),
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="hour",
)

# What gold.sensor_health looks for: check → English, Chinese.
HEALTH_CHECKS: dict[str, tuple[str, str]] = {
    "completeness": ("values that should have come and did not", "数据完整性"),
    "stuck": ("a value that stands still", "数值卡死"),
    "offset": ("a level that jumped and stayed", "零点或量程突变"),
    "drift": ("a level that leaves its neighbours by and by", "漂移"),
    "swapped": ("two channels that show each other's values", "通道接反"),
    "calibration": ("test gas that was not flagged, or a calibration that is due", "标校未标记或到期"),
    "spikes": ("lone samples that stand out", "尖峰"),
    "noise": ("more unrest than usual", "噪声"),
}

SENSOR_HEALTH = Table(
    name="gold.sensor_health",
    doc="Whether a sensor can be believed, by analog point and hour: eight checks, each with a score and a verdict.",
    zh="传感器健康",
    key=("mine_code", "point_id", "hour"),
    columns=(
        _MINE,
        Column("point_id", "string", "Point.", "测点编码"),
        Column("hour", "timestamp", "Start of the hour.", "小时"),
        _AREA,
        Column("quantity", "string", "Quantity of the point.", "测量量"),
        Column("verdict", "string", "Worst of its checks: fault, watch, unknown or ok.", "结论"),
        Column("leading_check", "string", "The check that decided it; null where all is in order.", "主要问题"),
        Column("score", "double", "Highest score of its checks.", "得分", valid=(0, 1)),
        *(
            column
            for check, (doc, zh) in HEALTH_CHECKS.items()
            for column in (
                Column(
                    f"{check}_score",
                    "double",
                    f"How surely there is {doc}: 0 no sign, 1 certain; null where it cannot be told.",
                    f"{zh}得分",
                    valid=(0, 1),
                ),
                Column(f"{check}_verdict", "string", "fault, watch, unknown or ok.", f"{zh}结论"),
            )
        ),
        Column(
            "findings",
            "string",
            "JSON list of {check, verdict, score, zh, en, …}: every check that is not ok, with its evidence.",
            "发现（JSON）",
        ),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="hour",
)

# Causes of a methane alarm: code → English, Chinese.
CAUSES: dict[str, tuple[str, str]] = {
    "unclear": ("unclear", "不明确"),
    "calibration": ("calibration", "标校"),
    "sensor_fault": ("sensor fault", "传感器故障"),
    "doors_and_fans": ("door or fan disturbance", "风门或风机扰动"),
    "production": ("production", "割煤生产"),
    "barometer": ("falling barometer", "气压下降"),
    "upstream_source": ("gas from up the air", "上风侧来气"),
    "local_source": ("gas that came out at the place", "本处涌出"),
}

ALARM_CAUSE = Table(
    name="gold.alarm_cause",
    doc="Likely causes of methane alarms, the best supported first. A table of its own: an alarm has several, and must "
    "not wait for what only the minutes after it show.",
    zh="瓦斯报警可能原因",
    key=("alarm_id", "rank"),
    columns=(
        Column("alarm_id", "string", "Alarm.", "报警标识"),
        _MINE,
        Column("rank", "int", "1 is the likeliest; 'unclear' stands there where no cause is supported well.", "排序"),
        _POINT,
        _AREA,
        Column("raised_at", "timestamp", "When the alarm was raised.", "报警时间"),
        Column("cause", "string", f"One of {', '.join(CAUSES)}.", "原因"),
        Column("score", "double", "How well it is supported.", "得分", valid=(0, 1)),
        Column("evidence", "string", "JSON of what supports it.", "证据（JSON）"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="raised_at",
)

ESCAPE_ROUTE = Table(
    name="gold.escape_route",
    doc="The way out of everybody underground, with its reason: every ten minutes, and every minute in which a roadway "
    "is bad or barred (restricted).",
    zh="避灾路线（受限）",
    key=("mine_code", "person_hash", "minute"),
    columns=(
        _MINE,
        Column("person_hash", "string", "Keyed hash of the card; gold holds no card and no name.", "人员卡散列"),
        Column("minute", "timestamp", "Start of the minute; the answer is of its end.", "分钟"),
        _AREA,
        Column("edge_id", "string", "Roadway on which the person is; null where not known.", "巷道"),
        Column("answer", "string", "exit, refuge, none (cut off) or unplaced (not known where).", "结论"),
        Column(
            "air",
            "string",
            "good, least_bad (under the self-rescuer) or ahead_of_smoke (must be hurried); null without a way.",
            "沿途空气",
        ),
        Column(
            "goal_id", "string", "Exit node or refuge chamber; without a way the nearest; null where none.", "目的地"
        ),
        Column("length_m", "double", "Way to the goal.", "路线长度", unit="m"),
        Column("walk_min", "double", "Walking time; null without a way.", "步行时间", unit="min"),
        Column("self_rescuer_min", "double", "Time of it under the self-rescuer.", "佩戴自救器时间", unit="min"),
        Column("self_rescuer_left_min", "double", "What the self-rescuer still has.", "自救器剩余时间", unit="min"),
        Column("roadways", "string", "JSON list of the way's roadways, in order; empty without a way.", "途经巷道"),
        Column(
            "because",
            "string",
            "JSON list of {roadway, zh, en}: what is bad on the shortest way, or lies before the nearest refuge.",
            "原因（JSON）",
        ),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="minute",
)

# Quantiles of a forecast: column → level.
QUANTILES: dict[str, float] = {
    f"q{100 * level:02.0f}_pct": level for level in (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)
}

_MODEL = Column("model", "string", "Registered model that said so.", "模型")
_MODEL_VERSION = Column("model_version", "string", "Its version in the registry.", "模型版本")

METHANE_FORECAST = Table(
    name="gold.methane_forecast",
    doc="Methane ahead, by methane point, minute of issue and horizon: quantiles, the 80 % interval, and the chance of "
    "reaching the point's alarm limit. Advice; it stands beside the limits and never in their place.",
    zh="瓦斯预测",
    key=("mine_code", "point_id", "issued_at", "horizon_min"),
    columns=(
        _MINE,
        Column("point_id", "string", "Methane point.", "测点编码"),
        _AREA,
        Column("issued_at", "timestamp", "When it was issued: readings up to this instant were known.", "预测发布时刻"),
        Column("horizon_min", "int", "How far ahead.", "预测时长", unit="min"),
        Column("target_at", "timestamp", "The instant it speaks of.", "预测目标时刻"),
        Column(
            "base_pct", "double", "Last good value, from which it starts; null where none is fresh.", "起报值", unit="%"
        ),
        *(
            Column(name, "double", f"Quantile {level:.2f} of methane.", f"{level:.0%}分位数", unit="%")
            for name, level in QUANTILES.items()
        ),
        Column(
            "low_pct",
            "double",
            "Lower edge of the interval that is to hold 80 % of the readings.",
            "区间下限",
            unit="%",
        ),
        Column("high_pct", "double", "Upper edge of that interval.", "区间上限", unit="%"),
        Column("limit_pct", "double", "Alarm limit that held at the point.", "报警限值", unit="%"),
        Column(
            "reach_chance",
            "double",
            "Chance that the limit is reached by then; null where it is reached already, and for the longest horizon.",
            "达到限值概率",
            valid=(0, 1),
        ),
        Column("is_warning", "boolean", "The chance is over the model's own warning threshold.", "是否预警"),
        Column(
            "is_out_of_range", "boolean", "An input lies outside what the model was trained on.", "输入是否超训练范围"
        ),
        Column("driver", "string", "What drove it; unclear where nothing stands out.", "主要驱动"),
        Column(
            "driver_min", "double", "Minutes since that began; null where it has no begin.", "驱动持续时间", unit="min"
        ),
        Column("null_reason", "string", "Why there is no forecast.", "空值原因"),
        _MODEL,
        _MODEL_VERSION,
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="issued_at",
)

SEISMIC_HAZARD = Table(
    name="gold.seismic_hazard",
    doc="Chance that a mine's coming shift brings a bump of at least 10 kJ, from the shifts before it.",
    zh="下一班强微震概率",
    key=("mine_code", "shift_start"),
    columns=(
        _MINE,
        Column("shift_start", "timestamp", "Start of the shift it speaks of; issued then.", "班次开始"),
        Column("shift_end", "timestamp", "End of that shift, not included.", "班次结束"),
        Column("chance", "double", "Calibrated probability; null with a reason.", "概率", valid=(0, 1)),
        Column("usual_chance", "double", "Share of shifts with such a bump so far, fading in three weeks.", "平常概率"),
        Column("shifts_known", "int", "Shifts before it that events are known of.", "已知班数"),
        Column("drivers", "string", "JSON list of {feature, moved}: what moved the logit most.", "驱动因素（JSON）"),
        Column("null_reason", "string", "Why there is no forecast.", "空值原因"),
        _MODEL,
        _MODEL_VERSION,
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="shift_start",
)

# What gold.model_health looks for: reason → Chinese, English.
MODEL_FAULTS: dict[str, tuple[str, str]] = {
    "ERROR": ("误差大于不用模型", "its error is larger than that of doing without it"),
    "COVERAGE": ("区间包含率低于承诺", "its interval holds fewer readings than promised"),
    "DRIFT": ("输入超出训练范围", "its inputs lie outside what it was trained on"),
    "MISSING": ("多数时刻无预测", "it could mostly not forecast"),
}

MODEL_HEALTH = Table(
    name="gold.model_health",
    doc="Whether a forecast keeps its promise, by point, horizon and hour, over the day that ends with the hour.",
    zh="模型健康",
    key=("mine_code", "model", "entity", "horizon_min", "hour"),
    columns=(
        _MINE,
        _MODEL,
        Column("entity", "string", "Point that it forecasts.", "对象"),
        Column("horizon_min", "int", "How far ahead.", "预测时长", unit="min"),
        Column("hour", "timestamp", "The hour; the figures are of the day that ends with it.", "小时"),
        _MODEL_VERSION,
        Column("forecasts", "int", "Forecasts whose reading came.", "可验证预测数"),
        Column("mae_pct", "double", "Mean absolute error of the median.", "平均绝对误差", unit="%"),
        Column("persistence_mae_pct", "double", "The same of the last good value.", "持续性误差", unit="%"),
        Column("pinball_pct", "double", "Mean pinball loss of the quantiles.", "分位数损失", unit="%"),
        Column(
            "persistence_pinball_pct",
            "double",
            "The same where all quantiles are the last good value.",
            "持续性损失",
            unit="%",
        ),
        Column("interval_held", "double", "Share of readings inside the 80 % interval.", "区间包含率", valid=(0, 1)),
        Column(
            "out_of_range_share",
            "double",
            "Share issued on inputs outside the training range.",
            "超范围比例",
            valid=(0, 1),
        ),
        Column("missing_share", "double", "Share of minutes without a forecast.", "缺失比例", valid=(0, 1)),
        Column(
            "is_degraded", "boolean", "It does not keep its promise; the console then shows it in doubt.", "是否降级"
        ),
        Column("faults", "string", f"Comma-joined of {', '.join(MODEL_FAULTS)}; '' where in order.", "问题"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="hour",
)

UNSAFE_BEHAVIOUR = Table(
    name="gold.unsafe_behaviour",
    doc="Unsafe behaviours on video, one row per event: who does what where, by which rule, with the evidence.",
    zh="不安全行为",
    key=("event_id",),
    columns=(
        Column("event_id", "string", "Identity: digest of camera, rule, whom it is about, and beginning.", "事件标识"),
        _MINE,
        Column("camera_code", "string", "Camera code, 20 digits.", "摄像机编码"),
        _AREA,
        Column("edge_id", "string", "Roadway edge; null where not known.", "巷道"),
        Column("behaviour", "string", "Rule: no_helmet, person_on_belt …; see the page of behaviours.", "行为"),
        Column("event_type", "string", "Event type V101 … V501.", "事件类型"),
        Column("level", "int", "1 blue, 2 yellow, 3 orange, 4 red.", "风险等级", valid=(1, 4)),
        Column("began_at", "timestamp", "When the condition began to hold.", "开始时间"),
        Column("raised_at", "timestamp", "Capture of the picture that made it certain.", "确认时间"),
        Column("ended_at", "timestamp", "When it held last; null while it goes on.", "结束时间"),
        Column("delay_s", "double", "From its beginning to its report; for a clip, to that picture.", "延迟", unit="s"),
        Column(
            "subject", "string", "Whom it is about: a person's number on this camera, a zone or the camera.", "对象"
        ),
        Column("zone_id", "string", "Zone or line; null where none.", "区域或警戒线"),
        Column("event_confidence", "double", "How sure.", "置信度", valid=(0, 1)),
        Column("people", "int", "People in the picture.", "画面人数", unit="person"),
        Column("boxes", "string", "JSON list of {class, x, y, w, h} in shares of the picture.", "目标框（JSON）"),
        Column(
            "assumed_running", "string", "Machines taken to run, their state unknown; '' where none.", "按运行计的设备"
        ),
        Column("snapshot_uri", "string", "Key frame with boxes, heads blurred; null where none is kept.", "图片"),
        Column("clip_uri", "string", "Clip from before to after, heads blurred; null where none is kept.", "录像"),
        Column("clip_id", "string", "Clip in bronze.video_clip; 'live' where a stream was watched.", "录像标识"),
        _ZH,
        _EN,
        Column("model_version", "string", "Weights that saw it: name and digest.", "模型版本"),
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="began_at",
)

# What gold.camera_health says of an hour: verdict → English, Chinese.
CAMERA_VERDICTS: dict[str, tuple[str, str]] = {
    "fault": ("its picture could not be used for a tenth of the time or more", "画面不可用时间达一成以上"),
    "watch": ("its picture could not be used for some time", "画面一度不可用"),
    "unwatched": ("nothing of it was looked at", "未分析"),
    "ok": ("in order", "正常"),
}

CAMERA_HEALTH = Table(
    name="gold.camera_health",
    doc="Whether a camera could be relied on, by camera and hour in which any camera of the mine was looked at.",
    zh="摄像机健康",
    key=("mine_code", "camera_code", "hour"),
    columns=(
        _MINE,
        Column("camera_code", "string", "Camera code, 20 digits.", "摄像机编码"),
        Column("hour", "timestamp", "Start of the hour.", "小时"),
        _AREA,
        Column("verdict", "string", f"One of {', '.join(CAMERA_VERDICTS)}.", "结论"),
        Column("minutes_watched", "int", "Minutes of which pictures were judged.", "分析分钟数"),
        Column("minutes_bad", "int", "Minutes in which the picture could not be used.", "画面不可用分钟数"),
        Column("faults", "string", "JSON list of {code, zh, en, minutes}, the longest first.", "问题（JSON）"),
        Column(
            "delay_s", "double", "Longest 95th percentile of the delay of a minute; null for clips.", "延迟", unit="s"
        ),
        Column("dropped", "int", "Pictures left out because newer ones were there.", "丢弃画面数"),
        _ZH,
        _EN,
        _REVISION,
        _COMPUTED,
        day_column(),
    ),
    time="hour",
)
