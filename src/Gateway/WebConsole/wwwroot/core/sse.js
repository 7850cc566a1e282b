// Server-sent events out of text that comes in pieces (WHATWG HTML, 9.2.6). Pure.
export class EventReader {
  #take;
  #rest = '';
  #name = '';
  #data = [];
  #id = null;

  // take(name, data): one event.
  constructor(lastEventId, take) {
    this.lastEventId = lastEventId;
    this.#take = take;
  }

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop();
    for (const line of lines) this.#line(line);
  }

  #line(line) {
    if (line === '') {
      this.#end();
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
  }

  // An id counts though no data came with it: a stream says so where it begins.
  #end() {
    const [name, data] = [this.#name || 'message', this.#data];
    this.lastEventId = this.#id ?? this.lastEventId;
    [this.#name, this.#data, this.#id] = ['', [], null];
    if (data.length > 0) this.#take(name, data.join('\n'));
  }
}
