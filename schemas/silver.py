"""Silver: one row per key, in UTC, with unit, quality and place."""

from minefusion.schemas.table import Column, Table, day_column

_MINE = Column("mine_code", "string", "Mine.", "煤矿编码")
_AREA = Column("area_id", "string", "Area; 'unplaced' where the place is not resolved.", "区域编码")
_EDGE = Column("edge_id", "string", "Roadway edge; null where not resolved.", "巷道")
_CHAINAGE = Column("chainage_m", "double", "Distance from the edge's first node.", "里程", unit="m")
_FILE = Column("file_id", "string", "File the row comes from.", "文件标识")
_SENT = Column("sent_at", "timestamp", "Upload time of that file.", "上传时间")
_POSITION = Column("position", "int", "Place of the record in that file.", "文件内序号")
_RECEIVED = Column("received_at", "timestamp", "When the file reached us.", "接收时间")
_QUALITY = (
    Column("quality", "string", "GOOD, SUSPECT or BAD.", "质量"),
    Column("quality_reasons", "string", "Comma-joined reasons, '' when GOOD.", "质量原因"),
)
_COORDINATES = (
    Column("x", "double", "Grid x.", "X坐标", unit="m"),
    Column("y", "double", "Grid y.", "Y坐标", unit="m"),
    Column("z", "double", "Grid z.", "Z坐标", unit="m"),
)
_PLACE_METHOD = Column("place_method", "string", "site, coordinates, text or unresolved.", "定位方法")

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
        Column("feed", "string", "Table that holds its values.", "数据所在表"),
        Column("told_by", "string", "File kind that tells of it, of a feed family's point; null else.", "来源文件类型"),
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
    doc="What the mine's own systems report: abnormalities of points, equipment and slopes, and personnel alarms.",
    zh="上报异常",
    key=("mine_code", "kind", "entity_id", "abnormal_type", "began_at"),
    columns=(
        _MINE,
        Column(
            "kind",
            "string",
            "Kind of file: YCBJ, RYCS, RYCY, RYXZ, RYQJ, those of the feed families (ZKYC, TFJK_YC …), gnssalarm, "
            "and clearalarm, which ends the gnssalarm of the same entity and begin.",
            "类型",
        ),
        Column("entity_id", "string", "Point, card, area or mine it is about (restricted).", "对象"),
        Column("abnormal_type", "string", "Code of the type as sent, 001 … 010 of YCBJ; '' where none.", "异常类型"),
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
        Column("description", "string", "Description as entered.", "描述"),
        Column("sent_level", "string", "Level or state of handling as sent.", "上报等级"),
        Column("handled_at", "timestamp", "When it was dealt with.", "处置时间"),
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


def _family(name: str, doc: str, zh: str, *more: Column) -> Table:
    """A long table of one feed family: one value per point, quantity and instant, `more` columns behind the point's."""
    return Table(
        name=name,
        doc=doc,
        zh=zh,
        key=("mine_code", "point_id", "quantity", "observed_at"),
        columns=(
            _MINE,
            Column("point_id", "string", "Point or device code.", "测点编码"),
            Column("quantity", "string", "Quantity, as in the sensor-type table.", "测量量"),
            Column("observed_at", "timestamp", "Instant of measurement.", "测量时间"),
            Column("value", "double", "Value in `unit`. Null: none came.", "数值"),
            Column("unit", "string", "Unit of the quantity.", "单位"),
            *_QUALITY,
            _AREA,
            _EDGE,
            *more,
            _RECEIVED,
            _SENT,
            _FILE,
            _POSITION,
            day_column(),
        ),
        time="observed_at",
    )


WATER_READING = _family(
    "silver.water_reading", "Hydrology: levels, flows, rain, temperature of the water-hazard files.", "水害防治读数"
)
SLOPE_READING = _family("silver.slope_reading", "Open-pit slope: displacements, speeds, cracks, rain.", "边坡读数")
TAILINGS_READING = _family(
    "silver.tailings_reading", "Tailings pond: beach, pond level, phreatic line, displacement, rain.", "尾矿库读数"
)
SUPPORT_PRESSURE = _family(
    "silver.support_pressure",
    "Ground pressure: support resistance, stress, bolt and cable load, roof separation, convergence.",
    "矿压读数",
)
EQUIPMENT_STATE = _family(
    "silver.equipment_state",
    "Key equipment: running state, electrical, thermal and vibration values of each machine's points.",
    "重要设备状态",
    Column("equipment_id", "string", "Device code of the machine.", "设备编码"),
    Column(
        "equipment_kind",
        "string",
        "main_fan, main_drainage, shaft_hoist, incline_hoist, compressor, winch or other.",
        "设备种类",
    ),
    Column("part", "string", "Part of the machine: bearing, phase …; '' where it is the whole.", "部位"),
)

SEISMIC_EVENT = Table(
    name="silver.seismic_event",
    doc="One row per microseismic or acoustic event.",
    zh="微震与地音事件",
    key=("mine_code", "event_id"),
    columns=(
        _MINE,
        Column("event_id", "string", "Event number of the sending system.", "事件编号"),
        Column("observed_at", "timestamp", "Instant of the event.", "事件时刻"),
        Column("event_kind", "string", "microseismic or acoustic.", "事件种类"),
        Column("location", "string", "Location text.", "位置"),
        *_COORDINATES,
        Column("energy_j", "double", "Energy; null where none was sent.", "能量", unit="J"),
        Column("magnitude", "double", "Magnitude; null where none was sent.", "震级"),
        Column("moment_nm", "double", "Seismic moment [N·m]; null where none was sent.", "地震矩"),
        Column("station_count", "int", "Stations that triggered.", "触发台站数"),
        Column("location_error_m", "double", "Error of the location.", "定位误差", unit="m"),
        Column("peak_velocity_m_s", "double", "Largest amplitude.", "最大振幅", unit="m/s"),
        Column("is_blast", "boolean", "Told to be a blast; null where not told.", "是否爆破"),
        *_QUALITY,
        _AREA,
        _EDGE,
        _RECEIVED,
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="observed_at",
)

FIELD_RECORD = Table(
    name="silver.field_record",
    doc="Manual measurements: drill cuttings, blasts, water chemistry, chromatograph samples and the like.",
    zh="人工测量记录",
    key=("mine_code", "kind", "record_id", "quantity"),
    columns=(
        _MINE,
        Column("record_id", "string", "Identity of the measurement in its kind.", "记录编号"),
        Column("kind", "string", "What was done: drill_cuttings, blast, water_chemistry, gas_sample …", "记录种类"),
        Column("quantity", "string", "Quantity.", "测量量"),
        Column("measured_at", "timestamp", "When it was measured or sampled.", "测量时间"),
        Column("value", "double", "Value in `unit`; null where it is words only.", "数值"),
        Column("unit", "string", "Unit.", "单位"),
        Column("words", "string", "Value in words, where it is no number.", "文字结果"),
        Column("sample_id", "string", "Hole, sample or shot.", "孔号或样号"),
        Column("depth_m", "double", "Depth in the hole.", "孔深", unit="m"),
        Column("place", "string", "Location text.", "地点"),
        *_QUALITY,
        _AREA,
        _EDGE,
        _RECEIVED,
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="measured_at",
)

VEHICLE_POSITION = Table(
    name="silver.vehicle_position",
    doc="Where vehicles (and people on foot with a terminal) were (restricted).",
    zh="车辆位置（受限）",
    key=("mine_code", "carrier_code", "observed_at"),
    columns=(
        _MINE,
        Column("carrier_code", "string", "Vehicle, else terminal, else card.", "载体编码"),
        Column("observed_at", "timestamp", "Instant of the position.", "时间"),
        Column("vehicle_code", "string", "Vehicle; null for a person on foot.", "车辆编码"),
        Column("terminal_code", "string", "Terminal.", "终端编码"),
        Column("card_code", "string", "Card code.", "人员卡编码"),
        Column("longitude_deg", "double", "Longitude [deg].", "经度"),
        Column("latitude_deg", "double", "Latitude [deg].", "纬度"),
        Column("altitude_m", "double", "Altitude.", "高程", unit="m"),
        Column("terminal_state", "int", "1 normal; 2 … 6 as in the dictionary of vehicle terminals.", "终端状态"),
        Column("is_online", "boolean", "The person's terminal is on line.", "是否在线"),
        *_QUALITY,
        _AREA,
        _RECEIVED,
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="observed_at",
)

VEHICLE = Table(
    name="silver.vehicle",
    doc="One row per vehicle terminal.",
    zh="车辆",
    key=("mine_code", "terminal_code"),
    columns=(
        _MINE,
        Column("terminal_code", "string", "Terminal.", "终端编码"),
        Column("vehicle_code", "string", "Vehicle.", "车辆编码"),
        Column("is_own", "boolean", "Belongs to the mine.", "是否本矿车辆"),
        Column("purpose", "string", "What it is used for.", "用途"),
        Column("description", "string", "Description as entered.", "描述"),
        _SENT,
        _FILE,
    ),
)

EQUIPMENT = Table(
    name="silver.equipment",
    doc="One row per device: what it is, where, and what its safety mark, last test and the ban list say.",
    zh="重要设备",
    key=("mine_code", "equipment_id"),
    columns=(
        _MINE,
        Column("equipment_id", "string", "Device code.", "设备编码"),
        Column("name", "string", "Name.", "设备名称"),
        Column("model", "string", "Model.", "规格型号"),
        Column("category", "string", "Category as entered.", "设备类别"),
        Column("equipment_kind", "string", "As in silver.equipment_state.", "设备种类"),
        Column("location", "string", "Location text.", "安装位置"),
        _AREA,
        _EDGE,
        _PLACE_METHOD,
        Column("manufacturer", "string", "Maker.", "生产厂家"),
        Column("factory_code", "string", "Factory number; joins safety mark and tests.", "出厂编号"),
        Column("safety_mark_code", "string", "Safety-mark number.", "安标编号"),
        Column("rated_voltage_v", "double", "Rated voltage.", "额定电压", unit="V"),
        Column("rated_current_a", "double", "Rated current.", "额定电流", unit="A"),
        Column("rated_power_kw", "double", "Rated power.", "额定功率", unit="kW"),
        Column("mark_state", "int", "Safety mark: 1 valid, 2 suspended, 3 cancelled, 4 revoked.", "安标状态"),
        Column("mark_valid_until", "timestamp", "End of the safety mark, not included.", "安标有效期"),
        Column("test_result", "int", "Last test: 0 passed, 1 failed.", "检验结果"),
        Column("test_valid_until", "timestamp", "End of the last test's validity, not included.", "检验有效期"),
        Column("banned_from", "timestamp", "From when its model may not be used; null where not banned.", "禁用起始"),
        Column("ban_reason", "string", "Why its model is banned.", "淘汰原因"),
        _SENT,
        _FILE,
    ),
)

CAMERA = Table(
    name="silver.camera",
    doc="One row per camera: what it looks at, where, and whether it is on line.",
    zh="摄像机台账",
    key=("mine_code", "camera_code"),
    columns=(
        _MINE,
        Column("camera_code", "string", "Camera code, 20 digits.", "摄像机编码"),
        Column("name", "string", "Name.", "摄像机名称"),
        Column("location", "string", "Location text.", "安装位置"),
        *_COORDINATES,
        _AREA,
        _EDGE,
        _CHAINAGE,
        _PLACE_METHOD,
        Column("station_code", "string", "Base station of the positioning system beside it.", "基站编码"),
        Column("position_type", "string", "Type of place as sent.", "位置类型"),
        Column("scene_type", "string", "Kind of scene.", "场景类型"),
        Column("monitored_content", "string", "What it looks at.", "监控内容"),
        Column("is_underground", "boolean", "Stands underground.", "是否井下"),
        Column("is_explosion_proof", "boolean", "Explosion-proof.", "是否防爆"),
        Column("width_px", "int", "Width of the picture [pixels].", "宽度（像素）"),
        Column("height_px", "int", "Height of the picture [pixels].", "高度（像素）"),
        Column("fps", "double", "Frames per second.", "帧率"),
        Column("codec", "string", "Codec.", "编码格式"),
        Column("algorithms", "string", "Event types that are looked for, joined by &.", "算法列表"),
        Column("is_online", "boolean", "On line when last told; null: never told.", "是否在线"),
        Column("online_told_at", "timestamp", "When that was told.", "在线状态时间"),
        Column("is_defined", "boolean", "A registry told it; else only its events were seen.", "是否有定义"),
        _SENT,
        _FILE,
    ),
)

VIDEO_EVENT = Table(
    name="silver.video_event",
    doc="What video analysis reports, one row per event.",
    zh="智能分析事件",
    key=("mine_code", "event_id"),
    columns=(
        _MINE,
        Column("event_id", "string", "Identity of the event.", "事件编号"),
        Column("camera_code", "string", "Camera code, 20 digits.", "摄像机编码"),
        Column("event_type", "string", "Event type V101 … V902.", "事件类型"),
        Column("began_at", "timestamp", "First frame.", "开始时间"),
        Column("ended_at", "timestamp", "End; null while open or where none is sent.", "结束时间"),
        Column("reported_at", "timestamp", "When the sender reported it.", "上报时间"),
        Column("analysis_type", "string", "Analysis type as sent.", "分析类型"),
        Column("analysis_case", "string", "Case as sent.", "分析情形"),
        Column("object_count", "int", "Objects or persons counted.", "目标数"),
        Column("direction", "string", "in or out, where people pass.", "方向"),
        Column("event_confidence", "double", "Confidence 0 … 1.", "置信度", valid=(0, 1)),
        Column("boxes", "string", "JSON list of {class, x, y, w, h} in shares of the picture.", "目标框（JSON）"),
        Column("level", "int", "As reported: 1 red … 4 blue.", "等级"),
        Column("snapshot_uri", "string", "Picture.", "图片"),
        Column("clip_uri", "string", "Clip.", "录像"),
        Column("model_version", "string", "Version of the model that found it.", "模型版本"),
        Column("state", "int", "0 new, 1 confirmed, 2 false alarm, 3 closed.", "处置状态"),
        Column("remark", "string", "Remark as entered.", "处置意见"),
        *_QUALITY,
        _AREA,
        _EDGE,
        _RECEIVED,
        _SENT,
        _FILE,
        _POSITION,
        day_column(),
    ),
    time="began_at",
)

_CLIP = Column("clip_id", "string", "Clip in bronze.video_clip; 'live' where a stream was watched.", "录像标识")
_CAMERA = Column("camera_code", "string", "Camera code, 20 digits.", "摄像机编码")
_MODEL_VERSION = Column("model_version", "string", "Weights that found it: name and digest.", "模型版本")
_TRACK = Column("track", "int", "Number of the followed person in this clip; null: not followed.", "轨迹编号")

DETECTION = Table(
    name="silver.detection",
    doc="What the detector saw, one row per box: people and what they wear. Places are shares of the picture.",
    zh="视频检测框",
    key=("mine_code", "camera_code", "observed_at", "clip_id", "number"),
    columns=(
        _MINE,
        _CAMERA,
        Column("observed_at", "timestamp", "Capture of the picture.", "画面时刻"),
        _CLIP,
        Column("number", "int", "Place among the boxes of the picture, the surest first.", "框序号"),
        Column("label", "string", "person, helmet, bare_head, vest, no_vest ….", "类别"),
        Column("detector_confidence", "double", "How sure the detector is.", "置信度", valid=(0, 1)),
        Column("box_left", "double", "Left edge, share of the picture's width.", "左", valid=(0, 1)),
        Column("box_top", "double", "Upper edge, share of its height.", "上", valid=(0, 1)),
        Column("box_right", "double", "Right edge, share of its width.", "右", valid=(0, 1)),
        Column("box_bottom", "double", "Lower edge, share of its height.", "下", valid=(0, 1)),
        _TRACK,
        _AREA,
        _MODEL_VERSION,
        day_column(),
    ),
    time="observed_at",
)

TRACK = Table(
    name="silver.track",
    doc="One row per person followed through a clip: when, where in the picture, and what they wore.",
    zh="视频轨迹",
    key=("mine_code", "camera_code", "clip_id", "track"),
    columns=(
        _MINE,
        _CAMERA,
        _CLIP,
        Column("track", "int", "Number of the person in this clip.", "轨迹编号"),
        Column("began_at", "timestamp", "First picture.", "开始时间"),
        Column("ended_at", "timestamp", "Last picture.", "结束时间"),
        Column("pictures", "int", "Pictures in which the person was seen.", "画面数"),
        Column("detector_confidence", "double", "Mean confidence.", "置信度", valid=(0, 1)),
        Column("wearing", "string", "JSON: label → share of the pictures in which it was seen.", "穿戴（JSON）"),
        Column(
            "path", "string", "JSON list of [seconds from began_at, x, y] of the feet, one a second.", "路径（JSON）"
        ),
        _AREA,
        _MODEL_VERSION,
        day_column(),
    ),
    time="began_at",
)

CAMERA_MINUTE = Table(
    name="silver.camera_minute",
    doc="Whether a camera was watched, minute by minute, by whom, and whether its picture could be used.",
    zh="摄像机分析分钟：覆盖与画面质量",
    key=("mine_code", "camera_code", "minute", "clip_id"),
    columns=(
        _MINE,
        _CAMERA,
        Column("minute", "timestamp", "Start of the minute.", "分钟"),
        _CLIP,
        Column("pictures", "int", "Pictures that were judged.", "分析画面数"),
        Column("dropped", "int", "Pictures left out because newer ones were there.", "丢弃画面数"),
        Column("people_max", "int", "Most people in one picture.", "最多人数", unit="person"),
        Column("delay_s", "double", "95th percentile from capture to judgement; null for clips.", "分析延迟", unit="s"),
        Column(
            "faults", "string", "JSON list of {code, zh, en} of what was wrong with the picture.", "画面问题（JSON）"
        ),
        _AREA,
        _MODEL_VERSION,
        day_column(),
    ),
    time="minute",
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
