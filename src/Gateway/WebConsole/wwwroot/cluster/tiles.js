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
  #ground = '';
  #stop = null;
  #fresh = new Set(); // keys of the tiles whose partition opened a moment ago
  #timer = 0;

  constructor(root, open) {
    this.#root = root;
    root.addEventListener('click', (event) => {
      const tile = event.target.closest('.tile');
      if (tile) open(tile.dataset.key);
    });
    root.addEventListener('keydown', (event) => this.#onKey(event));
    for (const end of ['transitionend', 'transitioncancel']) root.addEventListener(end, (event) => this.#onArrival(event.target));
  }

  close() { clearTimeout(this.#timer); }

  // Brings the tiles to where the layout has them. Looks only at those whose keys are given (null: at all), writes only what has changed.
  draw(partitions, layout, nameOf, keys) {
    this.#places = layout.places;
    if (this.#size !== layout.size.name) {
      this.#size = layout.size.name;
      this.#root.dataset.size = this.#size;
    }
    const all = keys === null || this.#ground !== layout.ground;
    this.#ground = layout.ground;
    const added = document.createDocumentFragment();
    for (const key of all ? new Set([...this.#tiles.keys(), ...partitions.keys()]) : keys) {
      const [partition, place] = [partitions.get(key), layout.places.get(key)];
      if (!partition || !place) this.#remove(key);
      else {
        if (!this.#tiles.has(key)) added.append(this.#create(partition).element);
        this.#drawOne(this.#tiles.get(key), partition, place, nameOf(partition.nodeId));
      }
    }
    this.#root.append(added);
    this.#drawGaps();
    if (!this.#stop?.isConnected) this.#stopAt(this.#root.querySelector('.tile'));
  }

  #remove(key) {
    this.#tiles.get(key)?.element.remove();
    this.#tiles.delete(key);
    this.#fresh.delete(key);
  }

  // One tile alone is a tab stop.
  #stopAt(element) {
    if (this.#stop) this.#stop.tabIndex = -1;
    this.#stop = element;
    if (element) element.tabIndex = 0;
  }

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

  #drawOne(tile, partition, place, silo) {
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
    if (partition.gapAt !== null && partition.gapAt + gapIsShownFor > performance.now()) this.#fresh.add(partition.key);
    tile.partition = partition;
    tile.drawn = { x: place.x, y: place.y, nodeId: partition.nodeId, state: partition.state, epoch: partition.leaderEpoch };
  }

  #drawGap(tile, gapMs) {
    if (gapMs === null) {
      if (tile.gap === null) return;
      tile.gap.remove();
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

  // Each fresh tile carries its gap, where there is room for it; when its time is over it goes by itself, all that are due at once.
  #drawGaps() {
    const now = performance.now();
    const shows = this.#size === 'large' || this.#fresh.size <= mostBubbles;
    let next = Infinity;
    for (const key of this.#fresh) {
      const tile = this.#tiles.get(key);
      const left = tile.partition.gapAt + gapIsShownFor - now;
      if (left <= 0) this.#fresh.delete(key);
      else next = Math.min(next, left);
      this.#drawGap(tile, shows && left > 0 ? tile.partition.gapMs : null);
    }
    clearTimeout(this.#timer);
    if (next < Infinity) this.#timer = setTimeout(() => this.#drawGaps(), next + 50);
  }

  // A tile that was sent on while it travelled has not arrived yet.
  #onArrival(element) {
    const tile = this.#tiles.get(element.dataset.key);
    if (tile && tile.arrives <= performance.now() + 50) element.classList.remove('travels');
  }

  #onKey(event) {
    const from = event.target.closest('.tile')?.dataset.key;
    let to = from === undefined ? null : neighbour(this.#places, from, event.key);
    for (let more = 1; to && event.shiftKey && more < 10; more++) to = neighbour(this.#places, to, event.key) ?? to;
    if (!to) return;
    event.preventDefault();
    this.#stopAt(this.#tiles.get(to).element);
    this.#stop.focus();
  }
}
