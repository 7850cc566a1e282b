// A minute of a topic's throughput as one line.
import { html } from '../core/view.js';
import { rates, ratesTick } from '../cluster/live.js';
import { bytes, short } from '../core/format.js';

const width = 120;
const height = 24;
const points = 60;

export function Sparkline({ topic, of = 'bytesIn' }) {
  ratesTick.value;
  const values = (rates.get(topic)?.toArray() ?? []).map((rate) => rate[of] ?? 0);
  const most = Math.max(1, ...values);
  const step = width / (points - 1);
  const line = values.map((value, index) => `${((points - values.length + index) * step).toFixed(1)},${(height - 1 - (value / most) * (height - 3)).toFixed(1)}`).join(' ');
  return html`<svg class="sparkline" viewBox=${`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label=${`The last minute of ${topic}, at most ${bytes(most)} per second`}>
    <line x1="0" y1=${height - 0.5} x2=${width} y2=${height - 0.5} class="axis" />
    ${values.length > 1 && html`<polyline points=${line} />`}</svg>`;
}

export function Rate({ topic, fetched = false }) {
  ratesTick.value;
  const last = rates.get(topic)?.last();
  if (fetched) return html`<span class="rate">${bytes(last?.bytesOut ?? 0)}/s</span>`;
  return html`<span class="rate">${short(last?.recordsIn ?? 0)}/s <span class="quiet-text">${bytes(last?.bytesIn ?? 0)}/s</span></span>`;
}
