// One server-sent stream that comes back by itself, and goes on where it was. The browser's own EventSource cannot: where it is refused once it
// gives up, and whoever opens another one cannot tell it the last event's id. So this reads the stream itself. It waits between two tries, twice as
// long each time up to 15 s, with some chance in it so that a thousand pages do not return at once; and while nobody looks it keeps no connection,
// of which a browser has six for all of its tabs.
import { EventReader } from './sse.js';

const firstWait = 500;
const longestWait = 15_000;
const steadyAfter = 5000; // a stream that was open for so long begins anew with the shortest wait

export class LiveStream {
  #options;
  #control = null; // of the connection; null: there is none
  #timer = 0;
  #hideTimer = 0;
  #wait = firstWait;
  #lastEventId = '';
  #look = () => this.#onLook();

  // address; events: name -> handler(data); parse(text): data; state(text, { retryAt, failure }): "open", "connecting", "waiting", "asleep";
  // sleepsAfter: ms that the page is hidden.
  constructor(options) {
    this.#options = { parse: JSON.parse, sleepsAfter: 10_000, ...options };
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
    if (!document.hidden) this.retryNow();
    else {
      this.#hideTimer = setTimeout(() => {
        this.#end();
        this.#say('asleep');
      }, this.#options.sleepsAfter);
    }
  }

  #say(state, more = {}) { this.#options.state?.(state, more); }

  async #open() {
    clearTimeout(this.#timer);
    const control = this.#control = new AbortController();
    this.#say('connecting');
    let openedAt = null;
    let failure = null;
    try {
      const response = await fetch(this.#options.address, {
        signal: control.signal, cache: 'no-store',
        headers: { accept: 'text/event-stream', ...(this.#lastEventId !== '' && { 'last-event-id': this.#lastEventId }) },
      });
      if (control.signal.aborted) return;
      if (response.ok) {
        openedAt = performance.now();
        this.#say('open');
        await this.#read(response, control);
      } else {
        failure = await response.json().catch(() => ({ title: response.statusText }));
        // The topic of that id is not there any more, but another of its name is: from now on, then.
        if (response.status === 400) this.#lastEventId = '';
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
