// One partition, beside the board: its leader epochs, offsets, segments, producers, and who is reading.
import { html, useEffect, useRef } from '../core/view.js';
import { FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { ago, bytes, count, plural } from '../core/format.js';
import { hueOf } from '../core/hue.js';
import { link } from '../core/route.js';
import { path } from '../core/api.js';

const shownAtMost = 100;

function Table({ title, rows, heads, row, none, which = 'first' }) {
  return html`<section><h3>${title} ${rows.length > 0 && html`<span class="quiet-text">${count(rows.length)}</span>`}</h3>
    ${rows.length === 0 ? html`<p class="quiet-text">${none}</p>`
      : html`<div class="scroll"><table class="data"><thead><tr>${heads.map((head) => html`<th key=${head}>${head}</th>`)}</tr></thead>
        <tbody>${rows.slice(0, shownAtMost).map((one, index) => html`<tr key=${index}>${row(one).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>
        ${rows.length > shownAtMost && html`<p class="quiet-text">The ${which} ${shownAtMost} of ${count(rows.length)}.</p>`}`}
  </section>`;
}

function Facts({ data }) {
  const leader = data.leader;
  const facts = [
    ['Leader', leader ? `${leader.name} (node ${leader.nodeId})` : 'none'],
    ['Leader epoch', count(data.leaderEpoch)],
    ['Log start', count(data.logStartOffset)],
    ['High watermark', count(data.highWatermark)],
    ['Records', count(data.highWatermark - data.logStartOffset)],
    ['Size', bytes(data.sizeBytes)],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function Details({ data }) {
  const newestFirst = (rows) => [...(rows ?? [])].reverse();
  return html`<${Facts} data=${data} />
    <${Table} title="Segments" rows=${newestFirst(data.segments)} which="newest" heads=${['Offsets', 'Size', 'Newest record']} none="Nothing stored yet."
      row=${(one) => [`${count(one.baseOffset)} – ${count(one.endOffset)}`, bytes(one.sizeBytes), html`${ago(one.maxTimestamp)}${one.isActive && html` <small>still written</small>`}`]} />
    <${Table} title="Leader epochs" rows=${newestFirst(data.leaderEpochs)} which="newest" heads=${['Epoch', 'From offset']} none="None yet: nothing was ever appended."
      row=${(one) => [count(one.leaderEpoch), count(one.startOffset)]} />
    <${Table} title="Producers" rows=${data.producers ?? []} heads=${['Id', 'Epoch', 'Last sequence', 'Newest record']} none="No idempotent producer is remembered."
      row=${(one) => [one.producerId, one.producerEpoch, one.lastSequence, ago(one.lastTimestamp)]} />
    <${Table} title="Fetching" rows=${data.readers} heads=${['Reader', 'Offset', 'Behind', 'Last fetch']} none="Nobody has read here in the last minutes."
      row=${(one) => [one.clientId, count(one.offset), one.offset >= data.highWatermark ? 'caught up' : count(data.highWatermark - one.offset), ago(one.lastFetchAt)]} />
    ${data.waitingReaders > 0 && html`<p class="quiet-text">${plural(data.waitingReaders, 'reader')} at the end of the log, waiting for more.</p>`}`;
}

export function PartitionPanel({ topic, partition, onClose }) {
  const { data, failure, reload } = useLoaded(path`/topics/${topic}/partitions/${partition}`, { every: 2000 });
  const panel = useRef(null);
  useEffect(() => {
    const former = document.activeElement;
    panel.current.focus();
    return () => former?.focus?.();
  }, []);
  return html`<aside class="panel" ref=${panel} tabindex="-1" aria-label=${`${topic}, partition ${partition}`}
      onKeyDown=${(event) => event.key === 'Escape' && onClose()}>
    <header><h2><span class=${`swatch ${hueOf(topic)}`}></span><span class="wrap">${topic}</span><span class="quiet-text">partition ${partition}</span></h2>
      <button class="quiet icon" onClick=${onClose} aria-label="Close">✕</button></header>
    <p class="links"><a href=${link('records', [topic], { partition })}>Records</a><a href=${link('topics', [topic])}>Topic</a></p>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${data ? html`<${Details} data=${data} />` : !failure && html`<${Waiting} what="the partition" />`}
  </aside>`;
}
