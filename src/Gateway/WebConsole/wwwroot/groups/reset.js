// A reset in two steps: the plan says what would be read again or passed over; only then, and asked once more, it happens.
import { html, useEffect, useState } from '../core/view.js';
import { Dialog } from '../core/dialog.js';
import { FailureNote, Waiting } from '../core/loading.js';
import { path, post } from '../core/api.js';
import { bytes, count, plural } from '../core/format.js';

const rowsAtMost = 200;

const clamps = { 'log-start': 'the log begins there', 'high-watermark': 'the log ends there' };
const offset = (value) => (value === null ? 'none' : count(value));

function effect(one) {
  if (one.error) return html`<span class="bad-text">${one.message ?? one.error}: stays</span>`;
  if (one.to === one.from) return 'stays';
  const clamp = clamps[one.clamp] ? ` (${clamps[one.clamp]})` : '';
  if (one.to === null) return 'forgotten';
  if (one.from === null) return `set for the first time${clamp}`;
  return `${plural(Math.abs(one.records ?? one.from - one.to), 'record')} ${one.to < one.from ? 'read again' : 'passed over'}${clamp}`;
}

function Plan({ plan }) {
  const rows = plan.partitions ?? [];
  return html`<div class="scroll plan"><table class="data"><thead><tr><th>Partition</th><th class="number">From</th><th class="number">To</th><th>What happens</th><th class="number">Size</th></tr></thead>
    <tbody>${rows.slice(0, rowsAtMost).map((one) => html`<tr key=${`${one.topic}/${one.partition}`}><th scope="row">${one.topic} ${one.partition}</th><td class="number">${offset(one.from)}</td><td class="number">${offset(one.to)}</td>
      <td>${effect(one)}</td><td class="number">${bytes(one.sizeBytes)}</td></tr>`)}</tbody></table></div>
    ${rows.length > rowsAtMost && html`<p class="quiet-text">The first ${rowsAtMost} of ${count(rows.length)}.</p>`}`;
}

const changesOf = (plan) => plan.partitions.some((one) => !one.error && one.to !== one.from);

function summary(plan) {
  const sum = (rows, of) => rows.reduce((total, row) => total + Math.abs(row[of] ?? 0), 0);
  const placed = plan.partitions.filter((one) => !one.error && one.from !== null && one.to !== null);
  const back = placed.filter((one) => one.to < one.from);
  const on = placed.filter((one) => one.to > one.from);
  const parts = [];
  if (back.length > 0) parts.push(`${plural(sum(back, 'records'), 'record')} (${bytes(sum(back, 'sizeBytes'))}) would be read again`);
  if (on.length > 0) parts.push(`${plural(sum(on, 'records'), 'record')} (${bytes(sum(on, 'sizeBytes'))}) would be passed over`);
  return parts.length === 0 ? changesOf(plan) ? 'Positions would be set or forgotten; no record is passed over or read again.' : 'Nothing would change.' : `${parts.join(', ')}.`;
}

// request: { to, topics | partitions } as the API takes it.
export function ResetPlan({ group, request, onClose, onDone }) {
  const [plan, setPlan] = useState(null);
  const [failure, setFailure] = useState(null);
  const [reason, setReason] = useState('');
  const [sure, setSure] = useState(false);
  const [evenIfActive, setEvenIfActive] = useState(false);
  const [busy, setBusy] = useState(false);
  const address = path`/groups/${group}/resets`;
  const ask = () => {
    setFailure(null);
    post(address, { ...request, plan: true }).then(setPlan, setFailure);
  };
  useEffect(ask, []);
  const execute = async (event) => {
    event.preventDefault();
    if (!sure) {
      setSure(true);
      return;
    }
    setBusy(true);
    setFailure(null);
    try {
      await post(address, { planId: plan.planId, ...(reason && { reason }), ...(evenIfActive && { evenIfActive }) });
      onDone();
      onClose();
    } catch (error) {
      setFailure(error);
      setSure(false);
      setBusy(false);
    }
  };
  const changes = plan !== null && changesOf(plan);
  const isActive = plan !== null && plan.activeMembers > 0;
  return html`<${Dialog} title=${`Reset plan for ${group}`} wide onClose=${onClose}>
    ${!plan && !failure && html`<${Waiting} what="the plan" />`}
    ${failure && html`<${FailureNote} failure=${failure} retry=${plan ? null : ask} />`}
    ${plan && html`<form onSubmit=${execute}>
      <p class="plan-sum" role="status">${summary(plan)}</p>
      <${Plan} plan=${plan} />
      <label class="field"><span>Reason</span><input name="reason" value=${reason} maxlength="200" onInput=${(event) => setReason(event.target.value)} placeholder="for the history" autocomplete="off" /></label>
      ${isActive && html`<label class="check"><input type="checkbox" checked=${evenIfActive} onChange=${(event) => setEvenIfActive(event.target.checked)} />Reset although the group has ${plural(plan.activeMembers, 'member')}: each goes on where it is, and commits from there, until its partitions are assigned anew.</label>`}
      <footer>${sure && html`<strong class="bad-text" role="alert">Move ${group} for good?</strong>`}<button type="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${sure ? 'danger' : 'primary'} disabled=${busy || !changes || (isActive && !evenIfActive)}>${busy ? 'Resetting…' : sure ? 'Yes, reset' : 'Reset…'}</button></footer>
    </form>`}
  </${Dialog}>`;
}

const ways = [['earliest', 'Oldest record'], ['latest', 'End'], ['durationMs', 'So long ago'], ['timestamp', 'A time'], ['by', 'By so many records']];
const spans = [['900000', '15 minutes'], ['3600000', '1 hour'], ['21600000', '6 hours'], ['86400000', '1 day'], ['604800000', '7 days']];

// Where a whole group should go.
export function ResetTarget({ topics, onPlan, onClose }) {
  const [way, setWay] = useState('earliest');
  const [topic, setTopic] = useState('');
  const [value, setValue] = useState('');
  const submit = (event) => {
    event.preventDefault();
    const to = { earliest: true, latest: true, durationMs: Number(value || spans[1][0]), timestamp: value && new Date(value).toISOString(), by: Number(value) }[way];
    onPlan({ to: { [way]: to }, topics: topic === '' ? topics : [topic] });
  };
  const choose = (event) => {
    setWay(event.target.value);
    setValue('');
  };
  return html`<${Dialog} title="Reset positions" onClose=${onClose}><form onSubmit=${submit}>
    <label class="field"><span>Topic</span><select value=${topic} onChange=${(event) => setTopic(event.target.value)}><option value="">all of the group's</option>${topics.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}</select></label>
    <label class="field"><span>To</span><select value=${way} onChange=${choose}>${ways.map(([name, label]) => html`<option key=${name} value=${name}>${label}</option>`)}</select></label>
    ${way === 'durationMs' && html`<label class="field"><span>Ago</span><select value=${value || spans[1][0]} onChange=${(event) => setValue(event.target.value)}>${spans.map(([ms, label]) => html`<option key=${ms} value=${ms}>${label}</option>`)}</select></label>`}
    ${way === 'timestamp' && html`<label class="field"><span>Time</span><input type="datetime-local" step="1" required value=${value} onInput=${(event) => setValue(event.target.value)} /></label>`}
    ${way === 'by' && html`<label class="field"><span>Records</span><input type="number" required value=${value} onInput=${(event) => setValue(event.target.value)} placeholder="-100 goes back" /></label>`}
    <footer><button type="button" onClick=${onClose}>Cancel</button><button class="primary" type="submit">Show the plan</button></footer>
  </form></${Dialog}>`;
}
