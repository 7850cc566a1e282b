// JSON, indented and coloured, as elements: whatever a record says is text and never markup.
import { html, useState } from '../core/view.js';

const shownAtFirst = 400; // lines

function linesOf(value) {
  const lines = [];
  let line = [];
  const add = (kind, text) => line.push([kind, text]);
  const end = (depth) => {
    lines.push(line);
    line = [['', '  '.repeat(depth)]];
  };
  const write = (item, depth) => {
    if (item === null || typeof item !== 'object') {
      add(item === null || typeof item === 'boolean' ? 'word' : typeof item === 'string' ? 'string' : 'number', typeof item === 'bigint' ? item.toString() : JSON.stringify(item));
      return;
    }
    const isList = Array.isArray(item);
    const entries = isList ? item.map((one) => [null, one]) : Object.entries(item);
    if (entries.length === 0) {
      add('', isList ? '[]' : '{}');
      return;
    }
    add('', isList ? '[' : '{');
    entries.forEach(([key, one], index) => {
      end(depth + 1);
      if (key !== null) {
        add('key', JSON.stringify(key));
        add('', ': ');
      }
      write(one, depth + 1);
      if (index < entries.length - 1) add('', ',');
    });
    end(depth);
    add('', isList ? ']' : '}');
  };
  write(value, 0);
  lines.push(line);
  return lines;
}

export function Json({ value }) {
  const [all, setAll] = useState(false);
  const lines = linesOf(value);
  const shown = all ? lines : lines.slice(0, shownAtFirst);
  return html`<pre class="json">${shown.map((line) => html`${line.map(([kind, text]) => (kind ? html`<span class=${kind}>${text}</span>` : text))}${'\n'}`)}</pre>
    ${shown.length < lines.length && html`<button class="small" onClick=${() => setAll(true)}>Show all ${lines.length} lines</button>`}`;
}
