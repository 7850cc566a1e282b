// Who owns what: members as rows, partitions as columns.
import { html } from '../core/view.js';
import { hueOf } from '../core/hue.js';
import { onGridKey } from '../core/roving.js';
import { plural } from '../core/format.js';

const rowsAtMost = 100;
const columnsAtMost = 200;

const byPlace = (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition);

export function Matrix({ members, offsets }) {
  const owners = new Map();
  members.forEach((member, row) => (member.assignment ?? []).forEach((one) => owners.set(`${one.topic}/${one.partition}`, row)));
  const all = new Map();
  for (const one of [...offsets, ...members.flatMap((member) => member.assignment ?? [])]) all.set(`${one.topic}/${one.partition}`, { topic: one.topic, partition: one.partition });
  const columns = [...all.values()].sort(byPlace).slice(0, columnsAtMost);
  const rows = members.slice(0, rowsAtMost);
  if (rows.length === 0) return html`<p class="quiet-text">No members: nobody reads for this group right now.</p>`;
  const topics = [];
  for (const { topic } of columns) {
    if (topics.at(-1)?.topic === topic) topics.at(-1).span++;
    else topics.push({ topic, span: 1 });
  }
  return html`<div class="scroll matrix-frame"><table class="matrix" role="grid" aria-label="Members and their partitions" data-rows=${rows.length} data-columns=${columns.length} onKeyDown=${onGridKey}>
    <thead><tr><th rowspan="2" class="corner">Member</th>${topics.map(({ topic, span }) => html`<th key=${topic} colspan=${span} class="topic-head"><span class=${`swatch ${hueOf(topic)}`}></span>${topic}</th>`)}</tr>
      <tr>${columns.map((column) => html`<th key=${`${column.topic}/${column.partition}`} class="column-head">${column.partition}</th>`)}</tr></thead>
    <tbody>${rows.map((member, row) => html`<tr key=${member.memberId}>
      <th scope="row" title=${member.memberId}><span class="client">${member.instanceId ?? member.clientId ?? member.memberId}</span>
        <small>${member.clientHost ?? ''} · ${plural((member.assignment ?? []).length, 'partition')}</small></th>
      ${columns.map((column, index) => {
        const owned = owners.get(`${column.topic}/${column.partition}`) === row;
        return html`<td key=${`${column.topic}/${column.partition}`} role="gridcell" class=${owned ? `owned ${hueOf(column.topic)}` : ''} tabindex=${row === 0 && index === 0 ? 0 : -1} data-row=${row} data-column=${index}
          aria-label=${`${column.topic} ${column.partition}: ${owned ? 'owned' : 'not owned'} by ${member.clientId ?? member.memberId}`} title=${`${column.topic} ${column.partition}`}><span></span></td>`;
      })}</tr>`)}</tbody></table></div>
    ${(members.length > rowsAtMost || all.size > columnsAtMost) && html`<p class="quiet-text">${Math.min(members.length, rowsAtMost)} of ${plural(members.length, 'member')}, ${columns.length} of ${plural(all.size, 'partition')} shown.</p>`}`;
}
