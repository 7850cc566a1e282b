// Arrow keys in a grid of which one cell alone is a tab stop (WAI-ARIA's roving tabindex). Cells carry data-row and data-column.
const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export function onGridKey(event) {
  const grid = event.currentTarget;
  const cell = event.target.closest('[data-row]');
  if (!cell) return;
  const far = event.shiftKey ? 10 : 1;
  let [row, column] = [Number(cell.dataset.row), Number(cell.dataset.column)];
  if (steps[event.key]) {
    row += steps[event.key][0] * far;
    column += steps[event.key][1] * far;
  } else if (event.key === 'Home') column = 0;
  else if (event.key === 'End') column = Infinity;
  else return;
  event.preventDefault();
  const rows = Number(grid.dataset.rows);
  const columns = Number(grid.dataset.columns);
  const next = grid.querySelector(`[data-row="${Math.max(0, Math.min(rows - 1, row))}"][data-column="${Math.max(0, Math.min(columns - 1, column))}"]`);
  if (!next) return;
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
