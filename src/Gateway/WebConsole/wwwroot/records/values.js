// A record's key or value as the API gives it, { json } | { text } | { base64 } | null, in the shapes that people want to see.

// Whole numbers beyond 2^53 would change when parsed; they are kept digit by digit.
const exactly = (_, value, context) => (typeof value === 'number' && /^-?\d{16,}$/.test(context?.source ?? '') && !Number.isSafeInteger(value) ? BigInt(context.source) : value);

export const parseExactly = (text) => JSON.parse(text, exactly);

function fromBase64(text) {
  const binary = atob(text);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

export function jsonText(value, indent = 0) {
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const items = Array.isArray(value) ? value.map((item) => jsonText(item, indent)) : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${jsonText(item, indent)}`);
  return `${open}${items.join(',')}${close}`;
}

export function asText(part) {
  if (part === null || part === undefined) return '';
  if ('text' in part) return part.text;
  if ('json' in part) return jsonText(part.json);
  return new TextDecoder().decode(fromBase64(part.base64));
}

// The value as JSON where it is some; undefined where it is not.
export function asJson(part) {
  if (part === null || part === undefined || 'base64' in part) return undefined;
  if ('json' in part) return part.json;
  try {
    return parseExactly(part.text);
  } catch {
    return undefined;
  }
}

const asBytes = (part) => (part === null ? new Uint8Array() : 'base64' in part ? fromBase64(part.base64) : new TextEncoder().encode(asText(part)));

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

// What a filter looks at.
export function matches(record, text, keyOnly) {
  if (text === '') return true;
  const wanted = text.toLowerCase();
  if (asText(record.key).toLowerCase().includes(wanted)) return true;
  if (keyOnly) return false;
  return asText(record.value).toLowerCase().includes(wanted)
    || (record.headers ?? []).some((header) => header.name.toLowerCase().includes(wanted) || asText(headerValue(header)).toLowerCase().includes(wanted));
}

// A header's value: a plain string, or in one of the shapes above.
export const headerValue = (header) => (typeof header.value === 'string' ? { text: header.value } : header.value ?? null);
