// What changes, as it changes: Server-Sent Events over fetch, since they must carry a token. Reconnects by itself and
// says by Last-Event-ID what it heard last, so that nothing is missed.

import {ask} from '/pages/session.js';

// The service says something at least every 15 s.
const SILENCE_MS = 40e3;
const WAITS_MS = [500, 1000, 2000, 4000, 8000];

/**
 * Follow the stream of a mine until `stop()`.
 * `hear` is told of {event, data}, `link` of {isUp, since, tries, missed}: missed counts what came after a reconnect.
 */
export function follow(mine, {hear, link}) {
  let stopped = false;
  let lastId = null;
  let downSince = null;
  let tries = 0;
  let abort = null;

  async function once() {
    abort = new AbortController();
    let silence = setTimeout(() => abort.abort(), SILENCE_MS);
    const headers = lastId === null ? {} : {'Last-Event-ID': lastId};
    try {
      const response = await ask('/stream', {params: {mine}, signal: abort.signal, headers});
      if (!response.ok) throw new Error(`HTTP ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let text = '';
      for (;;) {
        const {value, done} = await reader.read();
        if (done) return;
        clearTimeout(silence);
        silence = setTimeout(() => abort.abort(), SILENCE_MS);
        text += value;
        const blocks = text.split(/\r?\n\r?\n/);
        text = blocks.pop();
        blocks.map(parsed).filter(Boolean).forEach(take);
      }
    } finally {
      clearTimeout(silence);
    }
  }

  function take(message) {
    if (message.event === 'hello') {
      const missed = lastId === null ? 0 : Math.max(0, message.data.seq - Number(lastId));
      link({isUp: true, since: null, tries, missed, wasDown: downSince !== null, from: lastId});
      if (lastId === null) lastId = String(message.data.seq);
      downSince = null;
      tries = 0;
    }
    if (message.id) lastId = message.id;
    hear(message);
  }

  async function run() {
    while (!stopped) {
      try {
        await once();
      } catch {
        // told below: the link is down whatever the reason
      }
      if (stopped) return;
      downSince ??= Date.now();
      tries += 1;
      link({isUp: false, since: downSince, tries});
      await new Promise((resolve) => { setTimeout(resolve, WAITS_MS[Math.min(tries, WAITS_MS.length) - 1]); });
    }
  }
  run();
  return () => {
    stopped = true;
    abort?.abort();
  };
}

function parsed(block) {
  const message = {event: 'message', id: null};
  const data = [];
  for (const line of block.split(/\r?\n/)) {
    const at = line.indexOf(':');
    if (at < 1) continue;
    const value = line.slice(at + 1).replace(/^ /, '');
    if (line.startsWith('data')) data.push(value);
    else message[line.slice(0, at)] = value;
  }
  return data.length ? {...message, data: JSON.parse(data.join('\n'))} : null;
}
