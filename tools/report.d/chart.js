// What all charts share: a sharp canvas, colours from the style sheet, a time axis.

const $ = id => document.getElementById(id);

function element(name, text, className) {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  if (className) e.className = className;
  return e;
}

// The style sheet's colours as the browser sees them now; asked again when light turns dark.
let colors = {};
function readColors() {
  const probe = document.body.appendChild(element('i'));
  colors = {};
  for (const name of ['card', 'line', 'text', 'soft', 'guest', 'mark', 'glow', ...Array(PALETTE).fill().map((_, i) => 'c' + i)]) {
    probe.style.color = `var(--${name})`;
    colors[name] = getComputedStyle(probe).color;
  }
  probe.remove();
}
const colorOf = device => colors['c' + devices[device].color];

// A canvas of that height in CSS pixels, cleared: its context and its width.
function canvas(id, height) {
  const c = $(id), width = c.clientWidth, ratio = window.devicePixelRatio || 1;
  c.style.height = height + 'px';
  c.width = Math.round(width * ratio);
  c.height = Math.round(height * ratio);
  const g = c.getContext('2d');
  g.scale(ratio, ratio);
  g.font = '11.5px system-ui, "DejaVu Sans", sans-serif';
  g.textBaseline = 'middle';
  return { g, width };
}

// Round numbers between two values, about `count` of them.
function ticks(from, to, count) {
  const raw = (to - from) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find(f => f * power >= raw));
  const result = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) result.push(t);
  return { step, result };
}

const MARGIN = 92; // left of every time axis: the lanes' names, the scale's numbers
const timeX = (t, width) => MARGIN + (t - view.from) / (view.to - view.from) * (width - MARGIN - 1);
const timeAt = (x, width) => view.from + (x - MARGIN) / (width - MARGIN - 1) * (view.to - view.from);

// Enough digits to tell one tick from the next.
function timeLabel(t, step) {
  const [scale, unit] = UNITS.find(([s]) => Math.max(Math.abs(t), step) >= s) || UNITS[3];
  const digits = Math.max(0, Math.ceil(-Math.log10(step / scale) - 1e-9));
  return (t / scale).toFixed(Math.min(digits, 9)) + ' ' + unit;
}

function timeAxis(g, width, top, bottom) {
  const { step, result } = ticks(view.from, view.to, Math.max(2, (width - MARGIN) / 130));
  g.lineWidth = 1;
  g.textAlign = 'center';
  for (const t of result) {
    const x = Math.round(timeX(t, width)) + 0.5, label = timeLabel(t, step), half = g.measureText(label).width / 2;
    g.strokeStyle = colors.line;
    g.beginPath(); g.moveTo(x, top); g.lineTo(x, bottom); g.stroke();
    g.fillStyle = colors.soft;
    g.fillText(label, Math.min(Math.max(x, MARGIN + half), width - half), bottom + 11);
  }
}

function cursorLine(g, width, top, bottom) {
  if (view.cursor === null || view.cursor < view.from || view.cursor > view.to) return;
  g.fillStyle = colors.mark;
  g.fillRect(Math.round(timeX(view.cursor, width)), top, 1, bottom - top);
}

// A column of the chart's stack: counts by device from the bottom up.
function stack(g, counts, offset, x, width, bottom, unit) {
  let y = bottom;
  for (let d = 0; d < devices.length; d++) {
    const height = counts[offset + d] * unit;
    if (height === 0) continue;
    g.fillStyle = colorOf(d);
    g.fillRect(x, y - height, width, height);
    y -= height;
  }
}

// Horizontal lines with their values; `share` says how high a value stands, from 0 to 1.
function scaleLines(g, width, left, top, bottom, values, share) {
  g.textAlign = 'right';
  for (const value of values) {
    const y = Math.round(bottom - share(value) * (bottom - top)) + 0.5;
    g.strokeStyle = colors.line;
    g.beginPath(); g.moveTo(left, y); g.lineTo(width, y); g.stroke();
    g.fillStyle = colors.soft;
    if (value > 0) g.fillText(number(value), left - 8, y);
  }
}

