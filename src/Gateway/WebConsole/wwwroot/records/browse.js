// Records of one partition or of all, from some place on: loaded in pages, scanned on for a filter, or followed live. What is kept is bounded.
import { signal } from '@preact/signals';
import { Failure, get, path } from '../core/api.js';
import { LiveStream } from '../core/stream.js';
import { Ring } from '../core/ring.js';
import { matches, readRecords } from './values.js';

const pageSize = 100;
const mostLoaded = 1000;
const scanPage = 1000;
const mostScanned = 200_000;
const liveKept = 500;

async function fetchPage(topic, partition, query, abort) {
  const address = `${path`/topics/${topic}/partitions/${partition}/records`}?${new URLSearchParams(query)}`;
  const response = await fetch(address, { signal: abort, headers: { accept: 'application/json' } }).catch((error) => {
    throw error.name === 'AbortError' ? error : new Failure('The server does not answer.');
  });
  const text = await response.text();
  if (!response.ok) {
    const problem = text.startsWith('{') ? JSON.parse(text) : {};
    throw Object.assign(new Failure(problem.detail ?? problem.title ?? response.statusText, { status: response.status, kafkaError: problem.kafkaError }), { problem });
  }
  return readRecords(text);
}

// From an offset on, or from the end of the log that is nearest to it: retention goes on while people read.
async function fetchFrom(topic, partition, offset, limit, abort) {
  try {
    return await fetchPage(topic, partition, { offset, limit }, abort);
  } catch (failure) {
    const { logStartOffset: low, highWatermark: high } = failure.problem ?? {};
    if (failure.status !== 416 || low === undefined) throw failure;
    return fetchPage(topic, partition, { offset: Math.min(high, Math.max(low, offset)), limit }, abort);
  }
}

const isOpenBelow = (place) => place.first > place.low;
const isOpenAbove = (place) => place.next < place.high;
const inOrder = (a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.partition - b.partition || a.offset - b.offset);

export class Browse {
  records = signal([]);
  state = signal({ busy: false, failure: null, scanned: null, older: false, newer: false, ends: null });
  waiting = signal(0); // records that arrived while the tail is paused
  paused = signal(false);
  connection = signal({ state: 'connecting', failure: null });
  anew = signal(null); // why the tail does not go on where it was, { why, since, at, each }; each: how many records of a partition it began with
  #places = new Map(); // partition -> { first, next, low, high }
  #control = new AbortController();
  #stream = null;
  #ring = new Ring(liveKept);
  #frame = 0;

  constructor(topic, partitions) {
    this.topic = topic;
    this.partitions = partitions;
  }

