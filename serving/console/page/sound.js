// Sound of alarms: urgent ones three tones each ten seconds until somebody takes them on, high ones once, others none.

const EVERY_MS = 10e3;
const MUTE_MS = 60e3;
const TONES = {1: [880, 660, 880], 2: [660]};

export class Sound {
  constructor() {
    this.mutedUntil = 0;
    this.sounded = new Set();
    this.lastAt = 0;
    // A browser lets a page sound only once somebody has touched it.
    addEventListener('pointerdown', () => this.wake(), {once: true});
    addEventListener('keydown', () => this.wake(), {once: true});
  }

  wake() { this.context ??= new AudioContext(); }
  mute() { this.mutedUntil = Date.now() + MUTE_MS; }
  get mutedForS() { return Math.max(0, Math.ceil((this.mutedUntil - Date.now()) / 1000)); }

  hear(alarms) {
    const waiting = alarms.filter((each) => !each.is_advisory && each.state === 'active_unacked' && !each.is_late);
    const urgent = waiting.some((each) => each.priority === 1);
    const fresh = waiting.filter((each) => each.priority === 2 && !this.sounded.has(each.alarm_id));
    fresh.forEach((each) => this.sounded.add(each.alarm_id));
    if (this.mutedForS) return;
    if (urgent && Date.now() - this.lastAt >= EVERY_MS) this.play(1);
    else if (fresh.length) this.play(2);
  }

  play(priority) {
    this.lastAt = Date.now();
    if (this.context?.state !== 'running') return;
    TONES[priority].forEach((hertz, at) => {
      const start = this.context.currentTime + at * 0.28;
      const tone = this.context.createOscillator();
      const gain = this.context.createGain();
      tone.frequency.value = hertz;
      gain.gain.setValueAtTime(0.12, start);
      gain.gain.linearRampToValueAtTime(0, start + 0.22);
      tone.connect(gain).connect(this.context.destination);
      tone.start(start);
      tone.stop(start + 0.24);
    });
  }
}
