"""Silver: one row per key, in UTC, with unit, quality and place."""

from minefusion.schemas.table import Column, Table, day_column

_MINE = Column("mine_code", "string", "Mine.", "煤矿编码")
_AREA = Column("area_id", "string", "Area; 'unplaced' where the place is not resolved.", "区域编码")
_EDGE = Column("edge_id", "string", "Roadway edge; null where not resolved.", "巷道")
_CHAINAGE = Column("chainage_m", "double", "Distance from the edge's first node.", "里程", unit="m")
_FILE = Column("file_id", "string", "File the row comes from.", "文件标识")
_SENT = Column("sent_at", "timestamp", "Upload time of that file.", "上传时间")
_POSITION = Column("position", "int", "Place of the record in that file.", "文件内序号")

POINT = Table(
    name="silver.point",
    doc="One row per measuring point: what it measures, where it is, and the limits that hold for it.",
    zh="测点：量、位置与限值",
    key=("mine_code", "point_id"),
    columns=(
        _MINE,
        Column("point_id", "string", "Point code of the monitoring system.", "测点编码"),
        Column("sensor_type", "string", "Sensor-type code.", "传感器类型编码"),
        Column("quantity", "string", "Quantity of that type.", "测量量"),
        Column("unit", "string", "Unit of the values in silver.", "单位"),
        Column("sent_unit", "string", "Unit that the sender declares.", "上报单位"),
        Column(
            "unit_factor",
            "double",
            "Sent value × factor = value in `unit`; null where the units do not fit.",
            "单位换算系数",
        ),
        Column("value_kind", "string", "MN analog, KG switch, LJ cumulative, DT multi-state.", "数值类型"),
        Column("location", "string", "Location text.", "安装位置"),
        Column("x", "double", "Grid x.", "X坐标", unit="m"),
        Column("y", "double", "Grid y.", "Y坐标", unit="m"),
        Column("z", "double", "Grid z.", "Z坐标", unit="m"),
        _AREA,
        _EDGE,
        _CHAINAGE,
        Column("place_method", "string", "site, coordinates, text or unresolved.", "定位方法"),
        Column("gas_class", "string", "Methane location code of the limits table.", "瓦斯限值位置"),
        Column("air_class", "string", "Air-velocity location code of the limits table.", "风速限值位置"),
        Column("section_m2", "double", "Cross-section of the edge.", "断面积", unit="m2"),
        Column("range_low", "double", "Low end of the instrument's range.", "量程下限"),
        Column("range_high", "double", "High end of the instrument's range.", "量程上限"),
        Column("alarm", "double", "Alarm limit that holds: the stricter of law and mine.", "报警值"),
        Column("cut", "double", "Power-cut limit that holds; null where none.", "断电值"),
        Column("restore", "double", "An episode ends under this value.", "复电值"),
        Column("low_alarm", "double", "Lower alarm limit; null where none.", "下限报警值"),
        Column("limit_rule", "string", "Rows of the limits table used, or 'mine'.", "限值规则"),
        Column("limit_source", "string", "Where the limit comes from.", "限值来源"),
        Column("limit_confidence", "string", "confirmed, inferred, convention or mine.", "限值可信度"),
        Column("limit_note", "string", "LIMIT_LOOSER_THAN_LAW where the mine's own setting is looser.", "限值说明"),
        Column("mine_alarm", "double", "The mine's own alarm setting.", "矿方报警值"),
        Column("mine_cut", "double", "The mine's own power-cut setting.", "矿方断电值"),
        Column("mine_restore", "double", "The mine's own restore setting.", "矿方复电值"),
        Column("mine_low_alarm", "double", "The mine's own lower alarm setting.", "矿方下限报警值"),
        Column(
            "is_inverted", "boolean", "The sender's 1 is the standard's 0; values are turned in silver.", "是否反相"
        ),
        Column("on_desc", "string", "What 1 means.", "开描述"),
        Column("off_desc", "string", "What 0 means.", "停描述"),
        Column("relations", "string", "Relation field as it came.", "关联关系"),
        Column("period_s", "double", "Nominal time between samples.", "采样周期", unit="s"),
        Column("is_defined", "boolean", "A definition file named it; else only its values were seen.", "是否有定义"),
        _SENT,
        _FILE,
    ),
)

