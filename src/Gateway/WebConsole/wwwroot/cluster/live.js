// What the cluster is doing right now, from its one live stream: silos, partitions, rates, and what has happened. Everything here has a fixed
// length or is as large as the cluster, and the page is told at most once per frame however many events there were.
import { signal, batch } from '@preact/signals';
import { LiveStream } from '../core/stream.js';
import { Ring } from '../core/ring.js';
import { Failovers } from './failovers.js';

const secondsOfRates = 60;
const binsKept = 1200; // of 100 ms: two minutes
const eventsKept = 200;
const goneSilosAreShownFor = 60_000;
const goneSilosKept = 32;

export const connection = signal({ state: 'connecting', retryAt: 0 });
export const silos = signal([]);
export const board = signal({ changed: null }); // new whenever `partitions` changes; changed: the keys of those that did, null where it may be any
export const totals = signal({ partitions: 0, away: 0 });
export const topicNames = signal([]); // of the partitions, in order
export const feed = signal([]); // newest first
export const failover = signal(null); // the newest death, as Failovers.last
export const ratesTick = signal(0);
export const lastGroupEvent = signal(null);
export const isKnown = signal(false); // whether a snapshot has arrived

export const partitions = new Map(); // "topic/3" -> partition
export const rates = new Map(); // topic -> Ring of { recordsIn, bytesIn, bytesOut }
export const bins = { ring: new Ring(binsKept, null), end: 0 };

const known = new Map(); // silos by node id
const events = new Map(); // the newest entries of the timeline by their number, oldest first
const failovers = new Failovers();
let clockSkew = 0;
let frame = 0;
let dirty = {};
let changed = null; // as in `board`
let away = 0;
const topics = new Map(); // name -> how many partitions of it there are
let sweeping = 0;

// The server's clock, as near as the last snapshot told it.
export const serverNow = () => Date.now() + clockSkew;

const keyOf = (topic, partition) => `${topic}/${partition}`;

function tell(what) {
  dirty[what] = true;
  // A page in the background gets no frames; it is drawn when somebody looks again.
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const due = dirty;
    dirty = {};
    batch(() => {
      isKnown.value = true;
      if (due.silos) silos.value = [...known.values()].sort((a, b) => a.nodeId - b.nodeId).map((silo) => ({ ...silo }));
      if (due.board) {
        board.value = { changed };
        changed = new Set();
        if (totals.value.partitions !== partitions.size || totals.value.away !== away) totals.value = { partitions: partitions.size, away };
      }
      if (due.topics) topicNames.value = [...topics.keys()].sort();
      if (due.feed) {
        feed.value = [...events.values()].reverse();
        failover.value = failovers.last;
      }
      if (due.rates) ratesTick.value++;
    });
  });
}

// The one way into `partitions`: what is counted of them is counted here.
function put(partition) {
  const former = partitions.get(partition.key);
  partitions.set(partition.key, partition);
  if (former?.state !== partition.state) away += (partition.state !== 'open') - (former !== undefined && former.state !== 'open');
  changed?.add(partition.key);
  tell('board');
  if (former !== undefined) return;
  topics.set(partition.topic, (topics.get(partition.topic) ?? 0) + 1);
  if (topics.get(partition.topic) === 1) tell('topics');
}

// And the one way out.
function drop(key) {
  const partition = partitions.get(key);
  if (partition === undefined) return;
  partitions.delete(key);
  if (partition.state !== 'open') away--;
  changed = null; // Rare, and a set that named what is no more would grow while nobody looks.
  tell('board');
  const left = topics.get(partition.topic) - 1;
  if (left > 0) topics.set(partition.topic, left);
  else {
    topics.delete(partition.topic);
    tell('topics');
  }
}

function onSnapshot(snapshot) {
  if (snapshot.now) clockSkew = new Date(snapshot.now).getTime() - Date.now();
  const present = new Set(snapshot.silos.map((silo) => silo.nodeId));
  for (const { partitions: _, ...silo } of snapshot.silos) {
    const goneAt = isGone(silo.state) ? known.get(silo.nodeId)?.goneAt ?? Date.now() : null;
    known.set(silo.nodeId, { ...silo, goneAt });
  }
  for (const silo of known.values()) if (!present.has(silo.nodeId)) leave(silo, 'dead');
  sweep();
  const seen = new Set(snapshot.partitions.map((one) => keyOf(one.topic, one.partition)));
  for (const key of [...partitions.keys()]) if (!seen.has(key)) drop(key);
  for (const one of snapshot.partitions) place(one.topic, one.partition, one);
  // It has all that this process tells: what another one told before goes.
  events.clear();
  for (const event of snapshot.timeline ?? []) keep(event);
  for (const what of ['silos', 'board', 'feed']) tell(what);
}

