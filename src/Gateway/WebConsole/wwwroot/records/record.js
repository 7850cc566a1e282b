// One record: a line, and when it is open all of it.
import { html, useState } from '../core/view.js';
import { ago, bytes, count, plural, time } from '../core/format.js';
import { link } from '../core/route.js';
import { asBytes, asJson, asText, compact, headerValue, hexLines } from './values.js';
import { Json } from './json.js';

function Hex({ part }) {
  const { lines, left } = hexLines(part);
  return html`<pre class="hex">${lines.map((line) => html`<span class="word">${line.at}</span>${`  ${line.digits}  `}<span class="string">${line.letters}</span>${'\n'}`)}</pre>
    ${left > 0 && html`<p class="quiet-text">and ${bytes(left)} more</p>`}`;
}

export function Part({ name, part, size }) {
  const json = asJson(part);
  const [chosen, choose] = useState(null);
  const as = chosen ?? (/^\s*[[{]/.test(json ?? '') ? 'JSON' : part && 'base64' in part ? 'hex' : 'UTF-8');
  // A live stream's lines end as it pleases: between JSON's tokens it leaves carriage returns out.
  const lost = part !== null && 'json' in part && size >= 0 ? size - asBytes(part).length : 0;
  return html`<div class="part">
    <div class="part-head"><h4>${name}</h4>${size != null && size >= 0 && html`<span class="quiet-text">${bytes(size)}</span>`}
      ${part !== null && html`<div class="choice" role="group" aria-label=${`Show ${name} as`}>${['JSON', 'UTF-8', 'hex'].map((shape) =>
        html`<button key=${shape} class="small" aria-pressed=${as === shape} disabled=${shape === 'JSON' && json === undefined} onClick=${() => choose(shape)}>${shape}</button>`)}</div>`}</div>
    ${part === null ? html`<p class="quiet-text">null</p>`
      : as === 'JSON' && json !== undefined ? html`<${Json} source=${json} />`
      : as === 'hex' ? html`<${Hex} part=${part} />` : html`<pre>${asText(part)}</pre>`}
    ${lost > 0 && as !== 'JSON' && html`<p class="quiet-text">Without ${plural(lost, 'carriage return')} that a live stream cannot carry; the link to the record shows all of it.</p>`}
  </div>`;
}

// A key or value on one line.
function Preview({ part, size, most }) {
  if (part === null || part === undefined) return html`<i>null</i>`;
  if ('base64' in part) return html`<i>binary${size >= 0 ? `, ${bytes(size)}` : ''}</i> ${hexLines(part, 16).lines[0]?.digits}`;
  // Eight times: an escape is six letters for one.
  return ('json' in part ? compact(part.json.slice(0, most * 8)) : asText(part)).slice(0, most);
}

export function RecordLine({ topic, record, isOpen, onToggle }) {
  return html`<li class=${isOpen ? 'record open' : 'record'}>
    <button class="record-line" aria-expanded=${isOpen} onClick=${onToggle}>
      <span class="place"><span class="p">${record.partition}</span><span class="o">${count(record.offset)}</span></span>
      <time datetime=${record.timestamp}>${time(record.timestamp)}</time>
      <span class="key"><${Preview} part=${record.key} size=${record.keyBytes} most=${80} /></span>
      <span class="value"><${Preview} part=${record.value} size=${record.valueBytes} most=${300} /></span>
    </button>
    ${isOpen && html`<div class="record-body">
      <p class="quiet-text"><a href=${link('records', [topic], { partition: record.partition, from: 'offset', offset: record.offset })}>Link to this record</a> · ${ago(record.timestamp)}</p>
      <${Part} name="Key" part=${record.key ?? null} size=${record.keyBytes} />
      <${Part} name="Value" part=${record.value ?? null} size=${record.valueBytes} />
      ${(record.headers ?? []).length > 0 && html`<div class="part"><div class="part-head"><h4>Headers</h4></div>
        <table class="data"><tbody>${record.headers.map((header, index) => html`<tr key=${index}><th scope="row" class="mono">${header.name}</th><td class="mono wrap">${asText(headerValue(header))}</td></tr>`)}</tbody></table></div>`}
    </div>`}
  </li>`;
}
