// Pairs of words on the page that cover each other; labels of the map among them.
() => {
  const shown = (each) => each.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const holder = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || !shown(holder) || holder.closest('.sr, .live[aria-live], svg, option, script')) continue;
    const range = document.createRange();
    range.selectNodeContents(walk.currentNode);
    const tall = parseFloat(getComputedStyle(holder).fontSize) * 0.9; // letters; the line's own box is taller
    for (const line of range.getClientRects()) {
      const middle = (line.top + line.bottom) / 2;
      const box = {left: line.left, right: line.right, top: middle - tall / 2, bottom: middle + tall / 2};
      let clip = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
      for (let up = holder; up; up = up.parentElement) {
        if (!/hidden|auto|scroll|clip/.test(getComputedStyle(up).overflow)) continue;
        const edge = up.getBoundingClientRect();
        clip = {left: Math.max(clip.left, edge.left), top: Math.max(clip.top, edge.top), right: Math.min(clip.right, edge.right), bottom: Math.min(clip.bottom, edge.bottom)};
      }
      const left = Math.max(box.left, clip.left), right = Math.min(box.right, clip.right);
      const top = Math.max(box.top, clip.top), bottom = Math.min(box.bottom, clip.bottom);
      if (right - left > 1 && bottom - top > 1) found.push({node: walk.currentNode, text: walk.currentNode.data.trim().slice(0, 40), left, right, top, bottom});
    }
  }
  const canvas = document.querySelector('.canvas');
  const at = canvas.getBoundingClientRect();
  for (const [text, x, y, w, h] of JSON.parse(canvas.dataset.labels)) found.push({text: `map: ${text}`, left: at.left + x, right: at.left + x + w, top: at.top + y, bottom: at.top + y + h});
  const bad = [];
  found.forEach((a, i) => found.slice(i + 1).forEach((b) => {
    if (a.node && a.node === b.node) return; // what an ellipsis hides
    const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (wide > 1 && high > 1) bad.push(`${a.text} | ${b.text}`);
  }));
  return bad;
}
