// A topic's config: what each value is, where it comes from, and what it would be otherwise.
import { html, useState } from '../core/view.js';
import { patch, path } from '../core/api.js';
import { bytes, duration } from '../core/format.js';

// A number's largest value stands for none.
const unlimited = '9223372036854775807';

const sources = { topic: 'set here', default: 'default', cluster: 'cluster' };

// What a bare number means to a person.
function meaning(name, value) {
  const number = Number(value);
  if (String(value) === unlimited) return 'no limit';
  if (value === '' || value === null || Number.isNaN(number)) return '';
  if (name.endsWith('.ms')) return number < 0 ? 'for ever' : duration(number);
  if (name.endsWith('.bytes')) return number < 0 ? 'no limit' : bytes(number);
  return '';
}

function Entry({ topic, entry, onSaved }) {
  const [draft, setDraft] = useState(null);
  const [failure, setFailure] = useState(null);
  const save = async (value) => {
    setFailure(null);
    try {
      await patch(path`/topics/${topic}/config`, { [entry.name]: value });
      setDraft(null);
      onSaved();
    } catch (error) {
      setFailure(error);
    }
  };
  const submit = (event) => {
    event.preventDefault();
    save(draft);
  };
  return html`<tr class=${entry.source === 'topic' ? 'set' : ''}>
    <th scope="row"><span class="mono">${entry.name}</span>${entry.documentation && html`<small>${entry.documentation}</small>`}
      ${failure && html`<small class="bad-text" role="alert">${failure.message}</small>`}</th>
    <td data-label="Value">${draft === null
      ? html`<span class="mono wrap">${entry.value === '' ? html`<span class="quiet-text">empty</span>` : entry.value}</span> <small>${meaning(entry.name, entry.value)}</small>`
      : html`<form class="row" onSubmit=${submit}><input class="mono" aria-label=${entry.name} value=${draft} onInput=${(event) => setDraft(event.target.value)} onKeyDown=${(event) => event.key === 'Escape' && setDraft(null)} autofocus />
          <button class="primary small" type="submit">Save</button><button class="small" type="button" onClick=${() => setDraft(null)}>Cancel</button> <small>${meaning(entry.name, draft)}</small></form>`}</td>
    <td data-label="Source"><span class=${`source ${entry.source}`}>${sources[entry.source] ?? entry.source}</span>${' '}
      ${entry.source === 'topic' && entry.default != null && html`<small>default ${entry.default}</small>`}</td>
    <td class="actions">${draft === null && !entry.readOnly && html`<button class="quiet small" onClick=${() => setDraft(entry.value ?? '')} aria-label=${`Change ${entry.name}`}>Change</button>`}
      ${draft === null && !entry.readOnly && entry.source === 'topic' && html`<button class="quiet small" onClick=${() => save(null)} aria-label=${`Reset ${entry.name} to its default`}>Reset</button>`}</td>
  </tr>`;
}

export function ConfigEditor({ topic, config, onSaved }) {
  return html`<section><h2>Config</h2>
    <table class="list config"><thead><tr><th>Name</th><th>Value</th><th>Source</th><th><span class="hidden">Actions</span></th></tr></thead>
      <tbody>${config.map((entry) => html`<${Entry} key=${entry.name} topic=${topic} entry=${entry} onSaved=${onSaved} />`)}</tbody></table>
  </section>`;
}
