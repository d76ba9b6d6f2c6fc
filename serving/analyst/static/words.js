// The page's own words in both languages; what comes from the service has both already.
export const WORDS = {
  mine: ["煤矿", "Mine"],
  from: ["起", "From"],
  to: ["止", "To"],
  level_min: ["等级 ≥", "Level ≥"],
  step_min: ["时间格（分）", "Cell [min]"],
  legal_only: ["只看超法定限值", "Over the legal limit only"],
  person_hash: ["人员卡散列", "Card (hash)"],
  why: ["查看原因（记入日志）", "Why (written down)"],
  ask: ["查询", "Show"],
  copy: ["复制链接", "Copy link"],
  copied: ["已复制", "Copied"],
  any: ["全部", "all"],
  auto: ["自动", "auto"],
  reports: ["报表", "Reports"],
  rows: ["行", "rows"],
  cut: ["已达行数上限", "cut at the limit of rows"],
  drop: ["删除", "Drop"],
};

export const isEnglish = () => document.documentElement.lang === "en";
export const say = (name) => WORDS[name][isEnglish() ? 1 : 0];

export const both = (zh, en) => {
  const box = document.createDocumentFragment();
  for (const [name, lang, words] of [["zh", "zh-CN", zh], ["en", "en", en]]) {
    const part = document.createElement("span");
    part.className = name;
    part.lang = lang;
    part.textContent = words;
    box.append(part);
  }
  return box;
};
export const word = (name) => both(...WORDS[name]);
