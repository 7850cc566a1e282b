// A new topic: name, partitions, and how long it keeps what it gets.
import { html, useState } from '../core/view.js';
import { Dialog } from '../core/dialog.js';
import { post } from '../core/api.js';
import { go } from '../core/route.js';

const keeps = [['', 'the default'], ['3600000', '1 hour'], ['86400000', '1 day'], ['604800000', '7 days'], ['2592000000', '30 days'], ['-1', 'for ever']];

export function CreateTopic({ onClose }) {
  const [name, setName] = useState('');
  const [partitions, setPartitions] = useState('');
  const [retention, setRetention] = useState('');
  const [failure, setFailure] = useState(null);
  const [busy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      await post('/topics', { name, ...(partitions && { partitionCount: Number(partitions) }), ...(retention && { config: { 'retention.ms': retention } }) });
      onClose();
      go('topics', [name]);
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return html`<${Dialog} title="Create a topic" onClose=${onClose}>
    <form onSubmit=${submit}>
      <label class="field"><span>Name</span><input name="name" required value=${name} onInput=${(event) => setName(event.target.value)} maxlength="249" autocomplete="off" spellcheck=${false} autofocus />
        <small>Letters, digits, dots, dashes and underscores.</small></label>
      <label class="field"><span>Partitions</span><input name="partitions" type="number" min="1" placeholder="the default" value=${partitions} onInput=${(event) => setPartitions(event.target.value)} />
        <small>Order holds within one. There can be more later, never fewer.</small></label>
      <label class="field"><span>Keep records</span><select value=${retention} onChange=${(event) => setRetention(event.target.value)}>${keeps.map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}</select></label>
      ${failure && html`<div class="note bad" role="alert"><p>${failure.message}</p></div>`}
      <footer><button type="button" onClick=${onClose}>Cancel</button><button class="primary" type="submit" disabled=${busy || name === ''}>${busy ? 'Creating…' : 'Create'}</button></footer>
    </form>
  </${Dialog}>`;
}
