// The timeline: a lane for each vCPU, marks for what the guest printed, and what the mouse does to them.

const LANE = lanes.length > 12 ? 16 : lanes.length > 2 ? 30 : 44, GAP = 6, HEAD = data.guests.length > 1 ? 20 : 4, MARKS = 12;

// Where everything stands, from top to bottom.
const layout = (() => {
  const rows = [];
  let y = 2;
  for (const guest of data.guests) {
    rows.push({ kind: 'guest', guest, y, height: HEAD });
    y += HEAD;
    for (const lane of lanes.filter(l => l.guest === guest)) {
      rows.push({ kind: 'lane', guest, lane, y, height: LANE });
      y += LANE + GAP;
    }
    rows.push({ kind: 'marks', guest, y: y - GAP + 2, height: MARKS });
    y += MARKS;
  }
  return { rows, bottom: y + 2, height: y + 26 };
})();

// Few exits: each as wide as it cost.
function drawBars(g, row, first, last, width) {
  const lane = row.lane, scale = (width - MARGIN - 1) / (view.to - view.from);
  for (let i = first; i < last; i++) {
    if (!devices[lane.device[i]].shown) continue;
    const x = Math.max(timeX(lane.time[i], width), MARGIN);
    g.fillStyle = colorOf(lane.device[i]);
    const wide = Math.max(1.5, lane.cost[i] * scale), room = Math.min(wide, width - x);
    g.fillRect(x, row.y, room, row.height);
    if (room < 70 || row.height < 20) continue;
    g.save();
    g.beginPath(); g.rect(x, row.y, room - 4, row.height); g.clip();
    g.fillStyle = colors.card;
    g.textAlign = 'left';
    g.fillText(kindOf(lane, i)[0], x + 6, row.y + row.height / 2);
    g.restore();
  }
}

// Many: columns of a pixel, as high as they are busy.
function drawDensity(g, row, first, last, width) {
  const lane = row.lane, n = devices.length, columns = Math.ceil(width - MARGIN);
  const counts = new Uint32Array(columns * n), sums = new Uint32Array(columns);
  for (let i = first; i < last; i++) {
    if (!devices[lane.device[i]].shown) continue;
    const column = Math.min(columns - 1, Math.max(0, Math.floor(timeX(lane.time[i], width) - MARGIN)));
    counts[column * n + lane.device[i]]++;
    sums[column]++;
  }
  const most = Math.sqrt(sums.reduce((a, b) => Math.max(a, b), 1));
  for (let c = 0; c < columns; c++)
    if (sums[c] > 0) {
      const height = (0.25 + 0.75 * Math.sqrt(sums[c]) / most) * row.height;
      stack(g, counts, c * n, MARGIN + c, 1, row.y + row.height, height / sums[c]);
    }
}

function drawLane(g, row, width) {
  const lane = row.lane, last = firstAt(lane.time, view.to);
  let first = firstAt(lane.time, view.from);
  if (first > 0 && lane.time[first - 1] + lane.cost[first - 1] > view.from) first--;
  g.fillStyle = colors.guest;
  g.beginPath(); g.roundRect(MARGIN, row.y, width - MARGIN, row.height, 4); g.fill();
  g.fillStyle = colors.text;
  g.textAlign = 'left';
  g.fillText(`vCPU ${lane.id}`, 2, row.y + row.height / 2);
  if (lane.dropped > 0 && view.from < lane.time[0]) drawLost(g, row, width);
  (last - first < (width - MARGIN) * 0.6 ? drawBars : drawDensity)(g, row, first, last, width);
}

// Exits that the ring let go: hatched, since what is not known is not nothing.
function drawLost(g, row, width) {
  const end = Math.min(timeX(row.lane.time[0], width), width);
  g.save();
  g.beginPath(); g.rect(MARGIN, row.y, end - MARGIN, row.height); g.clip();
  g.strokeStyle = colors.soft;
  g.globalAlpha = 0.35;
  g.beginPath();
  for (let x = MARGIN - row.height; x < end; x += 7) { g.moveTo(x, row.y + row.height); g.lineTo(x + row.height, row.y); }
  g.stroke();
  g.restore();
}

function drawMarks(g, row, width) {
  g.fillStyle = colors.soft;
  let before = -9;
  for (const [time] of row.guest.output) {
    const x = timeX(time, width);
    if (x < MARGIN || x > width || x - before < 1.5) continue;
    before = x;
    g.beginPath(); g.moveTo(x, row.y); g.lineTo(x + 3, row.y + 6); g.lineTo(x - 3, row.y + 6); g.fill();
  }
  g.textAlign = 'left';
  g.fillText('output', 2, row.y + 4);
}

