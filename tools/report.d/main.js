// The page as a whole: its facts, its tables, its legend; then everything is drawn.

const sum = f => lanes.reduce((total, lane) => total + f(lane), 0);
const base = path => path.slice(path.lastIndexOf('/') + 1);

function showFacts() {
  const exits = sum(l => l.exits), dropped = sum(l => l.dropped), guestNs = sum(l => l.guestNs), vmmNs = sum(l => l.vmmNs);
  const names = data.guests.map(g => base(g.name)).join(', ');
  document.title = `${names}: kvm-vmm report`;
  $('heading').textContent = names;
  $('subtitle').textContent = data.guests.map(g => (data.guests.length > 1 ? `guest ${g.index}: ` : '') + g.end).join(' · ');
  const facts = [[number(exits), exits === 1 ? 'exit to the VMM' : 'exits to the VMM'],
                 [duration(data.durationNs), 'from start to end'],
                 [exits ? duration(vmmNs / exits) : 'none', 'mean cost of an exit'],
                 [guestNs + vmmNs ? percent(vmmNs / (guestNs + vmmNs)) : 'none', 'of the vCPUs’ time spent in the VMM'],
                 [String(lanes.length), lanes.length === 1 ? 'vCPU' : `vCPUs of ${data.guests.length} guest${data.guests.length > 1 ? 's' : ''}`]];
  if (dropped) facts.push([number(exits - dropped), `newest exits kept; ${number(dropped)} older ones were dropped`]);
  for (const [value, what] of facts) {
    const fact = element('div', undefined, 'fact');
    fact.append(element('b', value), element('span', what));
    $('facts').append(fact);
  }
  $('footer').textContent = 'Costs are the time from KVM’s return until the guest could go on. Made by tools/report.';
}

// Rows of cells; the first is a name, `share` a bar. No rows: say so.
function fill(id, heads, rows, nothing) {
  const table = $(id);
  table.replaceChildren();
  if (rows.length === 0) {
    table.append(element('caption', nothing, 'note'));
    return;
  }
  const head = table.createTHead().insertRow();
  heads.forEach(text => head.append(element('th', text)));
  const body = table.createTBody();
  for (const { name, color, share, cells } of rows) {
    const row = body.insertRow(), first = row.insertCell(), bar = element('div', undefined, 'bar');
    first.className = 'name';
    first.title = name;
    if (color !== undefined) {
      const dot = element('span', undefined, 'dot');
      dot.style.background = `var(--c${color})`;
      first.append(dot);
      bar.style.background = `var(--c${color})`;
    }
    first.append(name);
    bar.style.width = Math.max(share * 100, 0.5) + '%';
    const cell = row.insertCell();
    cell.className = 'share';
    cell.append(bar);
    for (const text of cells) row.insertCell().textContent = text;
  }
}

function showRegisters() {
  const rows = new Map();
  visit((lane, i) => {
    const [name, , way] = kindOf(lane, i), key = name + '\n' + way;
    let row = rows.get(key);
    if (!row) rows.set(key, row = { name, way, device: lane.device[i], count: 0, cost: 0, most: 0 });
    row.count++;
    row.cost += lane.cost[i];
    row.most = Math.max(row.most, lane.cost[i]);
  });
  const sorted = [...rows.values()].sort((a, b) => b.count - a.count), most = sorted.length ? sorted[0].count : 1;
  fill('registers', ['', '', 'exits', 'mean cost', 'largest', 'in all'], sorted.slice(0, 16).map(r => ({
    name: r.name + (r.way === 'read' ? ' →' : r.way === 'write' ? ' ←' : ''), color: devices[r.device].color,
    share: r.count / most, cells: [number(r.count), duration(r.cost / r.count), duration(r.most), duration(r.cost)],
  })), 'No exit in the time shown.');
}

function merged(field) { // the guests' tables of [name, count, ...] as one, the largest first
  const all = new Map();
  for (const guest of data.guests)
    for (const [name, count, cost = 0] of guest[field]) {
      const key = data.guests.length > 1 && field === 'functions' ? `${guest.index}: ${name}` : name;
      const row = all.get(key) || { name: key, count: 0, cost: 0 };
      row.count += count;
      row.cost += cost;
      all.set(key, row);
    }
  return [...all.values()].sort((a, b) => b.count - a.count);
}

function showFunctions() {
  const rows = merged('functions'), most = rows.length ? rows[0].count : 1;
  const named = data.guests.some(g => g.places.some(([, symbol]) => symbol));
  $('functions-note').textContent = named ? 'where exits came from, whole run' : 'by address: there are no symbols';
  fill('functions', ['', '', 'exits', 'mean cost'], rows.slice(0, 12).map(r => ({
    name: r.name, share: r.count / most, cells: [number(r.count), duration(r.cost / r.count)] })), 'There was no exit.');
}

function showCounters() {
  const rows = merged('counters'), exits = (rows.find(r => r.name === 'exits') || { count: 0 }).count;
  if (exits) rows.unshift({ name: 'exits to the VMM', count: sum(l => l.exits) });
  fill('counters', ['', '', 'count', 'of exits'], rows.slice(0, 14).map(r => ({
    name: r.name, share: exits ? Math.min(r.count / exits, 1) : 0,
    cells: [number(r.count), exits ? percent(r.count / exits) : ''] })), 'This kernel has none.');
}

function showLegend() {
  devices.forEach((device, i) => {
    const button = element('button'), dot = element('span', undefined, 'dot');
    dot.style.background = `var(--c${device.color})`;
    button.append(dot, `${device.name} ${number(device.count)}`);
    button.setAttribute('aria-pressed', 'true');
    button.onclick = () => {
      devices[i].shown = !devices[i].shown;
      button.setAttribute('aria-pressed', devices[i].shown);
      redraw();
    };
    $('legend').append(button);
  });
}

function listenTheme() {
  const dark = matchMedia('(prefers-color-scheme: dark)'), root = document.documentElement;
  const again = () => { readColors(); redraw(); };
  dark.addEventListener('change', again);
  $('theme').onclick = () => {
    const now = root.style.colorScheme || (dark.matches ? 'dark' : 'light');
    root.style.colorScheme = now === 'dark' ? 'light' : 'dark';
    again();
  };
}

readColors();
showFacts();
showLegend();
showFunctions();
showCounters();
listOutputs();
listenTheme();
listenTimeline();
view.watchers.push(drawTimeline, drawRate, drawCost, showRegisters);
addEventListener('resize', redraw);
view.watchers.forEach(draw => draw()); // now, and not with the next frame: so that a printed page is complete
