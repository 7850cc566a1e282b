// A list of fixed length: what goes in at the end pushes the oldest out. A page left open overnight does not grow.
export class Ring {
  #items;
  #next = 0;

  constructor(capacity, fill) {
    this.#items = fill === undefined ? [] : new Array(capacity).fill(fill);
    this.capacity = capacity;
  }

  get length() { return this.#items.length; }

  push(item) {
    if (this.#items.length < this.capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.capacity;
  }

  // Oldest first.
  toArray() { return [...this.#items.slice(this.#next), ...this.#items.slice(0, this.#next)]; }

  last() { return this.#items.length === 0 ? undefined : this.#items[(this.#next + this.#items.length - 1) % this.#items.length]; }
}
