// One server-sent stream that comes back by itself. EventSource gives up where the answer is not 200, and never waits longer than the server
// says; this one opens a new one after a wait that doubles up to 15 s, with some chance in it so that a thousand pages do not return at once.
const firstWait = 500;
const longestWait = 15_000;

export class LiveStream {
  #source = null;
  #timer = 0;
  #wait = firstWait;
  #options;

  // address; events: name -> handler(data); state(text, retryAt): "open", "connecting", "waiting"; resumes: the server goes on behind the last
  // event, which only the browser's own reconnection can name (Last-Event-ID), so that one is given the first try.
  constructor(options) {
    this.#options = options;
    this.#open();
  }

  close() {
    clearTimeout(this.#timer);
    this.#source?.close();
    this.#source = null;
  }

  retryNow() {
    if (this.#source !== null) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  #open() {
    this.#options.state?.('connecting');
    const source = new EventSource(this.#options.address);
    this.#source = source;
    source.onopen = () => {
      this.#wait = firstWait;
      this.#options.state?.('open');
    };
    source.onerror = () => {
      if (this.#source !== source) return;
      if (this.#options.resumes && source.readyState === EventSource.CONNECTING) {
        this.#options.state?.('connecting');
        return;
      }
      source.close();
      this.#source = null;
      const wait = this.#wait * (0.75 + Math.random() / 2);
      this.#wait = Math.min(this.#wait * 2, longestWait);
      this.#options.state?.('waiting', Date.now() + wait);
      this.#timer = setTimeout(() => this.#open(), wait);
    };
    for (const [name, handle] of Object.entries(this.#options.events)) {
      source.addEventListener(name, (event) => handle(JSON.parse(event.data)));
    }
  }
}
