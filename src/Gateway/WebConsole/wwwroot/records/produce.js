// A record by hand.
import { html, useState } from '../core/view.js';
import { Dialog } from '../core/dialog.js';
import { path, post } from '../core/api.js';
import { count } from '../core/format.js';
import { link } from '../core/route.js';

// "name: value" lines.
export function readHeaders(text) {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`Headers: “${line}” is not “name: value”.`);
    return { name: line.slice(0, colon).trim(), value: line.slice(colon + 1).trim() };
  });
}

// What is typed is what is written, byte for byte; JSON is only checked. Parsed and written anew, its large numbers would be others.
export function checkedValue(text, isJson) {
  try {
    if (isJson) JSON.parse(text);
  } catch (error) {
    throw new Error(`Value: not JSON: ${error.message}`);
  }
  return text;
}

export function Produce({ topic, partitions, partition, onClose, onProduced }) {
  const [form, setForm] = useState({ key: '', value: '', headers: '', partition: partition ?? '', isNull: false, isJson: false });
  const [failure, setFailure] = useState(null);
  const [placed, setPlaced] = useState(null);
  const [busy, setBusy] = useState(false);
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.type === 'checkbox' ? event.target.checked : event.target.value });
  const submit = async (event) => {
    event.preventDefault();
    setFailure(null);
    setPlaced(null);
    setBusy(true);
    try {
      const body = {
        key: form.key === '' ? null : form.key, value: form.isNull ? null : checkedValue(form.value, form.isJson), headers: readHeaders(form.headers),
        ...(form.partition !== '' && { partition: Number(form.partition) }),
      };
      setPlaced(await post(path`/topics/${topic}/records`, body));
      onProduced();
    } catch (error) {
      setFailure(error);
    } finally {
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${`Produce to ${topic}`} onClose=${onClose}>
    <form onSubmit=${submit} onKeyDown=${(event) => event.key === 'Enter' && (event.ctrlKey || event.metaKey) && submit(event)}>
      <div class="two"><label class="field"><span>Key</span><input name="key" class="mono" value=${form.key} onInput=${set('key')} placeholder="none" autocomplete="off" spellcheck=${false} /></label>
        <label class="field"><span>Partition</span><select value=${form.partition} onChange=${set('partition')}><option value="">by key</option>${Array.from({ length: partitions }, (_, index) => html`<option key=${index} value=${index}>${index}</option>`)}</select></label></div>
      <label class="field"><span>Value</span><textarea name="value" class="mono" rows="6" value=${form.value} disabled=${form.isNull} onInput=${set('value')} spellcheck=${false} autofocus></textarea></label>
      <div class="row"><label class="check"><input type="checkbox" checked=${form.isJson} onChange=${set('isJson')} disabled=${form.isNull} />JSON, checked before it is sent</label>
        <label class="check"><input type="checkbox" checked=${form.isNull} onChange=${set('isNull')} />null</label></div>
      <label class="field"><span>Headers</span><textarea name="headers" class="mono" rows="2" value=${form.headers} onInput=${set('headers')} placeholder="name: value, one a line" spellcheck=${false}></textarea></label>
      ${failure && html`<div class="note bad" role="alert"><p>${failure.message}</p></div>`}
      ${placed && html`<div class="note good" role="status"><p>Written to partition ${placed.partition} at offset <a href=${link('records', [topic], { partition: placed.partition, from: 'offset', offset: placed.offset })} onClick=${onClose}>${count(placed.offset)}</a>.</p></div>`}
      <footer><small>Ctrl+Enter sends</small><button type="button" onClick=${onClose}>Close</button><button type="submit" class="primary" disabled=${busy}>${busy ? 'Sending…' : 'Produce'}</button></footer>
    </form>
  </${Dialog}>`;
}
