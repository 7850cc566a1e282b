// What the API says, kept as { data, failure, loading } and asked again while its component is there.
import { html, useEffect, useRef, useState } from './view.js';
import { get } from './api.js';

// Loads the address (null: nothing) and again every `every` ms while the page is visible. What was there stays while new data is on its way.
export function useLoaded(address, { every = 0 } = {}) {
  const [state, setState] = useState({ data: null, failure: null, loading: true, address });
  const again = useRef(() => {});
  useEffect(() => {
    if (address === null) return undefined;
    let timer = 0;
    let control = new AbortController();
    setState((former) => ({ data: former.address === address ? former.data : null, failure: null, loading: true, address }));
    const load = async () => {
      clearTimeout(timer);
      control.abort();
      const mine = control = new AbortController();
      try {
        if (!document.hidden || timer === 0) {
          const data = await get(address, { signal: mine.signal });
          if (!mine.signal.aborted) setState({ data, failure: null, loading: false, address });
        }
      } catch (failure) {
        if (failure.name === 'AbortError' || mine.signal.aborted) return;
        setState((former) => ({ ...former, failure, loading: false }));
      }
      if (every > 0 && !mine.signal.aborted) timer = setTimeout(load, every);
    };
    again.current = load;
    load();
    return () => {
      clearTimeout(timer);
      control.abort();
    };
  }, [address, every]);
  const current = state.address === address ? state : { data: null, failure: null, loading: true };
  return { ...current, reload: () => again.current() };
}

export function FailureNote({ failure, retry }) {
  return html`<div class="note bad" role="alert">
    <p><strong>${failure.status ? `${failure.status}${failure.kafkaError ? ` ${failure.kafkaError}` : ''}` : 'No answer'}</strong> ${failure.message}</p>
    ${retry && html`<button onClick=${retry}>Try again</button>`}
  </div>`;
}

export const Waiting = ({ what }) => html`<p class="waiting" role="status"><span class="dot" aria-hidden="true"></span>Loading ${what}…</p>`;

// Nothing here yet, and the line that would change that.
export function Empty({ title, children, line }) {
  return html`<div class="empty">
    <h3>${title}</h3>
    ${children && html`<p>${children}</p>`}
    ${line && html`<${CommandLine} line=${line} />`}
  </div>`;
}

export function CommandLine({ line }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(line);
      setCopied(true);
      setTimeout(() => setCopied(false), 1500);
    } catch {
      setCopied(false); // Not allowed here (no TLS, or the user said no): the line can be selected.
    }
  };
  return html`<div class="command"><code>${line}</code><button class="quiet" onClick=${copy}>${copied ? 'Copied' : 'Copy'}</button></div>`;
}
