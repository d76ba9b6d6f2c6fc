// From metres of the mine's grid to pixels of the map and back: turned so that most roadways lie level or upright.

/** Angle by which the grid is turned so that most metres of roadway lie along an axis [rad]. */
export function turnOf(segments) {
  let x = 0;
  let y = 0;
  for (const {dx, dy} of segments) {
    const length = Math.hypot(dx, dy);
    const angle = 4 * Math.atan2(dy, dx); // a quarter turn is no turn
    x += length * Math.cos(angle);
    y += length * Math.sin(angle);
  }
  return x || y ? -Math.atan2(y, x) / 4 : 0;
}

export class View {
  constructor(points, turn) {
    this.turn = turn;
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    this.turned = (x, y) => [x * cos - y * sin, -(x * sin + y * cos)];
    const all = points.map(([x, y]) => this.turned(x, y));
    const xs = all.map(([x]) => x);
    const ys = all.map(([, y]) => y);
    this.box = all.length ? [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)] : [0, 0, 1, 1];
    this.width = this.height = 1;
    this.scale = 1;
    this.center = [(this.box[0] + this.box[2]) / 2, (this.box[1] + this.box[3]) / 2];
    this.isFitted = true;
  }

  get fitScale() {
    const [left, top, right, bottom] = this.box;
    const pad = Math.min(60, this.width * 0.07);
    return Math.max(1e-6, Math.min((this.width - 2.6 * pad) / Math.max(1, right - left), (this.height - 1.6 * pad) / Math.max(1, bottom - top)));
  }

  resize(width, height) {
    this.width = width;
    this.height = height;
    if (this.isFitted) this.fit();
  }

  fit() {
    this.scale = this.fitScale;
    this.center = [(this.box[0] + this.box[2]) / 2, (this.box[1] + this.box[3]) / 2];
    this.isFitted = true;
  }

  /** Pixels of a place in the grid. */
  at(x, y) {
    const [u, v] = this.turned(x, y);
    return [(u - this.center[0]) * this.scale + this.width / 2, (v - this.center[1]) * this.scale + this.height / 2];
  }

  zoom(factor, [px, py] = [this.width / 2, this.height / 2]) {
    const scale = Math.min(this.fitScale * 40, Math.max(this.fitScale * 0.8, this.scale * factor));
    const u = (px - this.width / 2) / this.scale + this.center[0];
    const v = (py - this.height / 2) / this.scale + this.center[1];
    this.scale = scale;
    this.center = [u - (px - this.width / 2) / scale, v - (py - this.height / 2) / scale];
    this.isFitted = false;
  }

  pan(dx, dy) {
    this.center = [this.center[0] - dx / this.scale, this.center[1] - dy / this.scale];
    this.isFitted = false;
  }

  /** Move so that a place lies in the middle 60 %; true where it had to. */
  bringIn([x, y]) {
    const [px, py] = this.at(x, y);
    const [low, high] = [0.2, 0.8];
    const isIn = px >= low * this.width && px <= high * this.width && py >= low * this.height && py <= high * this.height;
    if (isIn || this.isFitted) return false;
    this.center = this.turned(x, y);
    return true;
  }
}
