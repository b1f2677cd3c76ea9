// What the guests printed, line by line with its time, beside the charts. Only ever set as text.

let shownGuest = 0;

// Colours and cursor movements are left out; other control characters get their pictures.
function readable(text) {
  return text.replace(/\x1b\[[0-9;?]*[ -/]*[@-~]/g, '').replace(/\r?\n$/, '').replace(/\r/g, '')
    .replace(/[\x00-\x08\x0b-\x1f\x7f]/g, c => c === '\x7f' ? '\u2421' : String.fromCharCode(0x2400 + c.charCodeAt(0)));
}

function showOutput(index) {
  const guest = data.guests[index], list = $('lines');
  let open = false;
  shownGuest = index;
  list.replaceChildren();
  if (guest.outputDropped > 0) list.append(element('div', `(${number(guest.outputDropped)} bytes before this are not kept)`));
  for (const [time, text] of guest.output) {
    const line = element('div', undefined, open ? 'more' : '');
    line.dataset.time = time;
    line.append(element('time', duration(time, 4)), element('pre', readable(text)));
    line.onclick = () => {
      const half = (view.to - view.from) / 2;
      pin(time);
      if (time < view.from || time > view.to) look(time - half, time + half);
      findOutput(time);
    };
    list.append(line);
    open = !text.endsWith('\n');
  }
  if (guest.output.length === 0) list.append(element('div', '(it printed nothing)'));
  $('output-note').textContent = `${number(guest.outputBytes)} bytes, ${number(guest.output.length)} pieces`;
  for (const tab of $('tabs').children) tab.setAttribute('aria-pressed', tab.dataset.guest == index);
}

// Marks what stood there at that time, and scrolls to it.
function findOutput(time) {
  const lines = [...$('lines').querySelectorAll('[data-time]')];
  const at = firstAt(lines.map(l => Number(l.dataset.time)), time + 1) - 1;
  lines.forEach((line, i) => line.classList.toggle('here', i === at));
  if (at >= 0) {
    const list = $('lines');
    list.scrollTop = lines[at].offsetTop - list.offsetTop - list.clientHeight / 2;
  }
}

function listOutputs() {
  if (data.guests.length > 1)
    data.guests.forEach((guest, i) => {
      const tab = element('button', `guest ${guest.index}`);
      tab.dataset.guest = i;
      tab.title = guest.name;
      tab.onclick = () => showOutput(i);
      $('tabs').append(tab);
    });
  showOutput(0);
}
