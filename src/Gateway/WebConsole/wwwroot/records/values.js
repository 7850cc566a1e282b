// A record's key or value in the shapes that people want to see. The API gives { json } | { text } | { base64 } | null, where what follows "json" is the
// record's own bytes. It stays text here, { json: source }: parsed and written anew, numbers, the order of keys, doubled keys, escapes and white space
// would be others than those in the log.

// Where a string ends (exclusive) that begins at a quote. By hand: for a regular expression there are strings that are too long.
function endOfString(text, begin) {
  for (let quote = text.indexOf('"', begin + 1); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let before = quote;
    while (text[before - 1] === '\\') before--;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
  return text.length;
}

// JSON's tokens, each with its place: strings, brackets, commas, colons, numbers and words.
function* tokensIn(text) {
  const begins = /["{}[\],:]|[^\s"{}[\],:]+/g;
  for (let found = begins.exec(text); found !== null; found = begins.exec(text)) {
    if (found[0] === '"') begins.lastIndex = endOfString(text, found.index);
    yield [text.slice(found.index, begins.lastIndex), found.index];
  }
}

// An answer's text, parsed. "json" is the one member of its object, so its source ends where that object does; a text "json" is not followed by a colon.
export function readRecords(text) {
  const pieces = [];
  let [done, begin, depth] = [0, -1, 0];
  for (const [token, at] of tokensIn(text)) {
    if (begin < 0) {
      if (token === '"json"' && text[at + token.length] === ':') begin = at + token.length + 1;
    } else if (token === '{' || token === '[') depth++;
    else if ((token === '}' || token === ']') && --depth < 0) {
      pieces.push(text.slice(done, begin), JSON.stringify(text.slice(begin, at)));
      [done, begin, depth] = [at, -1, 0];
    }
  }
  return JSON.parse(pieces.join('') + text.slice(done));
}

export const tokensOf = (source) => Array.from(tokensIn(source), ([token]) => token);

// A token as people read it: letters instead of escapes; numbers as they are written, and so is a string that is cut off.
export function readable(token) {
  if (token[0] !== '"') return token;
  try {
    return JSON.stringify(JSON.parse(token));
  } catch {
    return token;
  }
}

// JSON on one line, without white space.
export const compact = (source) => tokensOf(source).map(readable).join('');

function fromBase64(text) {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function asText(part) {
  if (part === null || part === undefined) return '';
  return part.text ?? part.json ?? new TextDecoder().decode(fromBase64(part.base64));
}

// The source of the JSON that the value is; undefined where it is none.
export function asJson(part) {
  if (part === null || part === undefined || 'base64' in part) return undefined;
  if ('json' in part) return part.json;
  try {
    JSON.parse(part.text);
    return part.text;
  } catch {
    return undefined;
  }
}

export const asBytes = (part) => (part === null ? new Uint8Array() : 'base64' in part ? fromBase64(part.base64) : new TextEncoder().encode(asText(part)));

// Sixteen bytes a line: place, bytes, and what of them is printable.
export function hexLines(part, mostBytes = 4096) {
  const all = asBytes(part);
  const lines = [];
  for (let at = 0; at < Math.min(all.length, mostBytes); at += 16) {
    const row = all.subarray(at, at + 16);
    const digits = [...row].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const letters = [...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push({ at: at.toString(16).padStart(6, '0'), digits: digits.padEnd(47), letters });
  }
  return { lines, left: Math.max(0, all.length - mostBytes) };
}

// JSON as it is written, and as it is shown.
const says = (part, wanted) => asText(part).toLowerCase().includes(wanted) || (part != null && 'json' in part && compact(part.json).toLowerCase().includes(wanted));

// What a filter looks at.
export function matches(record, text, keyOnly) {
  if (text === '') return true;
  const wanted = text.toLowerCase();
  if (says(record.key, wanted)) return true;
  if (keyOnly) return false;
  return says(record.value, wanted)
    || (record.headers ?? []).some((header) => header.name.toLowerCase().includes(wanted) || says(headerValue(header), wanted));
}

// A header's value: a plain string, or in one of the shapes above.
export const headerValue = (header) => (typeof header.value === 'string' ? { text: header.value } : header.value ?? null);
