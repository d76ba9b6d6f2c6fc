"""Reference tables: what the site file and the specification say."""

from minefusion.schemas.table import Column, Table

_MINE = Column("mine_code", "string", "Mine.", "煤矿编码")

ROADWAY_NODE = Table(
    name="reference.roadway_node",
    doc="Nodes of the roadway graph.",
    zh="巷道节点",
    key=("mine_code", "node_id"),
    columns=(
        _MINE,
        Column("node_id", "string", "Node.", "节点"),
        Column("x", "double", "Grid x.", "X坐标", unit="m"),
        Column("y", "double", "Grid y.", "Y坐标", unit="m"),
        Column("z", "double", "Grid z.", "Z坐标", unit="m"),
    ),
)

ROADWAY_EDGE = Table(
    name="reference.roadway_edge",
    doc="Roadways: edges of the graph, air flows from the first node to the second.",
    zh="巷道",
    key=("mine_code", "edge_id"),
    columns=(
        _MINE,
        Column("edge_id", "string", "Edge.", "巷道"),
        Column("from_node", "string", "First node.", "起点"),
        Column("to_node", "string", "Second node.", "终点"),
        Column("area_id", "string", "Area.", "区域编码"),
        Column("air_class", "string", "Air-velocity location code.", "风速限值位置"),
        Column("gas_class", "string", "Methane location code.", "瓦斯限值位置"),
        Column("length_m", "double", "Length.", "长度", unit="m"),
        Column("section_m2", "double", "Cross-section.", "断面积", unit="m2"),
        Column("is_walkable", "boolean", "People may walk there.", "可通行"),
        Column("has_conveyor", "boolean", "A conveyor runs there.", "有带式输送机"),
    ),
)

LIMIT = Table(
    name="reference.limit",
    doc="Limits as rows, each with its source and confidence.",
    zh="限值",
    key=("rule_id",),
    columns=(
        Column("rule_id", "string", "Rule.", "规则"),
        Column("location_code", "string", "Place it holds for.", "位置编码"),
        Column("location_zh", "string", "Place in Chinese.", "位置（中文）"),
        Column("location_en", "string", "Place in English.", "位置（英文）"),
        Column("quantity", "string", "Quantity.", "测量量"),
        Column("unit", "string", "Unit.", "单位"),
        Column("comparison", "string", "How a value stands to the limit when it is reached: >=, > or <.", "比较方式"),
        Column("alarm", "double", "Alarm value; null where the mine or area has its own.", "报警值"),
        Column("power_off", "double", "Power-cut value; null where nothing is cut.", "断电值"),
        Column("restore", "double", "Power may come back under it.", "复电值"),
        Column("direction", "string", "Dangerous side: high or low.", "方向"),
        Column("scope_zh", "string", "What is cut or done, in Chinese.", "断电范围或措施（中文）"),
        Column("scope_en", "string", "What is cut or done, in English.", "断电范围或措施（英文）"),
        Column("is_law", "boolean", "A rule in force, not a practice or our own choice.", "是否法定"),
        Column("is_advisory", "boolean", "Uncertain or no law: to be labelled so wherever it is shown.", "是否参考值"),
        Column("source", "string", "Where it was read.", "来源"),
        Column("confidence", "string", "confirmed, inferred or convention.", "可信度"),
        Column("note", "string", "What a reader should know.", "备注"),
    ),
)

INDEX_LEVEL = Table(
    name="reference.index_level",
    doc="Where the levels of each hazard index begin, with source and confidence; a site file may set its own.",
    zh="指标分级界限",
    key=("index_id", "scope"),
    columns=(
        Column("index_id", "string", "Catalogue id, such as G-01.", "指标编号"),
        Column("scope", "string", "Class of place or machine; '' where one set holds for all.", "适用范围"),
        Column("comparison", "string", "How a value stands to a step where a level begins: >=, >, <, <=.", "比较方式"),
        Column("blue", "double", "Level 1 begins here; null where there is no such step.", "蓝色界限"),
        Column("yellow", "double", "Level 2 begins here.", "黄色界限"),
        Column("orange", "double", "Level 3 begins here.", "橙色界限"),
        Column("red", "double", "Level 4 begins here.", "红色界限"),
        Column("unit", "string", "Unit of the steps.", "单位"),
        Column("source", "string", "Where they come from.", "来源"),
        Column("confidence", "string", "confirmed, inferred, convention or advisory.", "可信度"),
        Column("mine_may", "string", "What a site file may do with them: set, tighten or nothing.", "矿方可否调整"),
        Column("note", "string", "What a reader should know.", "备注"),
    ),
)

SENSOR_TYPE = Table(
    name="reference.sensor_type",
    doc="Sensor types with quantity and unit.",
    zh="传感器类型",
    key=("code",),
    columns=(
        Column("code", "string", "Code.", "编码"),
        Column("name_zh", "string", "Name in Chinese.", "名称"),
        Column("name_en", "string", "Name in English.", "英文名"),
        Column("quantity", "string", "Quantity.", "测量量"),
        Column("unit", "string", "Unit of the values in silver; null for switches and bare numbers.", "单位"),
        Column("kind", "string", "analog, digital or cumulative.", "类别"),
        Column("valid_min", "double", "Lowest plausible value.", "下限"),
        Column("valid_max", "double", "Highest plausible value.", "上限"),
        Column("source", "string", "Where code and name were read.", "来源"),
        Column("confidence", "string", "Of code and name: confirmed, inferred or convention.", "可信度"),
        Column("unit_confidence", "string", "The same of the unit; null where there is none.", "单位可信度"),
        Column("range_confidence", "string", "The same of the range; null where there is none.", "范围可信度"),
    ),
)

TERM = Table(
    name="reference.term",
    doc="The field's words.",
    zh="术语",
    key=("term",),
    columns=(
        Column("term", "string", "Name used in tables and code.", "名称"),
        Column("zh", "string", "Chinese term.", "中文"),
        Column("en", "string", "Meaning.", "英文释义"),
    ),
)