  close() {
    this.#control.abort();
    this.#stream?.close();
    cancelAnimationFrame(this.#frame);
  }

  // start: { from: 'earliest' | 'latest' | 'offset' | 'time', offset, timestamp }
  async open(start) {
    const each = Math.max(5, Math.ceil(pageSize / this.partitions.length));
    const query = start.from === 'time' ? { timestamp: start.timestamp } : { from: start.from === 'latest' ? `-${each}` : 'earliest' };
    await this.#work(async (abort) => {
      const ranges = start.from === 'offset' ? (await get(path`/topics/${this.topic}`, { signal: abort })).partitions : [];
      const within = (partition) => {
        const { logStartOffset: low, highWatermark: high } = ranges[partition] ?? {};
        return low == null ? Number(start.offset) : Math.min(high, Math.max(low, Number(start.offset)));
      };
      const pages = await Promise.all(this.partitions.map((partition) => (start.from === 'offset'
        ? fetchFrom(this.topic, partition, within(partition), each, abort) : fetchPage(this.topic, partition, { ...query, limit: each }, abort))));
      pages.forEach((page, index) => this.#places.set(this.partitions[index], {
        first: page.records[0]?.offset ?? page.nextOffset, next: page.nextOffset, low: page.logStartOffset, high: page.highWatermark,
      }));
      this.records.value = pages.flatMap((page) => page.records).sort(inOrder);
    });
  }

  async newer() {
    const each = Math.max(5, Math.ceil(pageSize / this.partitions.length));
    await this.#work(async (abort) => {
      const pages = await Promise.all(this.partitions.map((partition) => fetchFrom(this.topic, partition, this.#places.get(partition).next, each, abort)));
      pages.forEach((page, index) => Object.assign(this.#places.get(this.partitions[index]), { next: page.nextOffset, low: page.logStartOffset, high: page.highWatermark }));
      this.#keep([...this.records.value, ...pages.flatMap((page) => page.records).sort(inOrder)], true);
    });
  }

  async older() {
    const each = Math.max(5, Math.ceil(pageSize / this.partitions.length));
    await this.#work(async (abort) => {
      const pages = await Promise.all(this.partitions.map((partition) => this.#readBack(partition, each, abort)));
      this.#keep([...pages.flat().sort(inOrder), ...this.records.value], false);
    });
  }

  // Reads on, or back, until a page of matches is there, the end is reached, or enough has been looked at.
  async scan(text, keyOnly, back) {
    await this.#work(async (abort) => {
      let scanned = 0;
      let found = 0;
      while (scanned < mostScanned && found < pageSize) {
        const open = this.partitions.filter((partition) => (back ? isOpenBelow : isOpenAbove)(this.#places.get(partition)));
        if (open.length === 0) break;
        for (const partition of open) {
          const records = back ? await this.#readBack(partition, scanPage, abort) : await this.#readOn(partition, scanPage, abort);
          scanned += records.length;
          const hits = records.filter((record) => matches(record, text, keyOnly));
          found += hits.length;
          if (hits.length > 0) this.#keep(back ? [...hits, ...this.records.value] : [...this.records.value, ...hits], !back);
          this.state.value = { ...this.state.value, scanned: { scanned, found, over: false } };
        }
      }
      this.state.value = { ...this.state.value, scanned: { scanned, found, over: true } };
    });
  }

  cancel() {
    this.#control.abort();
    this.#control = new AbortController();
    this.state.value = { ...this.state.value, busy: false };
  }

  // New records as they come, the newest of them kept. Whoever comes back after a night begins with as many as are kept, and not with the night's.
  follow() {
    const each = Math.ceil(liveKept / this.partitions.length);
    const only = this.partitions.length === 1 ? { partition: this.partitions[0] } : {};
    const address = (from) => `${path`/topics/${this.topic}/stream`}?${new URLSearchParams({ ...only, from })}`;
    this.#stream = new LiveStream({
      address: address('latest'),
      addressAnew: address(`-${each}`),
      anew: (reason) => this.#beginAnew({ ...reason, at: Date.now(), each }),
      parse: readRecords,
      state: (state, { failure = null }) => { this.connection.value = { state, failure: failure ?? (state === 'waiting' ? this.connection.value.failure : null) }; },
      events: {
        record: (record) => this.#arrive(record),
        gap: (gap) => this.#arrive({ ...gap, offset: gap.from, expired: gap.to - gap.from }),
        error: (failure) => { this.connection.value = { ...this.connection.value, failure }; },
      },
    });
  }

  togglePause() {
    this.paused.value = !this.paused.value;
    if (!this.paused.value) this.#show();
  }

  #arrive(record) {
    this.#ring.push(record);
    if (this.paused.value) this.waiting.value++;
    else this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  // What was there may be in what comes, or of another topic.
  #beginAnew(reason) {
    this.anew.value = reason;
    this.#ring = new Ring(liveKept);
    this.waiting.value = 0;
    if (!this.paused.value) this.#frame ||= requestAnimationFrame(() => this.#show());
  }

  #show() {
    this.#frame = 0;
    this.waiting.value = 0;
    this.records.value = this.#ring.toArray().reverse();
  }

  async #readOn(partition, limit, abort) {
    const place = this.#places.get(partition);
    const page = await fetchFrom(this.topic, partition, place.next, limit, abort);
    // What gives nothing and leads nowhere is the end, whatever was said before.
    const isStuck = page.nextOffset <= place.next && page.records.length === 0;
    Object.assign(place, { next: page.nextOffset, low: page.logStartOffset, high: isStuck ? page.nextOffset : page.highWatermark });
    return page.records;
  }

  // The records just before those that are known; an answer may end before it reaches them, for its bytes are bounded.
  async #readBack(partition, limit, abort) {
    const place = this.#places.get(partition);
    const from = Math.max(place.low, place.first - limit);
    const found = [];
    let next = from;
    let low = place.low;
    while (next < place.first) {
      const page = await fetchFrom(this.topic, partition, next, place.first - next, abort);
      found.push(...page.records.filter((record) => record.offset < place.first));
      low = page.logStartOffset;
      place.high = page.highWatermark;
      if (page.nextOffset <= next) break;
      next = page.nextOffset;
    }
    Object.assign(place, { first: Math.max(from, low), low });
    return found;
  }

  #keep(records, newest) {
    this.records.value = newest ? records.slice(-mostLoaded) : records.slice(0, mostLoaded);
    for (const partition of this.partitions) {
      const mine = this.records.value.filter((record) => record.partition === partition);
      const place = this.#places.get(partition);
      if (mine.length > 0 && records.length > mostLoaded) {
        if (newest) place.first = mine[0].offset;
        else place.next = mine.at(-1).offset + 1;
      }
    }
  }

  async #work(action) {
    this.#control.abort();
    const control = this.#control = new AbortController();
    this.state.value = { ...this.state.value, busy: true, failure: null };
    try {
      await action(control.signal);
    } catch (failure) {
      if (control.signal.aborted) return;
      this.state.value = { ...this.state.value, failure };
    }
    if (control.signal.aborted) return;
    const places = [...this.#places.values()];
    this.state.value = {
      ...this.state.value, busy: false,
      older: places.some(isOpenBelow), newer: places.some(isOpenAbove),
      ends: this.partitions.length === 1 && places.length === 1 ? { low: places[0].low, high: places[0].high } : null,
    };
  }
}
