// Where labels go on the map: none covers a device, a person or another label. The important come first; what finds no
// place is left to its symbol, but what is abnormal is never dropped: it goes to the margin with a line to its place.

const GAP = 5;
const CELL = 64;

class Taken {
  constructor() { this.cells = new Map(); }

  *keys({x, y, w, h}) {
    for (let i = Math.floor(x / CELL); i <= Math.floor((x + w) / CELL); i += 1) {
      for (let j = Math.floor(y / CELL); j <= Math.floor((y + h) / CELL); j += 1) yield `${i},${j}`;
    }
  }

  add(box) {
    for (const key of this.keys(box)) {
      if (!this.cells.has(key)) this.cells.set(key, []);
      this.cells.get(key).push(box);
    }
  }

  isFree(box) {
    for (const key of this.keys(box)) {
      if (this.cells.get(key)?.some((each) => overlap(each, box))) return false;
    }
    return true;
  }
}

const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

/** Boxes beside a point, near ones first. */
function* around({at: [x, y], w, h, reach = 8, isCentered, isClose}) {
  if (isCentered) yield {x: x - w / 2, y: y - h / 2, w, h};
  for (const far of [reach, reach * 2, ...(isClose ? [] : [reach * 4, reach * 7])]) {
    yield {x: x + far, y: y - h / 2, w, h};
    yield {x: x - far - w, y: y - h / 2, w, h};
    yield {x: x - w / 2, y: y - far - h, w, h};
    yield {x: x - w / 2, y: y + far, w, h};
    if (far > reach) {
      for (const [sx, sy] of [[1, -1], [1, 1], [-1, -1], [-1, 1]]) yield {x: x + (sx > 0 ? far * 0.7 : -far * 0.7 - w), y: y + (sy > 0 ? far * 0.7 : -far * 0.7 - h), w, h};
    }
  }
}

/**
 * Places for labels {at, w, h, rank, mustShow, isClose}, highest rank first. `obstacles`: boxes that nothing may cover.
 * Gives those that have a place, with `box` and, where they stand apart from their point, `isLed`.
 */
export function placed(labels, obstacles, {width, height}) {
  const taken = new Taken();
  obstacles.forEach((each) => taken.add(each));
  const found = [];
  const inside = (box) => box.x >= 3 && box.y >= 3 && box.x + box.w <= width - 3 && box.y + box.h <= height - 3;
  for (const label of [...labels].sort((a, b) => b.rank - a.rank)) {
    let box = null;
    const [px, py] = label.at;
    const isNear = px > -20 && py > -20 && px < width + 20 && py < height + 20;
    if (!isNear && !label.mustShow) continue;
    if (isNear) {
      for (const tried of around(label)) {
        if (inside(tried) && taken.isFree(tried)) { box = tried; break; }
      }
    }
    if (!box && label.mustShow && isNear) box = inMargin(label, taken, {width, height});
    if (!box) continue;
    taken.add({x: box.x - GAP / 2, y: box.y - GAP / 2, w: box.w + GAP, h: box.h + GAP});
    const dx = Math.max(box.x - px, 0, px - box.x - box.w);
    const dy = Math.max(box.y - py, 0, py - box.y - box.h);
    found.push({...label, box, isLed: Math.hypot(dx, dy) > (label.reach ?? 8) + 1});
  }
  return found;
}

function inMargin({at: [px], w, h}, taken, {width, height}) {
  const left = px < width / 2;
  for (const x of left ? [6, width - w - 6] : [width - w - 6, 6]) {
    for (let y = 6; y + h < height - 6; y += 6) {
      const box = {x, y, w, h};
      if (taken.isFree(box)) return box;
    }
  }
  return null;
}
