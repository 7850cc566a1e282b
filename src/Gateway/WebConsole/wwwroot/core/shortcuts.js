// Keys that work anywhere outside of text fields, and the page that lists them (?).
import { html, signal } from './view.js';
import { Dialog } from './dialog.js';
import { go } from './route.js';
import { nextTheme } from './theme.js';

const helpIsOpen = signal(false);
const places = { c: 'cluster', t: 'topics', r: 'records', g: 'groups' };
let afterG = -Infinity;

const list = [
  ['g c', 'Cluster'], ['g t', 'Topics'], ['g r', 'Records'], ['g g', 'Groups'],
  ['/', 'Go to the filter'], ['p', 'Pause or go on (live tail)'], ['t', 'Theme: system, light, dark'],
  ['← → ↑ ↓', 'In tiles, matrix and ruler: move; with Shift ten times as far'], ['Enter', 'Open what has the focus'], ['Esc', 'Close'], ['?', 'This list'],
];

const isText = (element) => element.closest('input, textarea, select, [contenteditable]') !== null;

export function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isText(event.target) || document.querySelector('dialog[open]')) return;
  if (event.timeStamp - afterG < 1200 && places[event.key]) {
    go(places[event.key]);
    afterG = -Infinity;
  } else if (event.key === 'g') {
    afterG = event.timeStamp;
  } else if (event.key === '?') {
    helpIsOpen.value = true;
  } else if (event.key === 't') {
    nextTheme();
  } else if (event.key === '/') {
    const filter = document.querySelector('[data-filter]');
    if (!filter) return;
    filter.focus();
    filter.select?.();
    event.preventDefault();
  } else if (event.key === 'p') {
    document.querySelector('[data-pause]')?.click();
  }
}

export const openHelp = () => { helpIsOpen.value = true; };

export function Help() {
  if (!helpIsOpen.value) return null;
  return html`<${Dialog} title="Keys" onClose=${() => { helpIsOpen.value = false; }}>
    <dl class="keys">${list.map(([keys, what]) => html`<div key=${keys}><dt>${keys.split(' ').map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
  </${Dialog}>`;
}
