// Which place of its silo's column each partition has. Who stays keeps its place, who leaves leaves a gap, who comes takes the first gap: so only
// what moved between silos is drawn anew. In the order of their names they are put only when all is quiet. Pure.

const byName = (a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition);

export class Slots {
  #columns = new Map(); // node id -> (key | null)[]
  #held = new Map(); // node id -> how many of them are keys
  #homes = new Map(); // key -> { nodeId, slot }
  #isOrdered = true;

  keys() { return [...this.#homes.keys()]; }

  // Whether packing would change anything.
  get isOrdered() { return this.#isOrdered; }

  // Columns in the order of the nodes; those of unknown nodes that have partitions come last.
  columns(nodeIds) {
    const ids = new Set(nodeIds);
    for (const [nodeId, held] of this.#held) if (held > 0) ids.add(nodeId);
    return [...ids].map((nodeId) => ({ nodeId, tiles: this.#columns.get(nodeId) ?? [], held: this.#held.get(nodeId) ?? 0 }));
  }

  // Follows what has become of one partition; undefined: it is gone. Whether a place was taken or left.
  follow(key, partition) {
    const home = this.#homes.get(key);
    if (home !== undefined && partition !== undefined && home.nodeId === partition.nodeId) return false;
    if (home === undefined && partition === undefined) return false;
    this.#isOrdered = false;
    if (home !== undefined) {
      this.#columns.get(home.nodeId)[home.slot] = null;
      this.#held.set(home.nodeId, this.#held.get(home.nodeId) - 1);
      this.#homes.delete(key);
    }
    if (partition !== undefined) this.#take(key, partition.nodeId);
    return true;
  }

  // All of them by topic and number, without gaps.
  pack(partitions) {
    this.#columns.clear();
    this.#held.clear();
    this.#homes.clear();
    for (const { key, nodeId } of [...partitions].sort(byName)) this.#take(key, nodeId);
    this.#isOrdered = true;
  }

  #take(key, nodeId) {
    if (!this.#columns.has(nodeId)) this.#columns.set(nodeId, []);
    const column = this.#columns.get(nodeId);
    const held = this.#held.get(nodeId) ?? 0;
    const slot = held === column.length ? held : column.indexOf(null);
    column[slot] = key;
    this.#held.set(nodeId, held + 1);
    this.#homes.set(key, { nodeId, slot });
  }
}