SUBSTATION = Table(
    name="silver.substation",
    doc="One row per substation of the monitoring system.",
    zh="监控分站",
    key=("mine_code", "substation_code"),
    columns=(
        _MINE,
        Column("substation_code", "string", "Substation code.", "分站编码"),
        Column("location", "string", "Location text.", "安装位置"),
        Column("x", "double", "Grid x.", "X坐标", unit="m"),
        Column("y", "double", "Grid y.", "Y坐标", unit="m"),
        Column("z", "double", "Grid z.", "Z坐标", unit="m"),
        _AREA,
        _EDGE,
        _CHAINAGE,
        _SENT,
        _FILE,
    ),
)

STATION_STATE = Table(
    name="silver.station_state",
    doc="Run and supply state of substations and base stations.",
    zh="分站与基站状态",
    key=("mine_code", "station_code", "observed_at"),
    columns=(
        _MINE,
        Column("station_code", "string", "Station code.", "站编码"),
        Column("observed_at", "timestamp", "Instant of the state.", "时间"),
        Column("station_kind", "string", "substation or base_station.", "站类型"),
        Column("run_state", "int", "0 normal, 1 interrupted, 2 fault, 9 unknown.", "运行状态"),
        Column("power_state", "int", "0 DC, 1 AC, 2 supply fault, 9 unknown.", "供电状态"),
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="observed_at",
)

READING = Table(
    name="silver.reading",
    doc="One value per point and instant, with its quality. Several files may hold it: the one sent last counts.",
    zh="测点读数",
    key=("mine_code", "point_id", "observed_at"),
    columns=(
        _MINE,
        Column("point_id", "string", "Point code.", "测点编码"),
        Column("observed_at", "timestamp", "Instant of measurement.", "测量时间"),
        Column("sensor_type", "string", "Sensor-type code.", "传感器类型编码"),
        Column("quantity", "string", "Quantity.", "测量量"),
        Column(
            "value", "double", "Value in `unit`; over range: at least the end of the range. Null: none came.", "数值"
        ),
        Column("unit", "string", "Unit.", "单位"),
        Column("quality", "string", "GOOD, SUSPECT or BAD.", "质量"),
        Column("quality_reasons", "string", "Comma-joined reasons, '' when GOOD.", "质量原因"),
        Column(
            "status_flags",
            "int",
            "Status bits as sent; -1 where they could not be read; null where none are sent.",
            "状态位",
        ),
        _AREA,
        Column("received_at", "timestamp", "When the file reached us.", "接收时间"),
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="observed_at",
)

READING_5MIN = Table(
    name="silver.reading_5min",
    doc="Five-minute extremes and mean per analog point, recomputed from the readings, beside what the mine reported.",
    zh="五分钟统计：重算值与上报值",
    key=("mine_code", "point_id", "window_start"),
    columns=(
        _MINE,
        Column("point_id", "string", "Point code.", "测点编码"),
        Column("window_start", "timestamp", "Start of the window, included.", "窗口开始"),
        Column("window_end", "timestamp", "End of the window, not included.", "窗口结束"),
        _AREA,
        Column("quantity", "string", "Quantity.", "测量量"),
        Column("unit", "string", "Unit.", "单位"),
        Column("value_max", "double", "Highest usable reading.", "最大值"),
        Column("value_min", "double", "Lowest usable reading.", "最小值"),
        Column("value_mean", "double", "Mean of the usable readings.", "平均值"),
        Column("readings", "int", "Usable readings.", "有效读数"),
        Column("reported_max", "double", "Reported maximum.", "上报最大值"),
        Column("reported_min", "double", "Reported minimum.", "上报最小值"),
        Column("reported_mean", "double", "Reported mean.", "上报平均值"),
        Column(
            "finding",
            "string",
            "OUTSIDE_REPORTED where a recomputed extreme lies outside the reported ones, else null.",
            "核对结果",
        ),
        _SENT,
        _FILE,
        day_column(),
    ),
    time="window_start",
)

REPORTED_ABNORMALITY = Table(
    name="silver.reported_abnormality",
    doc="What the mine's own systems report: abnormalities (YCBJ) and personnel alarms (RYCS, RYCY, RYXZ, RYQJ).",
    zh="上报异常",
    key=("mine_code", "kind", "entity_id", "abnormal_type", "began_at"),
    columns=(
        _MINE,
        Column("kind", "string", "YCBJ, RYCS, RYCY, RYXZ or RYQJ.", "类型"),
        Column("entity_id", "string", "Point, card or area it is about (restricted).", "对象"),
        Column("abnormal_type", "string", "Code 001 … 010 of YCBJ, '' for the others.", "异常类型"),
        Column("began_at", "timestamp", "Start.", "开始时间"),
        Column("ended_at", "timestamp", "End; null while open.", "结束时间"),
        _AREA,
        Column("point_id", "string", "Point, where it is about one.", "测点编码"),
        Column("max_value", "double", "Highest value.", "最大值"),
        Column("max_at", "timestamp", "When it was highest.", "最大值时刻"),
        Column("min_value", "double", "Lowest value.", "最小值"),
        Column("mean_value", "double", "Mean value.", "平均值"),
        Column("unit", "string", "Unit.", "单位"),
        Column("count", "int", "Persons present (RYCY).", "人数"),
        Column("cause", "string", "Cause as entered.", "异常原因"),
        Column("measure", "string", "Measure as entered.", "处理措施"),
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="began_at",
)

PERSON = Table(
    name="silver.person",
    doc="One row per card (restricted: gold holds no card and no name).",
    zh="人员（受限）",
    key=("mine_code", "card_code"),
    columns=(
        _MINE,
        Column("card_code", "string", "Card code.", "人员卡编码"),
        Column("name", "string", "Name.", "姓名"),
        Column("work_type", "string", "Trade.", "工种"),
        Column("duty", "string", "Duty.", "职务"),
        Column("department", "string", "Team or department.", "部门"),
        Column("is_leader", "boolean", "Mine leader.", "是否矿领导"),
        Column("is_special_worker", "boolean", "Special worker.", "是否特种人员"),
        Column("is_defined", "boolean", "A definition file named the card.", "是否有定义"),
        _SENT,
        _FILE,
    ),
)

AREA = Table(
    name="silver.area",
    doc="One row per area: the site file's and the positioning system's view joined.",
    zh="区域",
    key=("mine_code", "area_id"),
    columns=(
        _MINE,
        _AREA,
        Column("name_zh", "string", "Name in Chinese.", "区域名称"),
        Column("name_en", "string", "Name in English, else the Chinese one.", "区域英文名"),
        Column("kind", "string", "Kind of area, as in the site file.", "区域种类"),
        Column("area_type", "string", "Type as the positioning system sends it.", "区域类型"),
        Column(
            "cap", "int", "Head-count cap that holds: the stricter one; null where none.", "核定人数", unit="person"
        ),
        Column("cap_source", "string", "Where the cap comes from.", "定员来源"),
        Column("cap_confidence", "string", "confirmed, inferred, convention or mine.", "定员可信度"),
        Column("is_restricted", "boolean", "Restricted area.", "是否限制区域"),
        Column("is_muster", "boolean", "Registered muster point.", "是否集合点"),
        Column("needs_two_people", "boolean", "Nobody may work there alone.", "是否双人作业"),
        _SENT,
        _FILE,
    ),
)

STATION = Table(
    name="silver.station",
    doc="One row per base station of the positioning system.",
    zh="定位基站",
    key=("mine_code", "station_code"),
    columns=(
        _MINE,
        Column("station_code", "string", "Station code.", "基站编码"),
        Column("name", "string", "Name.", "基站名称"),
        Column("x", "double", "Grid x.", "X坐标", unit="m"),
        Column("y", "double", "Grid y.", "Y坐标", unit="m"),
        Column("z", "double", "Grid z.", "Z坐标", unit="m"),
        _AREA,
        _EDGE,
        _CHAINAGE,
        Column("edge_length_m", "double", "Length of that edge.", "巷道长度", unit="m"),
        Column("place_method", "string", "site, coordinates, code or unresolved.", "定位方法"),
        _SENT,
        _FILE,
    ),
)

POSITION = Table(
    name="silver.position",
    doc="Where each card was at each snapshot (restricted).",
    zh="人员位置（受限）",
    key=("mine_code", "card_code", "observed_at"),
    columns=(
        _MINE,
        Column("card_code", "string", "Card code.", "人员卡编码"),
        Column("observed_at", "timestamp", "Time of the snapshot.", "快照时间"),
        Column("in_out_flag", "int", "1 underground, 2 has left, 0 at the pit mouth.", "出入井标志"),
        _AREA,
        Column("station_code", "string", "Base station.", "基站编码"),
        _EDGE,
        _CHAINAGE,
        Column("station_distance_m", "double", "Signed distance from the station.", "距基站距离", unit="m"),
        Column("entered_mine_at", "timestamp", "When the person went underground.", "入井时刻"),
        Column("entered_area_at", "timestamp", "When the person came into the area.", "进入区域时刻"),
        Column("entered_station_at", "timestamp", "When the station first saw the card there.", "进入基站时刻"),
        Column("is_calling", "boolean", "Distress call.", "是否求救"),
        Column("is_leader", "boolean", "Mine leader.", "是否矿领导"),
        Column("quality", "string", "GOOD, SUSPECT or BAD.", "质量"),
        Column("quality_reasons", "string", "Comma-joined reasons.", "质量原因"),
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="observed_at",
)

HEADCOUNT = Table(
    name="silver.headcount",
    doc="Distinct cards underground per area and snapshot; the mine's own row has area_id = mine_code.",
    zh="区域人数",
    key=("mine_code", "area_id", "observed_at"),
    columns=(
        _MINE,
        _AREA,
        Column("observed_at", "timestamp", "Time of the snapshot.", "快照时间"),
        Column("people_count", "int", "Distinct cards with flag 1.", "人数", unit="person"),
        Column("leaders_count", "int", "Mine leaders among them.", "矿领导人数", unit="person"),
        day_column(),
    ),
    time="observed_at",
)

DEFINITION = Table(
    name="silver.definition",
    doc="What definition files say about a point, station or area, one row each time it says something new.",
    zh="定义变更：测点、基站、区域的定义及其生效时间",
    key=("mine_code", "thing", "code", "valid_from"),
    columns=(
        _MINE,
        Column("thing", "string", "point, station or area.", "对象种类"),
        Column("code", "string", "Its code.", "编码"),
        Column("valid_from", "timestamp", "Upload time of the file that said it.", "生效时间"),
        Column("facts", "string", "JSON of the fields as told.", "内容（JSON）"),
        _FILE,
        _POSITION,
    ),
)

REWORKED = Table(
    name="silver.reworked",
    doc="Spans of silver that were worked out anew because a definition changed; gold follows from here.",
    zh="重算记录：因定义变更而重算的时段",
    key=("mine_code", "batch", "span_start"),
    columns=(
        _MINE,
        Column("batch", "long", "Ingest batch up to which silver had come.", "批次号"),
        Column("span_start", "timestamp", "Start of the span, included.", "开始"),
        Column("span_end", "timestamp", "End of the span, not included.", "结束"),
        day_column(),
    ),
    time="span_start",
)
