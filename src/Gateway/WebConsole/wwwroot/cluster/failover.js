// The kill timeline: requests that went well and that did not, per 100 ms, with the steps of the last silo's death over them.
import { html, useEffect, useRef, useState } from '../core/view.js';
import { count, duration, plural, time } from '../core/format.js';
import { theme } from '../core/theme.js';
import { bins, failover as lastFailover, ratesTick, serverNow } from './live.js';

const rolling = 60_000;
const before = 2000;
const after = 8000;
const height = 132;
const foot = 18;

function draw(canvas, from, until, steps) {
  const style = getComputedStyle(canvas);
  const [bar, bad, line, muted, text] = ['--bar', '--bad', '--line', '--muted', '--text'].map((name) => style.getPropertyValue(name).trim());
  const width = canvas.clientWidth;
  const scale = devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
  if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const shown = bins.ring.toArray().filter((bin) => bin !== null && bin.at >= from && bin.at < until);
  const most = Math.max(1, ...shown.map((bin) => bin.ok + bin.bad));
  const base = height - foot;
  const x = (at) => ((at - from) / (until - from)) * width;
  const broad = Math.max(1, (100 / (until - from)) * width - (until - from < 20_000 ? 1 : 0));
  const tall = (value) => (value / most) * (base - 26);
  const bars = (colour, bottomOf, of) => {
    context.beginPath();
    for (const bin of shown) if (bin[of] > 0) context.rect(x(bin.at), base - bottomOf(bin) - tall(bin[of]), broad, tall(bin[of]));
    context.fillStyle = colour;
    context.fill();
  };
  bars(bar, () => 0, 'ok');
  bars(bad, (bin) => tall(bin.ok), 'bad');
  context.fillStyle = line;
  context.fillRect(0, base, width, 1);
  context.font = `11px ${style.fontFamily}`;
  context.fillStyle = muted;
  context.textBaseline = 'bottom';
  const every = until - from > 20_000 ? 10_000 : 2000;
  for (let at = 0; at <= until - from; at += every) {
    context.textAlign = at === 0 ? 'left' : at + every > until - from ? 'right' : 'center';
    const label = steps.length > 0 ? `${(from + at - steps[0].at) / 1000} s` : at === until - from ? 'now' : `${(at - (until - from)) / 1000} s`;
    context.fillText(label, x(from + at), height - 2);
  }
  context.textBaseline = 'top';
  context.fillStyle = text;
  context.textAlign = 'center';
  let label = -Infinity; // where the last number stands: numbers never lie over one another
  steps.forEach((step, index) => {
    context.fillRect(Math.round(x(step.at)), 18, 1, base - 18);
    label = Math.max(Math.round(x(step.at)), label + 9);
    context.fillText(String(index + 1), label, 4);
  });
  return shown.length === 0 ? null : most;
}

export function Failover() {
  const canvas = useRef(null);
  const scale = useRef(null);
  const [live, setLive] = useState(false);
  const failover = lastFailover.value;
  // A death that is older than what is kept of the requests has its steps, but no curve any more.
  const hasCurve = failover !== null && failover.at > serverNow() - 110_000;
  const focus = hasCurve && !live;
  const tick = ratesTick.value;
  const drawNow = () => {
    if (canvas.current?.clientWidth > 0) {
      const until = focus ? failover.at + after : bins.end || serverNow();
      const most = draw(canvas.current, focus ? failover.at - before : until - rolling, until, focus ? failover.steps : []);
      scale.current.textContent = most === null ? 'nothing was seen of this time' : `at most ${count(most)} per 100 ms`;
    }
  };
  useEffect(drawNow, [tick, focus, failover?.at, failover?.steps.length, theme.value]);
  useEffect(() => {
    const observer = new ResizeObserver(drawNow);
    observer.observe(canvas.current);
    return () => observer.disconnect();
  }, [focus]);
  return html`<section class="failover" aria-label="Requests and the last silo's death">
    <div class="section-head"><h2>${focus ? `How ${failover.silo} died` : 'Requests'}</h2>
      ${hasCurve && html`<button class="quiet small" onClick=${() => setLive(!live)}>${live ? 'Show the last death' : 'Show the last minute'}</button>`}</div>
    <canvas ref=${canvas} style=${{ height: `${height}px` }} role="img" aria-label="Requests per 100 ms: those that went well, and those that did not"></canvas>
    <p class="chart-key"><span class="swatch ok"></span>answered<span class="swatch err"></span>failed<span class="scale" ref=${scale}></span></p>
    ${failover
      ? html`<ol class="steps">${failover.steps.map((step, index) => html`<li key=${step.name}><span class="index">${index + 1}</span><span>${step.label}</span>
          <span class="mono">${index === 0 ? time(step.at) : `+${duration(step.afterMs)}`}</span></li>`)}</ol>
        ${failover.moved > 0 && html`<p class="quiet-text">${plural(failover.moved, 'partition')} opened elsewhere${failover.longestGapMs > 0 ? `; the longest gap was ${duration(failover.longestGapMs)}` : ''}.</p>`}`
      : html`<p class="quiet-text">No silo has died since this server started. With <code>./dev cluster 3</code>, <code>./dev kill 2</code> shows how one does.</p>`}
  </section>`;
}
