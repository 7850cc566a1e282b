// The offset ruler: a partition from its retention floor to its high watermark, the group's position as a flag, those of other groups as pennants,
// and in red what will expire unread. Moving the flag asks what a reset there would do; it never resets by itself.
import { html, useEffect, useRef, useState } from '../core/view.js';
import { count, duration, plural, time } from '../core/format.js';
import { hueOf } from '../core/hue.js';
import { link } from '../core/route.js';

const stepOf = (span, far) => Math.max(1, Math.round(span * (far ? 0.1 : 0.01)));

// Where a key leads from an offset.
function moved(key, shift, at, low, high) {
  const span = high - low;
  switch (key) {
    case 'ArrowLeft': case 'ArrowDown': return at - stepOf(span, shift);
    case 'ArrowRight': case 'ArrowUp': return at + stepOf(span, shift);
    case 'PageDown': return at - stepOf(span, true);
    case 'PageUp': return at + stepOf(span, true);
    case 'Home': return low;
    case 'End': return high;
    default: return null;
  }
}

const namesShown = 3;

function named(groups) {
  const names = groups.slice(0, namesShown).map(({ group, offset }, index) => html`${index > 0 ? ', ' : ''}<a href=${link('groups', [group])} title=${`at offset ${count(offset)}`}>${group}</a>`);
  return html`${names}${groups.length > namesShown ? ` and ${groups.length - namesShown} more` : ''}`;
}

export function Ruler({ place, expiry, others = [], lagText, catchUp, onPlan }) {
  const { topic, partition, committedOffset, logStartOffset: low, highWatermark: high } = place;
  const track = useRef(null);
  const [target, setTarget] = useState(null);
  // The group may go on while its flag is held; the flag is let go when the position is where it was put.
  useEffect(() => { if (target === committedOffset) setTarget(null); }, [target, committedOffset]);
  const lost = Math.max(0, low - committedOffset);
  const shown = target ?? Math.min(high, Math.max(low, committedOffset));
  const span = Math.max(1, high - low);
  const percent = (offset) => `${(100 * (Math.min(high, Math.max(low, offset)) - low)) / span}%`;
  const share = (shown - low) / span;
  const room = target === null ? 0.2 : 0.4;
  const clamp = (offset) => Math.max(low, Math.min(high, Math.round(offset)));
  const at = (event) => {
    const box = track.current.getBoundingClientRect();
    return clamp(low + ((event.clientX - box.left) / box.width) * span);
  };
  const down = (event) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    setTarget(shown);
  };
  const move = (event) => event.currentTarget.hasPointerCapture(event.pointerId) && setTarget(at(event));
  const up = (event) => {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
    event.currentTarget.releasePointerCapture(event.pointerId);
    if (target !== null && target !== committedOffset) onPlan(place, target);
  };
  const key = (event) => {
    const to = moved(event.key, event.shiftKey, shown, low, high);
    if (to !== null) {
      event.preventDefault();
      setTarget(clamp(to));
    } else if (event.key === 'Enter' && target !== null) {
      event.preventDefault();
      onPlan(place, target);
    } else if (event.key === 'Escape') setTarget(null);
  };
  const change = target === null ? null : target - committedOffset;
  return html`<div class="ruler">
    <div class="ruler-name"><a href=${link('records', [topic], { partition, from: 'offset', offset: Math.max(low, committedOffset) })}><span class=${`swatch ${hueOf(topic)}`}></span><span class="wrap">${topic}</span> <b>${partition}</b></a></div>
    <div class="ruler-track">
      <div class="track" ref=${track}>
        <span class="read" style=${{ width: percent(committedOffset) }}></span>
        ${expiry && html`<span class="expires" style=${{ left: percent(committedOffset), width: `calc(${percent(expiry.end)} - ${percent(committedOffset)})` }} title=${`${plural(expiry.end - committedOffset, 'record')} will expire unread, the first at ${time(expiry.firstAt)}`}></span>`}
        ${others.map(({ group, offset }) => html`<span key=${group} class="pennant" aria-hidden="true" title=${`${group} at offset ${count(offset)}`} style=${{ left: percent(offset) }}></span>`)}
        ${change !== null && html`<span class="jump" style=${{ left: percent(Math.min(target, committedOffset)), width: `calc(${percent(Math.max(target, committedOffset))} - ${percent(Math.min(target, committedOffset))})` }}></span>
          <span class="ghost" style=${{ left: percent(committedOffset) }}></span>`}
        <button type="button" class=${`flag${target !== null ? ' moved' : ''}${lost > 0 ? ' lost' : ''}`} role="slider" aria-label=${`Position in ${topic} ${partition}`} aria-valuemin=${low} aria-valuemax=${high} aria-valuenow=${shown}
          aria-valuetext=${target === null ? `offset ${count(shown)}` : `offset ${count(target)}, Enter plans a reset`} style=${{ left: percent(shown) }} onPointerDown=${down} onPointerMove=${move} onPointerUp=${up} onKeyDown=${key}><span class="cloth"></span></button>
      </div>
      <div class="ruler-ends"><span class=${share < room ? 'hidden' : ''} title="Retention floor">${count(low)}</span><span class="at" style=${{ left: `${100 * share}%`, transform: `translateX(${-100 * share}%)` }}>${change === null ? count(committedOffset) : `${count(target)} (${change > 0 ? '+' : ''}${count(change)})`}</span><span class=${share > 1 - room ? 'hidden' : ''} title="High watermark">${count(high)}</span></div>
    </div>
    <div class="ruler-facts"><span><b>${lagText}</b></span><span class="quiet-text">${catchUp}</span>
      ${others.length > 0 && html`<span class="quiet-text others">also read by ${named(others)}</span>`}
      ${lost > 0 && html`<span class="bad-text">${plural(lost, 'record')} expired unread</span>`}
      ${expiry && html`<span class="bad-text">${plural(expiry.end - committedOffset, 'record')} will expire unread, the first in ${duration(Math.max(0, expiry.firstAt - Date.now()))}</span>`}
      ${target !== null && html`<span class="row"><button class="small primary" onClick=${() => onPlan(place, target)}>Plan</button><button class="small" onClick=${() => setTarget(null)}>Back</button></span>`}</div>
  </div>`;
}
