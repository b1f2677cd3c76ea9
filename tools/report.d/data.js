// The data of this report, unpacked: exits in typed arrays by vCPU, devices numbered over all guests.

const data = JSON.parse(document.getElementById('data').textContent);
const PALETTE = 8; // colours; the last is shared by all devices beyond

// A record is six numbers: time since the one before, cost, kind, place, value, items.
function unpack(vcpu, guest, id) {
  const r = vcpu.records, n = r.length / 6;
  const lane = { guest, id, exits: vcpu.exits, dropped: vcpu.dropped, guestNs: vcpu.guestNs, vmmNs: vcpu.vmmNs, n,
                 time: new Float64Array(n), cost: new Float64Array(n), kind: new Uint16Array(n),
                 place: new Uint16Array(n), value: new Array(n), items: new Uint32Array(n),
                 device: new Uint8Array(n) };
  for (let i = 0, t = 0; i < n; i++) {
    t += r[i * 6];
    lane.time[i] = t;
    lane.cost[i] = r[i * 6 + 1];
    lane.kind[i] = r[i * 6 + 2];
    lane.place[i] = r[i * 6 + 3];
    lane.value[i] = r[i * 6 + 4];
    lane.items[i] = r[i * 6 + 5];
  }
  return lane;
}

const OTHERS = ['others', 'others', '']; // what found no place in the tables
const lanes = data.guests.flatMap(g => g.vcpus.map((v, id) => unpack(v, g, id)));
const kindOf = (lane, i) => lane.guest.kinds[lane.kind[i]] || OTHERS;
const placeOf = (lane, i) => lane.guest.places[lane.place[i]] || ['', 'elsewhere'];

// Devices, the busiest first: that is the order of colours.
const devices = (() => {
  const counts = new Map();
  for (const lane of lanes)
    for (let i = 0; i < lane.n; i++) {
      const name = kindOf(lane, i)[1];
      counts.set(name, (counts.get(name) || 0) + 1);
    }
  return [...counts].sort((a, b) => b[1] - a[1])
    .map(([name, count], index) => ({ name, count, color: Math.min(index, PALETTE - 1), shown: true }));
})();
{
  const index = new Map(devices.map((d, i) => [d.name, i]));
  for (const lane of lanes)
    for (let i = 0; i < lane.n; i++)
      lane.device[i] = Math.min(index.get(kindOf(lane, i)[1]), 255);
}

// The part of the run that is looked at, in ns; what draws it registers a watcher.
const kept = lanes.filter(l => l.n > 0);
const whole = { from: 0, to: Math.max(data.durationNs, 1) };
if (kept.length && kept.every(l => l.dropped > 0)) // the beginning is not here: do not show its emptiness
  whole.from = Math.min(...kept.map(l => l.time[0]));
const view = { ...whole, cursor: null, watchers: [] };
function look(from, to) {
  const least = 200, width = Math.min(Math.max(to - from, least), whole.to - whole.from);
  view.from = Math.min(Math.max(from, whole.from), whole.to - width);
  view.to = view.from + width;
  redraw();
}
function zoom(factor, at = (view.from + view.to) / 2) {
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
}
let pending = false;
function redraw() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => { pending = false; view.watchers.forEach(draw => draw()); });
}

// First index whose time is not before t.
function firstAt(times, t) {
  let low = 0, high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < t) low = middle + 1; else high = middle;
  }
  return low;
}

function visit(action) { // every exit in view whose device is shown
  for (const lane of lanes)
    for (let i = firstAt(lane.time, view.from); i < lane.n && lane.time[i] <= view.to; i++)
      if (devices[lane.device[i]].shown) action(lane, i);
}

const UNITS = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];
function duration(ns, digits = 3) {
  const [scale, unit] = UNITS.find(([s]) => ns >= s) || UNITS[3];
  return Number((ns / scale).toPrecision(digits)).toLocaleString('en') + ' ' + unit;
}
const number = n => n.toLocaleString('en');
const percent = share => (100 * share).toFixed(share < 0.0995 ? 1 : 0) + ' %';