let selection = null; // { from, to } in pixels while the mouse drags

function drawTimeline() {
  const { g, width } = canvas('timeline', layout.height);
  timeAxis(g, width, 0, layout.bottom);
  for (const row of layout.rows) {
    if (row.kind === 'lane') drawLane(g, row, width);
    else if (row.kind === 'marks') drawMarks(g, row, width);
    else if (HEAD > 10) {
      g.fillStyle = colors.text;
      g.textAlign = 'left';
      g.fillText(`guest ${row.guest.index}: ${row.guest.name}`, 2, row.y + 9);
    }
  }
  cursorLine(g, width, 0, layout.bottom);
  if (selection) {
    g.fillStyle = colors.glow;
    g.fillRect(Math.min(selection.from, selection.to), 0, Math.abs(selection.to - selection.from), layout.bottom);
  }
}

// The exit that the mouse is at: the one under it, or the nearest within some pixels.
function exitAt(x, y, width) {
  const row = layout.rows.find(r => r.kind === 'lane' && y >= r.y && y < r.y + r.height);
  if (!row || x < MARGIN) return null;
  const lane = row.lane, t = timeAt(x, width), reach = 6 / (width - MARGIN) * (view.to - view.from);
  let best = null, distance = reach;
  for (let i = Math.max(0, firstAt(lane.time, t) - 2); i < lane.n && lane.time[i] < t + reach; i++) {
    const away = Math.max(0, lane.time[i] - t, t - lane.time[i] - lane.cost[i]);
    if (away < distance && devices[lane.device[i]].shown) { best = { lane, i }; distance = away; }
  }
  return best;
}

function hexadecimal(value) {
  const text = typeof value === 'string' ? value : '0x' + value.toString(16);
  return value > 0x20 && value < 0x7f ? `${text} '${String.fromCharCode(value)}'` : text;
}

function describe({ lane, i }) {
  const [name, , way] = kindOf(lane, i), [rip, symbol] = placeOf(lane, i);
  const lines = [`exit ${number(lane.dropped + i + 1)} of vCPU ${lane.id}, at ${duration(lane.time[i], 6)}`];
  if (way) lines.push(`${way} ${hexadecimal(lane.value[i])}` + (lane.items[i] > 1 ? ` and ${lane.items[i] - 1} more` : ''));
  lines.push(`cost ${duration(lane.cost[i])}`, `rip  ${rip}${symbol ? ' ' + symbol : ''}`);
  return [name, lines.join('\n')];
}

function showTip(event, exit) {
  const tip = $('tip');
  tip.hidden = !exit;
  if (!exit) return;
  const [name, text] = describe(exit);
  tip.replaceChildren(element('b', name), '\n' + text);
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 12) + 'px';
  tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 12) + 'px';
}

function pin(t) {
  view.cursor = t;
  redraw();
}

function listenTimeline() {
  const c = $('timeline'), at = e => e.clientX - c.getBoundingClientRect().left;
  c.addEventListener('pointerdown', e => { if (e.button === 0) { selection = { from: at(e), to: at(e) }; if (e.isTrusted) c.setPointerCapture(e.pointerId); } });
  c.addEventListener('pointermove', e => {
    if (selection) { selection.to = at(e); redraw(); }
    showTip(e, selection ? null : exitAt(at(e), e.offsetY, c.clientWidth));
  });
  c.addEventListener('pointerleave', () => { $('tip').hidden = true; });
  c.addEventListener('pointerup', () => {
    if (!selection) return;
    const { from, to } = selection, width = c.clientWidth;
    selection = null;
    if (Math.abs(to - from) > 4) look(timeAt(Math.min(from, to), width), timeAt(Math.max(from, to), width));
    else { pin(timeAt(to, width)); findOutput(view.cursor); }
  });
  c.addEventListener('dblclick', () => look(whole.from, whole.to));
  c.addEventListener('wheel', e => {
    if (!e.ctrlKey && !e.metaKey) return; // else it scrolls the page, as everywhere
    e.preventDefault();
    zoom(2 ** (e.deltaY / 300), timeAt(at(e), c.clientWidth));
  }, { passive: false });
  c.addEventListener('keydown', e => {
    const step = (view.to - view.from) / 5;
    const action = { '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), 0: () => look(whole.from, whole.to),
                     ArrowLeft: () => look(view.from - step, view.to - step),
                     ArrowRight: () => look(view.from + step, view.to + step) }[e.key];
    if (action) { action(); e.preventDefault(); }
  });
  $('in').onclick = () => zoom(0.5);
  $('out').onclick = () => zoom(2);
  $('all').onclick = () => look(whole.from, whole.to);
}
