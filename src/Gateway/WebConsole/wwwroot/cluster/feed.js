// What happened, in plain sentences, newest first. When a silo dies, hundreds of partitions say the same: of those a few are shown.
import { html, useState } from '../core/view.js';
import { count, time } from '../core/format.js';
import { feed } from './live.js';

const atFirst = 30;
const ofOneKind = 3;
const grave = new Set(['silo-suspected', 'silo-dead']);

// Runs of one kind, each as its first few events and how many more there are.
function* runs(events) {
  for (let at = 0; at < events.length;) {
    let end = at + 1;
    while (end < events.length && events[end].kind === events[at].kind) end++;
    const few = end - at <= ofOneKind + 1 ? end - at : ofOneKind;
    for (let index = at; index < at + few; index++) yield { event: events[index] };
    if (at + few < end) yield { more: end - at - few, like: events[at] };
    at = end;
  }
}

export function Feed() {
  const [all, setAll] = useState(false);
  const lines = all ? feed.value.map((event) => ({ event })) : [...runs(feed.value)].slice(0, atFirst);
  return html`<section class="feed" aria-label="What happened">
    <div class="section-head"><h2>What happened</h2>
      ${feed.value.length > lines.length || all ? html`<button class="quiet small" onClick=${() => setAll(!all)}>${all ? 'Show less' : `Show all ${count(feed.value.length)}`}</button>` : null}</div>
    ${lines.length === 0 ? html`<p class="quiet-text">Nothing since this server started.</p>`
      : html`<ol>${lines.map(({ event, more, like }) => (event
        ? html`<li key=${`${event.at}${event.kind}${event.text}`} class=${grave.has(event.kind) ? 'grave' : ''}><time datetime=${event.at}>${time(event.at)}</time><span>${event.text}</span></li>`
        : html`<li key=${`more${like.at}${like.kind}`}><time></time><span class="quiet-text">and ${count(more)} more like these</span></li>`))}</ol>`}
  </section>`;
}
