// Questions before something happens. The browser's own <dialog> keeps the focus inside, and gives it back.
import { html, useEffect, useRef, useState } from './view.js';

export function Dialog({ title, onClose, children, wide = false }) {
  const element = useRef(null);
  useEffect(() => {
    element.current.showModal();
    if (!element.current.querySelector('[autofocus]')) element.current.focus();
  }, []);
  return html`<dialog ref=${element} tabindex="-1" class=${wide ? 'wide' : ''} aria-labelledby="dialog-title"
      onCancel=${(event) => { event.preventDefault(); onClose(); }}
      onClick=${(event) => event.target === element.current && onClose()}>
    <div class="dialog-body">
      <header><h2 id="dialog-title">${title}</h2><button class="quiet icon" aria-label="Close" onClick=${onClose}>✕</button></header>
      ${children}
    </div>
  </dialog>`;
}

// Asks once more. With `type`, the name has to be typed first. `act` may fail: the reason is shown and the dialog stays.
export function Confirm({ title, children, action, danger = false, type = null, act, onClose }) {
  const [typed, setTyped] = useState('');
  const [failure, setFailure] = useState(null);
  const [busy, setBusy] = useState(false);
  const ready = !busy && (type === null || typed === type);
  const submit = async (event) => {
    event.preventDefault();
    if (!ready) return;
    setBusy(true);
    setFailure(null);
    try {
      await act();
      onClose();
    } catch (error) {
      setFailure(error);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}>
    <form onSubmit=${submit}>
      <div class="prose">${children}</div>
      ${type !== null && html`<label class="field"><span>Type <code>${type}</code> to confirm</span>
        <input value=${typed} onInput=${(event) => setTyped(event.target.value)} autocomplete="off" spellcheck=${false} autofocus /></label>`}
      ${failure && html`<div class="note bad" role="alert"><p>${failure.message}</p></div>`}
      <footer><button type="button" onClick=${onClose}>Cancel</button>
        <button type="submit" class=${danger ? 'danger' : 'primary'} disabled=${!ready}>${busy ? 'Working…' : action}</button></footer>
    </form>
  </${Dialog}>`;
}
