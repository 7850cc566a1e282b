// Where the page is: #/cluster/topic/3?x=y as a signal of its parts. Links are plain anchors; the browser's history works.
import { signal } from '@preact/signals';

const decode = (part) => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

function read() {
  const [parts, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const segments = parts.split('/').filter(Boolean).map(decode);
  return { page: segments[0] ?? 'cluster', segments: segments.slice(1), query: new URLSearchParams(query) };
}

export const route = signal(read());
window.addEventListener('hashchange', () => { route.value = read(); });

// A hash from its parts and query; empty values of the query are left out.
export function link(page, segments = [], query = {}) {
  const kept = Object.entries(query).filter(([, value]) => value != null && value !== '');
  const search = kept.length === 0 ? '' : `?${new URLSearchParams(kept)}`;
  return `#/${[page, ...segments].map(encodeURIComponent).join('/')}${search}`;
}

export const go = (...target) => { location.hash = link(...target); };

// The same place, without an entry of its own in the browser's history.
export function replace(...target) {
  history.replaceState(null, '', link(...target));
  route.value = read();
}
