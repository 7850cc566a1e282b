// What the cluster is doing right now, from its one live stream: silos, partitions, rates, and what has happened. Everything here has a fixed
// length or is as large as the cluster, and the page is told at most once per frame however many events there were.
import { signal, batch } from '@preact/signals';
import { LiveStream } from '../core/stream.js';
import { Ring } from '../core/ring.js';
import { Failovers } from './failovers.js';

const secondsOfRates = 60;
const binsKept = 1200; // of 100 ms: two minutes
const eventsKept = 200;
const deadSilosAreShownFor = 60_000;

export const connection = signal({ state: 'connecting', retryAt: 0 });
export const silos = signal([]);
export const board = signal(0); // counts changes of `partitions`
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
let dirty = { silos: false, board: false, feed: false, rates: false };

// The server's clock, as near as the last snapshot told it.
export const serverNow = () => Date.now() + clockSkew;

const keyOf = (topic, partition) => `${topic}/${partition}`;

function tell(what) {
  dirty[what] = true;
  // A page in the background gets no frames; it is drawn when somebody looks again.
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const changed = dirty;
    dirty = { silos: false, board: false, feed: false, rates: false };
    batch(() => {
      isKnown.value = true;
      if (changed.silos) silos.value = [...known.values()].sort((a, b) => a.nodeId - b.nodeId).map((silo) => ({ ...silo }));
      if (changed.board) board.value++;
      if (changed.feed) {
        feed.value = [...events.values()].reverse();
        failover.value = failovers.last;
      }
      if (changed.rates) ratesTick.value++;
    });
  });
}

function onSnapshot(snapshot) {
  if (snapshot.now) clockSkew = new Date(snapshot.now).getTime() - Date.now();
  const present = new Set(snapshot.silos.map((silo) => silo.nodeId));
  for (const { partitions: _, ...silo } of snapshot.silos) known.set(silo.nodeId, { ...silo, goneAt: null });
  for (const silo of known.values()) if (!present.has(silo.nodeId)) leave(silo, 'dead');
  const seen = new Set(snapshot.partitions.map((one) => keyOf(one.topic, one.partition)));
  for (const key of partitions.keys()) if (!seen.has(key)) partitions.delete(key);
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
  partitions.set(key, {
    key, topic, partition: index, nodeId,
    leaderEpoch: change.leaderEpoch ?? former?.leaderEpoch ?? -1,
    state: change.state,
    since: former?.state === change.state ? former.since : now,
    slideMs: moved ? Math.max(150, Math.min(1500, took ?? 150)) : former?.slideMs ?? 150,
    gapMs: reopened && change.gapMs != null ? change.gapMs : former?.gapMs ?? null,
    gapAt: reopened && change.gapMs != null ? now : former?.gapAt ?? null,
  });
}

function leave(silo, state) {
  if (silo.state === state && silo.goneAt) return;
  silo.state = state;
  silo.goneAt = Date.now();
  for (const partition of partitions.values()) {
    if (partition.nodeId === silo.nodeId && partition.state === 'open') Object.assign(partition, { state: 'away', since: performance.now() });
  }
  tell('board');
  setTimeout(() => {
    const now = known.get(silo.nodeId);
    if (now?.goneAt && ![...partitions.values()].some((partition) => partition.nodeId === silo.nodeId)) {
      known.delete(silo.nodeId);
      tell('silos');
    }
  }, deadSilosAreShownFor);
}

function onSilo(event) {
  const silo = known.get(event.nodeId) ?? { nodeId: event.nodeId, name: event.name, address: event.address ?? '' };
  known.set(event.nodeId, silo);
  if (event.state === 'dead' || event.state === 'left') leave(silo, event.state);
  else Object.assign(silo, { ...event, goneAt: null });
  tell('silos');
}

function onPartition(event) {
  if (event.state === 'deleted') partitions.delete(keyOf(event.topic, event.partition));
  else {
    place(event.topic, event.partition, event);
    if (event.state === 'open' && event.gapMs != null) failovers.opened(serverNow(), event.gapMs);
  }
  tell('board');
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
    address: '/cluster/events', // whoever comes back gets a new snapshot
    state: (state, retryAt = 0) => { connection.value = { state, retryAt }; },
    events: { snapshot: onSnapshot, silo: onSilo, partition: onPartition, rates: onRates, timeline: onTimeline, group: onGroup },
  });
}

export const retryLive = () => stream?.retryNow();
