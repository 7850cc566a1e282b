// Where every tile lies, by arithmetic alone: the browser lays nothing out when a partition moves, it only composes transforms.
export const headHeight = 68;
const gap = 16;
const inner = 12;
const leastColumn = 208;

// The more partitions there are, the smaller their tiles. A column grows by so many lines at a time: what lies below it is laid out anew each time.
export function tileSize(count) {
  if (count <= 120) return { name: 'large', width: 44, height: 30, gap: 4, lines: 1 };
  if (count <= 400) return { name: 'medium', width: 30, height: 22, gap: 3, lines: 2 };
  return { name: 'small', width: 15, height: 15, gap: 3, lines: 4 };
}

// columns: for each silo its tiles by slot, null where a slot is empty, and how many it holds. Gives each column's box, each tile's place, the height of it all, and
// `ground`: as long as it is the same, so is the place of every slot.
export function layOut(width, columns) {
  const count = columns.reduce((sum, column) => sum + column.held, 0);
  const size = tileSize(count);
  const perRow = Math.max(1, Math.min(columns.length, Math.floor((width + gap) / (leastColumn + gap))));
  const columnWidth = Math.floor((width - gap * (perRow - 1)) / perRow);
  const across = Math.max(1, Math.floor((columnWidth - 2 * inner + size.gap) / (size.width + size.gap)));
  const places = new Map();
  const boxes = [];
  let top = 0;
  for (let first = 0; first < columns.length; first += perRow) {
    const row = columns.slice(first, first + perRow);
    const most = Math.max(1, ...row.map((column) => Math.ceil(column.tiles.length / across)));
    const lines = Math.ceil(most / size.lines) * size.lines;
    const height = headHeight + lines * (size.height + size.gap) - size.gap + 2 * inner;
    row.forEach((column, index) => {
      const left = index * (columnWidth + gap);
      boxes.push({ nodeId: column.nodeId, held: column.held, left, top, width: columnWidth, height });
      column.tiles.forEach((key, slot) => key !== null && places.set(key, {
        x: left + inner + (slot % across) * (size.width + size.gap),
        y: top + headHeight + inner + Math.floor(slot / across) * (size.height + size.gap),
      }));
    });
    top += height + gap;
  }
  const ground = [size.name, across, ...boxes.map((box) => `${box.nodeId}:${box.left}:${box.top}`)].join(' ');
  return { size, boxes, places, ground, height: Math.max(0, top - gap) };
}

// The tile that an arrow key leads to: the nearest one in that direction, sideways distance counting double.
export function neighbour(places, from, key) {
  const here = places.get(from);
  const ahead = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (!here || !ahead) return null;
  let best = null;
  let least = Infinity;
  for (const [other, place] of places) {
    const [dx, dy] = [place.x - here.x, place.y - here.y];
    const forward = dx * ahead[0] + dy * ahead[1];
    if (forward <= 0) continue;
    const distance = forward + 2 * Math.abs(dx * ahead[1] + dy * ahead[0]);
    if (distance < least) [best, least] = [other, distance];
  }
  return best;
}
