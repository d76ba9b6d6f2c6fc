// Both languages: every text on the page is written where it is used, Chinese first.

let english = false;

export const setLanguage = (language) => { english = language === 'en'; };
export const isEnglish = () => english;

/** The text in the language of the page. */
export const L = (zh, en) => (english ? en : zh);

/** The field of a row in the language of the page: `of(area, 'name')` is its name_zh or name_en. */
export const of = (row, field) => (row ? row[`${field}_${english ? 'en' : 'zh'}`] || row[`${field}_zh`] || '' : '');

/** What each quantity is called, its sign, and how many decimals its values have. */
const QUANTITIES = {
  ch4: ['甲烷', 'CH4', 2], co: ['一氧化碳', 'CO', 0], o2: ['氧气', 'O2', 1], co2: ['二氧化碳', 'CO2', 2],
  air_velocity: ['风速', 'air', 1], air_quantity: ['风量', 'air', 0], temperature: ['温度', 'temp.', 1],
  negative_pressure: ['负压', 'pressure', 2], smoke: ['烟雾', 'smoke', 0], air_door: ['风门', 'door', 0],
  aux_fan: ['局部通风机', 'local fan', 0], main_fan: ['主要通风机', 'main fan', 0], duct_state: ['风筒', 'duct', 0],
  equipment_on: ['设备开停', 'machine', 0], power_cutoff: ['断电器', 'cut-off', 0], feed_detector: ['馈电', 'feed', 0],
  power_state: ['分站电源', 'station power', 0], alarm_device: ['声光报警', 'sounder', 0],
  water_level: ['水位', 'level', 2], water_inflow: ['涌水量', 'inflow', 1], support_resistance: ['支架阻力', 'support', 1],
  roof_separation: ['顶板离层', 'roof', 0], roadway_convergence: ['巷道变形', 'convergence', 0],
};

export const quantityName = (quantity) => {
  const known = QUANTITIES[quantity];
  return known ? known[english ? 1 : 0] : quantity.replaceAll('_', ' ');
};
export const decimalsOf = (quantity) => QUANTITIES[quantity]?.[2] ?? 2;

/** Both words of a level, as shape, colour and word together tell it. */
const LEVELS = [['正常', 'normal'], ['蓝·低', 'Blue·low'], ['黄·一般', 'Yellow·moderate'], ['橙·较大', 'Orange·high'], ['红·重大', 'Red·severe']];
export const levelName = (level) => L(...(LEVELS[level] ?? ['数据不足', 'insufficient data']));

/** What class an alarm is of, as a heading begins. */
export const className = (alarm) => {
  const name = of(alarm, 'class');
  return name.charAt(0).toUpperCase() + name.slice(1);
};
