// The board's columns as they follow the partitions. They are put in order when all have been open and in their places for a while: a thousand
// tiles that shift while a silo dies would hide those that move because of it.
import { effect, signal } from '@preact/signals';
import { board, partitions, silos, totals } from './live.js';
import { Slots } from './slots.js';

const orderedAfter = 3000;

// list: [{ nodeId, tiles, held }]; changed: the keys of the partitions that changed, null where it may be any.
export const columns = signal({ list: [], changed: null });

const slots = new Slots();
let seen = null;
let timer = 0;

const listNow = () => slots.columns(silos.peek().map((silo) => silo.nodeId));

function pack() {
  timer = 0;
  slots.pack(partitions.values());
  columns.value = { list: listNow(), changed: null };
}

effect(() => {
  const news = board.value;
  silos.value;
  const changed = news === seen ? null : news.changed;
  seen = news;
  if (slots.keys().length === 0) slots.pack(partitions.values());
  let moved = false;
  for (const key of changed ?? new Set([...slots.keys(), ...partitions.keys()])) moved = slots.follow(key, partitions.get(key)) || moved;
  if (moved || totals.peek().away > 0) clearTimeout(timer);
  if (!slots.isOrdered && totals.peek().away === 0 && (moved || timer === 0)) timer = setTimeout(pack, orderedAfter);
  else if (moved || totals.peek().away > 0) timer = 0;
  columns.value = { list: listNow(), changed };
});