// Exits by device over time: the same time axis as the timeline.
function drawRate() {
  const height = 176, top = 8, bottom = height - 24, { g, width } = canvas('rate', height);
  const bin = 4, columns = Math.max(1, Math.floor((width - MARGIN) / bin)), n = devices.length;
  const counts = new Uint32Array(columns * n), span = (view.to - view.from) / columns;
  visit((lane, i) => {
    const column = Math.min(columns - 1, Math.floor((lane.time[i] - view.from) / span));
    counts[column * n + lane.device[i]]++;
  });
  let most = 1;
  for (let c = 0; c < columns; c++)
    most = Math.max(most, counts.subarray(c * n, c * n + n).reduce((a, b) => a + b, 0));
  scaleLines(g, width, MARGIN, top, bottom, ticks(0, most, 3).result, value => value / most);
  timeAxis(g, width, bottom, bottom + 4);
  for (let c = 0; c < columns; c++)
    stack(g, counts, c * n, MARGIN + c * bin, bin - 0.6, bottom, (bottom - top) / most);
  cursorLine(g, width, top, bottom);
  $('rate-note').textContent = `exits in each ${duration(span, 2)} of the time shown`;
}

// Costs, eight bins to a decade. Both scales are logarithmic: the rare and dear exits are what one looks for. A bar
// is divided by the shares of its devices.
function drawCost() {
  const height = 230, top = 22, bottom = height - 24, left = 56, { g, width } = canvas('cost', height);
  const perDecade = 8, n = devices.length, all = [];
  visit((lane, i) => all.push(lane.cost[i]));
  $('cost-note').textContent = all.length ? `${number(all.length)} exits shown, on logarithmic scales` : 'no exit in the time shown';
  if (!all.length) return;
  const sorted = Float64Array.from(all).sort();
  const low = Math.floor(Math.log10(Math.max(sorted[0], 1))), high = Math.ceil(Math.log10(sorted[sorted.length - 1] + 1) + 0.01);
  const bins = (high - low) * perDecade, counts = new Uint32Array(bins * n), x = b => left + b / bins * (width - left);
  visit((lane, i) => {
    const b = Math.floor((Math.log10(Math.max(lane.cost[i], 1)) - low) * perDecade);
    counts[Math.min(b, bins - 1) * n + lane.device[i]]++;
  });
  const sums = Array.from({ length: bins }, (_, b) => counts.subarray(b * n, b * n + n).reduce((a, c) => a + c, 0));
  const most = Math.max(10, ...sums), share = value => Math.log10(1 + value) / Math.log10(1 + most);
  scaleLines(g, width, left, top, bottom, [0, ...ticks(0, Math.log10(most), 4).result.filter(Number.isInteger).map(d => 10 ** d)], share);
  for (let b = 0; b < bins; b++)
    if (sums[b] > 0)
      stack(g, counts, b * n, x(b) + 1, Math.max(1, x(b + 1) - x(b) - 2), bottom, share(sums[b]) * (bottom - top) / sums[b]);
  g.textAlign = 'center';
  g.fillStyle = colors.soft;
  for (let d = low; d <= high; d++) {
    const label = duration(10 ** d, 1), half = g.measureText(label).width / 2;
    g.fillText(label, Math.min(Math.max(x((d - low) * perDecade), left + half), width - half), bottom + 12);
  }
  for (const [share, name] of [[0.5, 'median'], [0.99, '99 %']]) {
    const cost = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const at = Math.round(x((Math.log10(Math.max(cost, 1)) - low) * perDecade));
    const label = `${name} ${duration(cost)}`, wide = g.measureText(label).width;
    g.fillStyle = colors.mark;
    g.fillRect(at, top - 4, 1, bottom - top + 4);
    g.textAlign = at + wide + 8 < width ? 'left' : 'right';
    g.fillText(label, at + (g.textAlign === 'left' ? 5 : -5), share === 0.5 ? top - 12 : top + 2);
  }
}
