// One topic: its partitions, and its config with where each value comes from.
import { html, useState } from '../core/view.js';
import { FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { Confirm } from '../core/dialog.js';
import { patch, path, remove } from '../core/api.js';
import { bytes, count, plural } from '../core/format.js';
import { hueOf } from '../core/hue.js';
import { go, link } from '../core/route.js';
import { Rate, Sparkline } from './sparkline.js';
import { ConfigEditor } from './config.js';

const partitionsShown = 64;

function Partitions({ topic, data }) {
  const [all, setAll] = useState(false);
  const rows = all ? data.partitions : data.partitions.slice(0, partitionsShown);
  const largest = Math.max(1, ...data.partitions.map((one) => one.sizeBytes ?? 0));
  return html`<section><h2>Partitions</h2>
    <table class="list"><thead><tr><th class="number">#</th><th>Leader</th><th class="number">Epoch</th><th class="number">Log start</th><th class="number">High watermark</th><th>Size</th><th><span class="hidden">Actions</span></th></tr></thead>
      <tbody>${rows.map((one) => html`<tr key=${one.partition}>
        <th scope="row" class="number"><a href=${link('cluster', [topic, one.partition])}><span class="only-narrow">Partition </span>${one.partition}</a></th>
        <td data-label="Leader">${one.leader?.name ?? html`<span class="bad-text">none</span>`}</td>
        <td class="number" data-label="Epoch">${count(one.leaderEpoch)}</td>
        <td class="number" data-label="Log start">${count(one.logStartOffset)}</td>
        <td class="number" data-label="High watermark">${count(one.highWatermark)}</td>
        <td data-label="Size"><span class="meter"><span style=${{ width: `${(100 * (one.sizeBytes ?? 0)) / largest}%` }}></span></span><span class="mono">${bytes(one.sizeBytes)}</span></td>
        <td class="actions"><a href=${link('records', [topic], { partition: one.partition })}>Records</a></td></tr>`)}</tbody></table>
    ${!all && data.partitions.length > partitionsShown && html`<button onClick=${() => setAll(true)}>Show all ${count(data.partitions.length)}</button>`}
  </section>`;
}

function GrowPartitions({ topic, now, onClose, onDone }) {
  const [number, setNumber] = useState(String(now + 1));
  return html`<${Confirm} title=${`More partitions for ${topic}`} action=${`Grow to ${number}`} onClose=${onClose}
      act=${async () => { await patch(path`/topics/${topic}`, { partitionCount: Number(number) }); onDone(); }}>
    <p>It has ${plural(now, 'partition')}. There can be more, never fewer. Keys spread anew: from now on some of them go to another partition than before.</p>
    <label class="field"><span>Partitions</span><input type="number" min=${now + 1} value=${number} onInput=${(event) => setNumber(event.target.value)} /></label>
  </${Confirm}>`;
}

export function TopicPage({ topic }) {
  const { data, failure, reload } = useLoaded(path`/topics/${topic}`, { every: 3000 });
  const [asking, setAsking] = useState(null);
  return html`<div class="page">
    <div class="heading"><h1><a class="up" href="#/topics">Topics</a><span class=${`swatch ${hueOf(topic)}`}></span><span class="wrap">${topic}</span></h1>
      ${data && html`<p class="sum">${plural(data.partitions.length, 'partition')}, ${bytes(data.sizeBytes)}</p>`}
      ${data && html`<div class="row end"><a class="button" href=${link('records', [topic])}>Records</a><button onClick=${() => setAsking('grow')}>More partitions</button>
        <button class="danger quiet" onClick=${() => setAsking('delete')}>Delete</button></div>`}</div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="the topic" />`}
    ${data && html`<section class="rates"><div><h2>Produced</h2><${Sparkline} topic=${topic} /><${Rate} topic=${topic} /></div><div><h2>Fetched</h2><${Sparkline} topic=${topic} of="bytesOut" /><${Rate} topic=${topic} fetched /></div></section>
      <${Partitions} topic=${topic} data=${data} />
      <${ConfigEditor} topic=${topic} config=${data.config ?? []} onSaved=${reload} />
      <p class="quiet-text">Topic id <code>${data.topicId}</code></p>`}
    ${asking === 'grow' && html`<${GrowPartitions} topic=${topic} now=${data.partitions.length} onDone=${reload} onClose=${() => setAsking(null)} />`}
    ${asking === 'delete' && html`<${Confirm} title=${`Delete ${topic}?`} action="Delete the topic" danger type=${topic} onClose=${() => setAsking(null)}
        act=${async () => { await remove(path`/topics/${topic}`); go('topics'); }}>
      <p>All of its records go, at once and for good: ${plural(data.partitions.length, 'partition')}, ${bytes(data.sizeBytes)}. Clients that still use it get UNKNOWN_TOPIC_OR_PARTITION.</p>
    </${Confirm}>`}
  </div>`;
}
