// From the events as they come, what a silo's death was made of. Pure, and as small after a thousand partitions have moved as after one.
const belongsWithin = 30_000;
const suspicionsKept = 16;
const entriesKept = 256;
const order = ['killed', 'suspected', 'dead', 'epoch', 'append'];
const labels = { killed: 'killed: last heard of', suspected: 'suspected', dead: 'declared dead', epoch: 'first leader epoch raised', append: 'first append' };

export class Failovers {
  #suspicions = new Map(); // silo -> { suspected, killed }
  #current = null; // { silo, diedAt, steps, opened, raised: entry -> partitions, longestGapMs }

  add(event) {
    const at = Date.parse(event.at);
    if (event.kind === 'silo-suspected') {
      // Told again as its neighbours suspect it too: the first counts, unless it is long ago.
      const former = this.#suspicions.get(event.silo);
      if (former && at - former.suspected < belongsWithin) return;
      this.#suspicions.set(event.silo, { suspected: at, ...(event.lastHeardAt && { killed: Date.parse(event.lastHeardAt) }) });
      if (this.#suspicions.size > suspicionsKept) this.#suspicions.delete(this.#suspicions.keys().next().value);
    } else if (event.kind === 'silo-dead') {
      const before = this.#suspicions.get(event.silo) ?? {};
      const steps = new Map(Object.entries(before).filter(([, when]) => at - when < belongsWithin));
      if (event.lastHeardAt) steps.set('killed', Date.parse(event.lastHeardAt));
      this.#current = { silo: event.silo, diedAt: at, steps: steps.set('dead', at), opened: 0, raised: new Map(), longestGapMs: 0 };
    } else if (this.#current && at >= this.#current.diedAt && at < this.#current.diedAt + belongsWithin) this.#follow(event, at);
  }

  // A partition is open again.
  opened(at, gapMs) {
    if (this.#current === null || at < this.#current.diedAt || at >= this.#current.diedAt + belongsWithin) return;
    this.#current.opened++;
    this.#current.longestGapMs = Math.max(this.#current.longestGapMs, gapMs);
  }

  // The newest death as { silo, at, steps: [{ name, label, at, afterMs }], moved, longestGapMs }; null: there was none.
  get last() {
    if (this.#current === null) return null;
    const { silo, steps, opened, raised, longestGapMs } = this.#current;
    const moved = Math.max(opened, [...raised.values()].reduce((sum, count) => sum + count, 0));
    const names = order.filter((name) => steps.has(name));
    const start = steps.get(names[0]);
    return { silo, at: start, steps: names.map((name) => ({ name, label: labels[name], at: steps.get(name), afterMs: steps.get(name) - start })), moved, longestGapMs };
  }

  #follow(event, at) {
    const { steps, raised } = this.#current;
    if (event.kind === 'epoch-raised' && !steps.has('epoch')) steps.set('epoch', at);
    if (event.kind === 'first-append' && !steps.has('append')) steps.set('append', at);
    if (event.kind === 'epoch-raised' && (raised.has(event.entry) || raised.size < entriesKept)) raised.set(event.entry, event.count ?? 1);
    if (event.gapMs != null) this.#current.longestGapMs = Math.max(this.#current.longestGapMs, event.gapMs);
  }
}
