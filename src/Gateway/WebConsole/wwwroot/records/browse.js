// Records of one partition or of all, from some place on: loaded in pages, scanned on for a filter, or followed live. What is kept is bounded.
import { signal } from '@preact/signals';
import { Failure, path } from '../core/api.js';
import { LiveStream } from '../core/stream.js';
import { Ring } from '../core/ring.js';
import { matches, parseExactly } from './values.js';

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
    throw new Failure(problem.detail ?? problem.title ?? response.statusText, { status: response.status, kafkaError: problem.kafkaError });
  }
  return parseExactly(text);
}

const inOrder = (a, b) => (a.timestamp < b.timestamp ? -1 : a.timestamp > b.timestamp ? 1 : a.partition - b.partition || a.offset - b.offset);

export class Browse {
  records = signal([]);
  state = signal({ busy: false, failure: null, scanned: null, older: false, newer: false, ends: null });
  waiting = signal(0); // records that arrived while the tail is paused
  paused = signal(false);
  connection = signal('connecting');
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
    const query = start.from === 'offset' ? { offset: start.offset } : start.from === 'time' ? { timestamp: start.timestamp } : { from: start.from === 'latest' ? `-${each}` : 'earliest' };
    await this.#work(async (abort) => {
      const pages = await Promise.all(this.partitions.map((partition) => fetchPage(this.topic, partition, { ...query, limit: each }, abort)));
      pages.forEach((page, index) => this.#places.set(this.partitions[index], {
        first: page.records[0]?.offset ?? page.nextOffset, next: page.nextOffset, low: page.logStartOffset, high: page.highWatermark,
      }));
      this.records.value = pages.flatMap((page) => page.records).sort(inOrder);
    });
  }

  async newer() {
    const each = Math.max(5, Math.ceil(pageSize / this.partitions.length));
    await this.#work(async (abort) => {
      const pages = await Promise.all(this.partitions.map((partition) => fetchPage(this.topic, partition, { offset: this.#places.get(partition).next, limit: each }, abort)));
      pages.forEach((page, index) => Object.assign(this.#places.get(this.partitions[index]), { next: page.nextOffset, low: page.logStartOffset, high: page.highWatermark }));
      this.#keep([...this.records.value, ...pages.flatMap((page) => page.records).sort(inOrder)], true);
    });
  }

  async older() {
    const each = Math.max(5, Math.ceil(pageSize / this.partitions.length));
    await this.#work(async (abort) => {
      const pages = await Promise.all(this.partitions.map(async (partition) => {
        const place = this.#places.get(partition);
        const from = Math.max(place.low, place.first - each);
        if (from >= place.first) return [];
        const page = await fetchPage(this.topic, partition, { offset: from, limit: place.first - from }, abort);
        const found = page.records.filter((record) => record.offset < place.first);
        Object.assign(place, { first: from, low: page.logStartOffset, high: page.highWatermark });
        return found;
      }));
      this.#keep([...pages.flat().sort(inOrder), ...this.records.value], false);
    });
  }

  // Reads on until a page of matches is there, the end is reached, or enough has been looked at.
  async scan(text, keyOnly) {
    await this.#work(async (abort) => {
      let scanned = 0;
      let found = 0;
      while (scanned < mostScanned && found < pageSize) {
        const open = this.partitions.filter((partition) => this.#places.get(partition).next < this.#places.get(partition).high);
        if (open.length === 0) break;
        for (const partition of open) {
          const place = this.#places.get(partition);
          const page = await fetchPage(this.topic, partition, { offset: place.next, limit: scanPage }, abort);
          Object.assign(place, { next: page.nextOffset, high: page.highWatermark });
          scanned += page.records.length;
          const hits = page.records.filter((record) => matches(record, text, keyOnly));
          found += hits.length;
          if (hits.length > 0) this.#keep([...this.records.value, ...hits], true);
          this.state.value = { ...this.state.value, scanned: { scanned, found, over: false } };
          if (page.records.length === 0 && page.nextOffset === place.next) break;
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

  // New records as they come, the newest of them kept.
  follow() {
    const query = this.partitions.length === 1 ? { partition: this.partitions[0], from: 'latest' } : { from: 'latest' };
    this.#stream = new LiveStream({
      address: `${path`/topics/${this.topic}/stream`}?${new URLSearchParams(query)}`,
      resumes: true,
      state: (state) => { this.connection.value = state; },
      events: { record: (record) => this.#arrive(record) },
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

  #show() {
    this.#frame = 0;
    this.waiting.value = 0;
    this.records.value = this.#ring.toArray().reverse();
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
      older: places.some((place) => place.first > place.low), newer: places.some((place) => place.next < place.high),
      ends: this.partitions.length === 1 && places.length === 1 ? { low: places[0].low, high: places[0].high } : null,
    };
  }
}
