// One group: its members, how far each partition is read, and moving it.
import { html, useEffect, useState } from '../core/view.js';
import { FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { Confirm } from '../core/dialog.js';
import { eachOf, get, path, remove } from '../core/api.js';
import { count, duration, plural, time } from '../core/format.js';
import { go } from '../core/route.js';
import { feed, lastGroupEvent } from '../cluster/live.js';
import { Matrix } from './matrix.js';
import { Ruler } from './ruler.js';
import { ResetPlan, ResetTarget } from './reset.js';
import { unreadExpiry } from './expiry.js';
import { useOthers } from './others.js';
import { catchUpMs, sample, speeds } from './lag.js';

const rulersAtFirst = 24;
const refresh = 2000;

// A topic's limit as a number; Infinity: there is none; null: not known.
function limitOf(config, name) {
  const entry = (config ?? []).find((one) => one.name === name);
  return entry === undefined ? null : Number(entry.value) < 0 ? Infinity : Number(entry.value);
}

const isActive = (data) => (data.members ?? []).length > 0;

// Retention and segments of the partitions in view: what the red zones are made of. Asked anew every half minute.
function useStorage(places) {
  const [found, setFound] = useState(new Map());
  const wanted = places.map((place) => `${place.topic}/${place.partition}`).join('\n');
  useEffect(() => {
    let over = false;
    const load = async () => {
      const limits = new Map();
      await eachOf(new Set(places.map((place) => place.topic)), async (topic) => {
        const { config } = await get(path`/topics/${topic}`).catch(() => ({}));
        limits.set(topic, { retentionMs: limitOf(config, 'retention.ms'), retentionBytes: limitOf(config, 'retention.bytes') });
      });
      await eachOf(places, async ({ topic, partition }) => {
        if (over) return;
        // Without it there is no red zone; everything else of the page stands, and says itself what it cannot reach.
        const details = await get(path`/topics/${topic}/partitions/${partition}`).catch(() => null);
        if (!over && details) setFound((former) => new Map(former).set(`${topic}/${partition}`, { ...limits.get(topic), segments: details.segments }));
      });
    };
    load();
    const timer = setInterval(load, 30_000);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [wanted]);
  return found;
}

const lagText = ({ lag, lagMs }) => (lag === null ? 'not known now' : lag === 0 ? 'caught up' : `${count(lag)} behind${lagMs === null ? '' : `, ${duration(lagMs)}`}`);
const catchUpText = (ms) => (ms === null ? 'measuring…' : ms === Infinity ? 'never, at this speed' : `caught up in ${duration(ms)}`);

function Rulers({ group, data, samples, onPlan }) {
  const [limit, setLimit] = useState(rulersAtFirst);
  const places = (data.offsets ?? []).filter((one) => one.topic != null && one.committedOffset != null && one.committedOffset >= 0)
    .sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
  const shown = places.slice(0, limit);
  const storage = useStorage(shown);
  const others = useOthers(group);
  if (places.length === 0) return html`<p class="quiet-text">It has committed no position yet.</p>`;
  return html`<div class="rulers">${shown.map((one) => {
    const key = `${one.topic}/${one.partition}`;
    // Where the partition cannot be asked, its ruler has the position alone.
    const place = { ...one, logStartOffset: one.logStartOffset ?? one.committedOffset, highWatermark: one.highWatermark ?? one.committedOffset };
    const speed = speeds(samples.get(key));
    const kept = storage.get(key);
    // Nothing is in danger until it is known how fast the group reads.
    const expiry = kept && speed && unreadExpiry({
      position: Math.max(place.committedOffset, place.logStartOffset), ...kept, readsPerSecond: speed.reads, growsPerSecond: speed.grows, now: Date.now(),
    });
    return html`<${Ruler} key=${key} place=${place} expiry=${expiry} others=${others.get(key)} onPlan=${onPlan}
      lagText=${lagText(one)} catchUp=${one.lag > 0 ? catchUpText(catchUpMs(one.lag, speed)) : ''} />`;
  })}</div>
    ${places.length > limit && html`<button onClick=${() => setLimit(limit + rulersAtFirst)}>Show ${Math.min(rulersAtFirst, places.length - limit)} more of ${count(places.length)}</button>`}`;
}

// What the cluster's timeline says of this group: why it rebalanced, and how that ended.
function Rebalances({ group }) {
  const mine = feed.value.filter((event) => event.groupId === group).slice(0, 20);
  return html`<section><div class="section-head"><h2>Rebalances</h2></div>
    ${mine.length === 0 ? html`<p class="quiet-text">None lately.</p>`
      : html`<ol class="log">${mine.map((event) => html`<li key=${event.entry}><time datetime=${event.at}>${time(event.at)}</time><span>${event.text}</span></li>`)}</ol>`}
  </section>`;
}

// A reset of one partition by its offsets, one of several by their number.
function toldReset({ partitions, reason, by, whileActive }) {
  const [first] = partitions;
  const what = partitions.length === 1 ? `${first.topic ?? first.topicId} ${first.partition}: ${first.from === null ? 'no position' : count(first.from)} → ${first.to === null ? 'no position' : count(first.to)}` : plural(partitions.length, 'partition');
  return [what, whileActive && 'while it had members', reason && `“${reason}”`, by && `by ${by}`].filter(Boolean).join(', ');
}

// Asked for when somebody wants it, and after each reset.
function Resets({ group, version, onUndo }) {
  const [isOpen, setOpen] = useState(false);
  const { data, failure, reload } = useLoaded(isOpen || version > 0 ? path`/groups/${group}/resets` : null);
  useEffect(() => { if (version > 0) reload(); }, [version]);
  const resets = data?.resets ?? [];
  return html`<section><div class="section-head"><h2>Resets</h2>${!isOpen && version === 0 && html`<button class="quiet small" onClick=${() => setOpen(true)}>Show the history</button>`}</div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${data && resets.length === 0 && html`<p class="quiet-text">Never reset.</p>`}
    ${resets.length > 0 && html`<ol class="log resets">${resets.slice(0, 50).map((reset) => html`<li key=${reset.resetId}><time datetime=${reset.at}>${time(reset.at)}</time>
      <span>${toldReset(reset)} <button class="link" onClick=${() => onUndo(reset)}>Undo…</button></span></li>`)}</ol>`}
  </section>`;
}

function Summary({ data, samples }) {
  const offsets = data.offsets ?? [];
  const behind = offsets.filter((one) => one.lag > 0);
  const isUnknown = behind.length === 0 && offsets.some((one) => one.lag === null);
  const lag = behind.reduce((sum, one) => sum + one.lag, 0);
  const times = behind.map((one) => one.lagMs).filter((ms) => ms !== null);
  const ends = behind.map((one) => catchUpMs(one.lag, speeds(samples.get(`${one.topic}/${one.partition}`))));
  const facts = [
    ['State', html`<span class=${`state ${data.state}`}>${data.state}</span>`], ['Members', count((data.members ?? []).length)],
    ['Behind', isUnknown ? 'not known now' : lag === 0 ? 'caught up' : plural(lag, 'record')], ['In time', isUnknown ? '–' : lag === 0 ? 'caught up' : times.length > 0 ? duration(Math.max(...times)) : '–'],
    ['Will be there', isUnknown ? '–' : lag === 0 ? 'now' : ends.includes(null) ? 'measuring…' : catchUpText(Math.max(...ends))],
    [data.type === 'consumer' ? 'Group epoch' : 'Generation', count(data.generation)], ['Protocol', [data.type, data.protocol].filter(Boolean).join(', ')],
    ['Coordinator', data.coordinator?.name ?? '–'],
  ];
  return html`<dl class="facts wide">${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function GroupPage({ group }) {
  const { data, failure, reload } = useLoaded(path`/groups/${group}`, { every: refresh });
  const [samples, setSamples] = useState(new Map());
  const [request, setRequest] = useState(null);
  const [asking, setAsking] = useState(null);
  const [resets, setResets] = useState(0);
  const event = lastGroupEvent.value;
  useEffect(() => { if (event?.groupId === group) reload(); }, [event]);
  useEffect(() => { if (data) setSamples((former) => sample(former, data.offsets ?? [], Date.now())); }, [data]);
  const topics = [...new Set((data?.offsets ?? []).map((one) => one.topic))].sort();
  const planMove = (place, target) => setRequest({ to: { offset: target }, partitions: [{ topic: place.topic, partition: place.partition }] });
  return html`<div class="page">
    <div class="heading"><h1><a class="up" href="#/groups">Groups</a><span class="wrap">${group}</span></h1>
      ${data && html`<div class="row end"><button disabled=${topics.length === 0} onClick=${() => setAsking('reset')}>Reset…</button>
        <button class="danger quiet" disabled=${isActive(data)} title=${isActive(data) ? 'It has members' : ''} onClick=${() => setAsking('delete')}>Delete</button></div>`}</div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="the group" />`}
    ${data && html`<${Summary} data=${data} samples=${samples} />
      <section><h2>Members and their partitions</h2><${Matrix} members=${data.members ?? []} offsets=${data.offsets ?? []} /></section>
      <section><h2>Positions</h2><p class="quiet-text">From the retention floor to the high watermark. Drag a flag, or move it with the arrow keys and press Enter, to see what a reset there would do.</p>
        <${Rulers} group=${group} data=${data} samples=${samples} onPlan=${planMove} /></section>
      <div class="below"><${Rebalances} group=${group} /><${Resets} group=${group} version=${resets} onUndo=${(reset) => setRequest({ to: { beforeReset: reset.resetId } })} /></div>`}
    ${asking === 'reset' && html`<${ResetTarget} topics=${topics} onClose=${() => setAsking(null)} onPlan=${(wanted) => { setAsking(null); setRequest(wanted); }} />`}
    ${asking === 'delete' && html`<${Confirm} title=${`Delete ${group}?`} action="Delete the group" danger type=${group} onClose=${() => setAsking(null)} act=${async () => { await remove(path`/groups/${group}`); go('groups'); }}>
      <p>Its ${plural((data.offsets ?? []).length, 'position')} go for good. Who reads in its name next begins where its own settings say.</p></${Confirm}>`}
    ${request && html`<${ResetPlan} group=${group} request=${request} onClose=${() => { setRequest(null); reload(); }} onDone=${() => setResets(resets + 1)} />`}
  </div>`;
}
