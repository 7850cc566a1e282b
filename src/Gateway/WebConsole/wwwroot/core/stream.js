// One server-sent stream that comes back by itself, and goes on where it was. The browser's own EventSource cannot: where it is refused once it
// gives up, and whoever opens another one cannot tell it the last event's id. So this reads the stream itself. It waits between two tries, twice as
// long each time up to 15 s, with some chance in it so that a thousand pages do not return at once; and while nobody looks it keeps no connection,
// of which a browser has six for all of its tabs. Its place is given up in two cases, and it begins at `addressAnew` then: where the server says that
// no event with that id can have been (the topic was made anew, the log is shorter), and where one is given, after a sleep so long that going on would
// mean to catch up with what nobody looked at.
import { EventReader } from './sse.js';

const firstWait = 500;
const longestWait = 15_000;
const steadyAfter = 5000; // a stream that was open for so long begins anew with the shortest wait
const placeHeader = 'Last-Event-ID';

export class LiveStream {
  #options;
  #control = null; // of the connection; null: there is none
  #timer = 0;
  #hideTimer = 0;
  #wait = firstWait;
  #lastEventId = '';
  #address;
  #hiddenSince = null;
  #anew = null; // why it begins anew, until it has
  #look = () => this.#onLook();

  // address; events: name -> handler(data); parse(text): data; state(text, { retryAt, failure }): "open", "connecting", "waiting", "asleep";
  // sleepsAfter: ms that the page is hidden; addressAnew, staleAfter: where to begin after so many ms of it; anew({ why, since }): that it has begun
  // there, because it "slept" or its log was "recreated" or "shortened".
  constructor(options) {
    this.#options = { parse: JSON.parse, sleepsAfter: 10_000, staleAfter: 60_000, ...options };
    this.#address = options.address;
    document.addEventListener('visibilitychange', this.#look);
    this.#open();
    this.#onLook();
  }

  close() {
    document.removeEventListener('visibilitychange', this.#look);
    this.#end();
  }

  retryNow() {
    if (this.#control === null) this.#open();
  }

  #end() {
    clearTimeout(this.#timer);
    clearTimeout(this.#hideTimer);
    this.#control?.abort();
    this.#control = null;
  }

  #onLook() {
    clearTimeout(this.#hideTimer);
    if (document.hidden) {
      this.#hiddenSince ??= Date.now();
      this.#hideTimer = setTimeout(() => {
        this.#end();
        this.#say('asleep');
      }, this.#options.sleepsAfter);
      return;
    }
    // By the clock: a machine that sleeps itself runs no timers.
    const since = this.#hiddenSince ?? Date.now();
    this.#hiddenSince = null;
    if (this.#options.addressAnew !== undefined && Date.now() - since >= this.#options.staleAfter) {
      this.#end();
      this.#giveUpPlace({ why: 'slept', since });
    }
    this.retryNow();
  }

  #giveUpPlace(reason) {
    if (this.#lastEventId === '') return;
    this.#lastEventId = '';
    this.#address = this.#options.addressAnew ?? this.#address;
    this.#anew = reason;
  }

  #say(state, more = {}) { this.#options.state?.(state, more); }

  async #open() {
    clearTimeout(this.#timer);
    const control = this.#control = new AbortController();
    this.#say('connecting');
    let openedAt = null;
    let failure = null;
    try {
      const response = await fetch(this.#address, {
        signal: control.signal, cache: 'no-store',
        headers: { accept: 'text/event-stream', ...(this.#lastEventId !== '' && { 'last-event-id': this.#lastEventId }) },
      });
      if (control.signal.aborted) return;
      if (response.ok) {
        openedAt = performance.now();
        this.#say('open');
        if (this.#anew) this.#options.anew?.(this.#anew);
        this.#anew = null;
        await this.#read(response, control);
      } else {
        failure = await response.json().catch(() => ({ title: response.statusText }));
        if (control.signal.aborted) return;
        // A place that is no more; whatever else is refused may be taken later, and then at this very place: by a gateway that has yet to hear of new
        // partitions, for one.
        if (failure.field === placeHeader && (response.status === 404 || response.status === 416)) {
          this.#giveUpPlace({ why: response.status === 404 ? 'recreated' : 'shortened' });
          this.#wait = firstWait;
          failure = null;
        }
      }
    } catch (error) {
      if (!control.signal.aborted && !(error instanceof TypeError)) throw error; // A TypeError is fetch's word for a connection that is lost.
    } finally {
      if (this.#control === control) this.#waitToRetry(openedAt, failure);
    }
  }

  async #read(response, control) {
    const reader = new EventReader(this.#lastEventId, (name, data) => !control.signal.aborted && this.#take(name, data));
    const text = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let piece = await text.read(); !piece.done; piece = await text.read()) {
      if (control.signal.aborted) return;
      reader.push(piece.value);
      this.#lastEventId = reader.lastEventId;
    }
  }

  // What a handler does wrong is told as such, and is not taken for a lost connection.
  #take(name, data) {
    try {
      this.#options.events[name]?.(this.#options.parse(data));
    } catch (error) {
      reportError(error);
    }
  }

  #waitToRetry(openedAt, failure) {
    this.#control = null;
    if (openedAt !== null && performance.now() - openedAt > steadyAfter) this.#wait = firstWait;
    const wait = this.#wait * (0.75 + Math.random() / 2);
    this.#wait = Math.min(this.#wait * 2, longestWait);
    this.#say('waiting', { retryAt: Date.now() + wait, failure });
    this.#timer = setTimeout(() => this.#open(), wait);
  }
}
