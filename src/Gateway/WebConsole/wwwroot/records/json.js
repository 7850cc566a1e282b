// JSON, indented and coloured, as elements: whatever a record says is text and never markup.
import { html, useState } from '../core/view.js';
import { readable, tokensOf } from './values.js';

const shownAtFirst = 400; // lines

const kindOf = (token, next) => (token[0] === '"' ? (next === ':' ? 'key' : 'string') : /[tfn]/.test(token[0]) ? 'word' : 'number');

// Written by its tokens and never parsed: keys keep their order and their doubles, numbers their digits.
export function linesOf(source) {
  const lines = [];
  let line = [];
  let depth = 0;
  const add = (kind, text) => line.push([kind, text]);
  const end = () => {
    lines.push(line);
    line = [['', '  '.repeat(depth)]];
  };
  const tokens = tokensOf(source);
  tokens.forEach((token, index) => {
    const isEmpty = (one) => '[{'.includes(tokens[one]) && ']}'.includes(tokens[one + 1]);
    if (token === '{' || token === '[') {
      add('', token);
      if (isEmpty(index)) return;
      depth++;
      end();
    } else if (token === '}' || token === ']') {
      if (!isEmpty(index - 1)) {
        depth--;
        end();
      }
      add('', token);
    } else if (token === ',') {
      add('', token);
      end();
    } else if (token === ':') add('', ': ');
    else add(kindOf(token, tokens[index + 1]), readable(token));
  });
  lines.push(line);
  return lines;
}

export function Json({ source }) {
  const [all, setAll] = useState(false);
  const lines = linesOf(source);
  const shown = all ? lines : lines.slice(0, shownAtFirst);
  return html`<pre class="json">${shown.map((line) => html`${line.map(([kind, text]) => (kind ? html`<span class=${kind}>${text}</span>` : text))}${'\n'}`)}</pre>
    ${shown.length < lines.length && html`<button class="small" onClick=${() => setAll(true)}>Show all ${lines.length} lines</button>`}`;
}
