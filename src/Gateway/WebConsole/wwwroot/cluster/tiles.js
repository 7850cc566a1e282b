// The tiles themselves: one button a partition, moved by transform alone. Kept out of the component tree, because a thousand of them change
// while a silo dies.
import { hueOf } from '../core/hue.js';
import { duration } from '../core/format.js';
import { neighbour } from './layout.js';

const gapIsShownFor = 6000;
const mostBubbles = 24; // small tiles have no room for the gap; a few may carry it above them
// ms that a tile takes when only its neighbours changed. Where there are hundreds, only those that move between silos slide.
const settle = { large: 180, medium: 180, small: 0 };

const stateNames = { open: 'open', moving: 'being opened', away: 'not available' };

export class Tiles {
  #root;
  #tiles = new Map(); // key -> { element, gap, arrives, partition, drawn }
  #places = new Map();
  #size = '';
  #timer = 0;

  constructor(root, open) {
    this.#root = root;
    root.addEventListener('click', (event) => {
      const tile = event.target.closest('.tile');
      if (tile) open(tile.dataset.key);
    });
    root.addEventListener('keydown', (event) => this.#onKey(event));
  }

  close() { clearTimeout(this.#timer); }

  // Brings the tiles to where the layout has them. Writes only what has changed.
  draw(partitions, layout, nameOf) {
    this.#places = layout.places;
    if (this.#size !== layout.size.name) {
      this.#size = layout.size.name;
      this.#root.dataset.size = this.#size;
    }
    const bubbles = this.#size === 'large' || this.#fresh(partitions) <= mostBubbles;
    for (const [key, tile] of this.#tiles) {
      if (partitions.has(key)) continue;
      tile.element.remove();
      this.#tiles.delete(key);
    }
    const added = document.createDocumentFragment();
    for (const partition of partitions.values()) {
      const place = layout.places.get(partition.key);
      if (!place) continue;
      let tile = this.#tiles.get(partition.key);
      if (!tile) {
        tile = this.#create(partition);
        added.append(tile.element);
      }
      this.#drawOne(tile, partition, place, nameOf(partition.nodeId), bubbles);
    }
    this.#root.append(added);
    if (!this.#root.querySelector('.tile[tabindex="0"]')) this.#root.querySelector('.tile')?.setAttribute('tabindex', '0');
  }

  focus(key) { this.#tiles.get(key)?.element.focus(); }

  #create(partition) {
    const element = document.createElement('button');
    element.type = 'button';
    element.className = `tile ${hueOf(partition.topic)}`;
    element.dataset.key = partition.key;
    element.tabIndex = -1;
    const number = document.createElement('span');
    number.textContent = partition.partition;
    element.append(number);
    const tile = { element, gap: null, arrives: 0, drawn: {} };
    this.#tiles.set(partition.key, tile);
    return tile;
  }

  #drawOne(tile, partition, place, silo, bubbles) {
    const { element, drawn } = tile;
    if (drawn.x !== place.x || drawn.y !== place.y) {
      // One that is still on its way when its neighbours shift goes on as slowly as it began.
      const moves = drawn.nodeId !== undefined && drawn.nodeId !== partition.nodeId;
      if (moves) tile.arrives = performance.now() + partition.slideMs;
      element.style.transitionDuration = `${Math.max(settle[this.#size], Math.round(tile.arrives - performance.now()))}ms`;
      element.style.transform = `translate(${place.x}px, ${place.y}px)`;
      element.classList.toggle('travels', tile.arrives > performance.now());
      if (drawn.x === undefined) element.style.transitionDuration = '0ms';
    }
    if (drawn.state !== partition.state) element.dataset.state = partition.state;
    if (drawn.nodeId !== partition.nodeId || drawn.state !== partition.state || drawn.epoch !== partition.leaderEpoch) {
      const label = `${partition.topic}, partition ${partition.partition}: ${stateNames[partition.state] ?? partition.state} on ${silo}, epoch ${partition.leaderEpoch}`;
      element.setAttribute('aria-label', label);
      element.title = label;
    }
    const left = partition.gapAt === null ? 0 : partition.gapAt + gapIsShownFor - performance.now();
    this.#drawGap(tile, left > 0 && bubbles ? partition.gapMs : null);
    if (left > 0) this.#sweepIn(left);
    tile.partition = partition;
    tile.drawn = { x: place.x, y: place.y, nodeId: partition.nodeId, state: partition.state, epoch: partition.leaderEpoch };
  }

  #drawGap(tile, gapMs) {
    if (gapMs === null) {
      tile.gap?.remove();
      tile.gap = null;
      tile.element.classList.remove('has-gap');
      return;
    }
    if (!tile.gap) {
      tile.gap = document.createElement('span');
      tile.gap.className = 'gap';
      tile.element.append(tile.gap);
      tile.element.classList.add('has-gap');
    }
    const text = duration(gapMs);
    if (tile.gap.textContent !== text) tile.gap.textContent = text;
  }

  #fresh(partitions) {
    const since = performance.now() - gapIsShownFor;
    let count = 0;
    for (const partition of partitions.values()) if (partition.gapAt !== null && partition.gapAt > since) count++;
    return count;
  }

  // Gaps go by themselves when their time is over, all that are due at once.
  #sweepIn(ms) {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      let next = Infinity;
      for (const tile of this.#tiles.values()) {
        if (!tile.gap) continue;
        const left = (tile.partition.gapAt ?? 0) + gapIsShownFor - performance.now();
        if (left <= 0) this.#drawGap(tile, null);
        else next = Math.min(next, left);
      }
      if (next < Infinity) this.#sweepIn(next);
    }, ms + 50);
  }

  #onKey(event) {
    const from = event.target.closest('.tile')?.dataset.key;
    let to = from === undefined ? null : neighbour(this.#places, from, event.key);
    for (let more = 1; to && event.shiftKey && more < 10; more++) to = neighbour(this.#places, to, event.key) ?? to;
    if (!to) return;
    event.preventDefault();
    this.#tiles.get(from).element.tabIndex = -1;
    const next = this.#tiles.get(to).element;
    next.tabIndex = 0;
    next.focus();
  }
}