function place(topic, index, change) {
  const key = keyOf(topic, index);
  const former = partitions.get(key);
  const nodeId = change.nodeId ?? former?.nodeId ?? null;
  const now = performance.now();
  const moved = former !== undefined && former.nodeId !== null && nodeId !== former.nodeId;
  const wasAway = former !== undefined && former.state !== 'open';
  const reopened = change.state === 'open' && (moved || wasAway);
  const took = change.gapMs ?? (wasAway ? now - former.since : null);
  put({
    key, topic, partition: index, nodeId,
    leaderEpoch: change.leaderEpoch ?? former?.leaderEpoch ?? -1,
    state: change.state,
    since: former?.state === change.state ? former.since : now,
    slideMs: moved ? Math.max(150, Math.min(1500, took ?? 150)) : former?.slideMs ?? 150,
    gapMs: reopened && change.gapMs != null ? change.gapMs : former?.gapMs ?? null,
    gapAt: reopened && change.gapMs != null ? now : former?.gapAt ?? null,
  });
}

const isGone = (state) => state === 'dead' || state === 'left';

function leave(silo, state) {
  if (silo.state === state && silo.goneAt) return;
  silo.state = state;
  silo.goneAt = Date.now();
  for (const partition of partitions.values()) {
    if (partition.nodeId === silo.nodeId && partition.state === 'open') put({ ...partition, state: 'away', since: performance.now() });
  }
}

// Gone silos are shown for a while, and as long as a partition has no other home; but never more of them than are kept.
function sweep() {
  clearTimeout(sweeping);
  const gone = [...known.values()].filter((silo) => silo.goneAt).sort((a, b) => b.goneAt - a.goneAt);
  if (gone.length === 0) return;
  const homes = new Set([...partitions.values()].map((partition) => partition.nodeId));
  const now = Date.now();
  const over = gone.filter((silo, place) => place >= goneSilosKept || (now - silo.goneAt >= goneSilosAreShownFor && !homes.has(silo.nodeId)));
  for (const silo of over) known.delete(silo.nodeId);
  if (over.length > 0) tell('silos');
  if (over.length < gone.length) sweeping = setTimeout(sweep, 5000);
}

function onSilo(event) {
  if (event.state === 'gone') known.delete(event.nodeId); // forgotten by the cluster, or back under another number
  else {
    const silo = known.get(event.nodeId) ?? { nodeId: event.nodeId, name: event.name, address: event.address ?? '' };
    known.set(event.nodeId, silo);
    if (isGone(event.state)) leave(silo, event.state);
    else Object.assign(silo, { ...event, goneAt: null });
    sweep();
  }
  tell('silos');
}

function onPartition(event) {
  if (event.state === 'deleted') drop(keyOf(event.topic, event.partition));
  else {
    place(event.topic, event.partition, event);
    if (event.state === 'open' && event.gapMs != null) failovers.opened(serverNow(), event.gapMs);
  }
}

function onRates(event) {
  for (const [topic, rate] of Object.entries(event.topics ?? {})) {
    if (!rates.has(topic)) rates.set(topic, new Ring(secondsOfRates));
  }
  for (const [topic, ring] of rates) {
    ring.push(event.topics?.[topic] ?? { recordsIn: 0, bytesIn: 0, bytesOut: 0 });
    if (event.topics?.[topic] === undefined && ring.toArray().every((rate) => rate.recordsIn === 0 && rate.bytesOut === 0)) rates.delete(topic);
  }
  const successes = event.successes ?? [];
  bins.end = event.at ? new Date(event.at).getTime() : serverNow();
  successes.forEach((ok, index) => bins.ring.push({ at: bins.end - (successes.length - index) * 100, ok, bad: event.errors?.[index] ?? 0 }));
  tell('rates');
}

// An event with the number of a former one takes its place: more has happened of the same.
function keep(event) {
  events.set(event.entry, event);
  if (events.size > eventsKept) events.delete(events.keys().next().value);
  failovers.add(event);
}

function onTimeline(event) {
  keep(event);
  tell('feed');
}

function onGroup(event) {
  lastGroupEvent.value = event;
}

let stream = null;

export function startLive() {
  stream = new LiveStream({
    address: '/cluster/events', // whoever comes back to another process, or too late, gets a new snapshot
    state: (state, { retryAt = 0 }) => { connection.value = { state, retryAt }; },
    events: { snapshot: onSnapshot, silo: onSilo, partition: onPartition, rates: onRates, timeline: onTimeline, group: onGroup },
  });
}

export const retryLive = () => stream?.retryNow();
