// What happened, in plain sentences, newest first. As many as the stream's own memory has.
import { html, useState } from '../core/view.js';
import { count, time } from '../core/format.js';
import { feed } from './live.js';

const atFirst = 30;
const grave = new Set(['silo-suspected', 'silo-dead']);

export function Feed() {
  const [all, setAll] = useState(false);
  const shown = all ? feed.value : feed.value.slice(0, atFirst);
  return html`<section class="feed" aria-label="What happened">
    <div class="section-head"><h2>What happened</h2>
      ${feed.value.length > atFirst && html`<button class="quiet small" onClick=${() => setAll(!all)}>${all ? 'Show less' : `Show all ${count(feed.value.length)}`}</button>`}</div>
    ${shown.length === 0 ? html`<p class="quiet-text">Nothing since this server started.</p>`
      : html`<ol>${shown.map((event) => html`<li key=${event.entry} class=${grave.has(event.kind) ? 'grave' : ''}>
        <time datetime=${event.at}>${time(event.at)}</time><span>${event.text}</span></li>`)}</ol>`}
  </section>`;
}
