// Uses the page as a reader would, and leaves in the document what came of it: for test_report.py, after the page's code.
{
  const c = document.getElementById('timeline'), box = c.getBoundingClientRect(), said = {};
  const mouse = (type, x, y) => c.dispatchEvent(new PointerEvent(type, {
    clientX: box.left + x, clientY: box.top + y, button: 0, bubbles: true }));
  const row = layout.rows.find(r => r.kind === 'lane'), lane = row.lane, middle = row.y + row.height / 2;
  const before = view.to - view.from;

  mouse('pointermove', timeX(lane.time[0], c.clientWidth) + 0.5, middle);
  said.tip = document.getElementById('tip').textContent;
  mouse('pointerdown', timeX(lane.time[2], c.clientWidth) - 3, middle);
  mouse('pointermove', timeX(lane.time[9], c.clientWidth) + 3, middle);
  mouse('pointerup', timeX(lane.time[9], c.clientWidth) + 3, middle);
  said.zoomed = view.to - view.from < before && view.from < lane.time[2] && view.to > lane.time[9];
  mouse('dblclick', 300, middle);
  said.all = view.to - view.from === before;
  mouse('pointerdown', c.clientWidth - 2, middle);
  mouse('pointerup', c.clientWidth - 2, middle);
  said.here = document.querySelector('.here pre').textContent;
  c.dispatchEvent(new KeyboardEvent('keydown', { key: '+' }));
  said.key = (view.to - view.from) / before;
  document.querySelector('#lines [data-time]').click();
  said.cursor = view.cursor === data.guests[0].output[0][0];
  document.querySelector('#legend button').click();
  let left = 0;
  look(whole.from, whole.to);
  visit(() => left++);
  said.hidden = lane.n - left;
  document.getElementById('theme').click();
  said.scheme = document.documentElement.style.colorScheme;
  const note = document.body.appendChild(document.createElement('pre'));
  note.id = 'said';
  note.textContent = JSON.stringify(said);
}
