// All topics: throughput, size, retention; create one.
import { html, useEffect, useState } from '../core/view.js';
import { Empty, FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { eachOf, get } from '../core/api.js';
import { bytes, count, duration, plural } from '../core/format.js';
import { hueOf } from '../core/hue.js';
import { link } from '../core/route.js';
import { Rate, Sparkline } from './sparkline.js';
import { CreateTopic } from './create.js';

const shownAtFirst = 50;
const pageAtMost = 50;
const refresh = 5000;

// The names as runs that are without a gap among all of them: each is one page of the API.
export function runsOf(names, all) {
  const runs = [];
  for (const name of names) {
    const place = all.indexOf(name);
    const run = runs.at(-1);
    if (run && run.first + run.length === place && run.length < pageAtMost) run.length++;
    else runs.push({ first: place, length: 1, after: all[place - 1] ?? null });
  }
  return runs;
}

// Size and retention of the rows that are shown, asked for again and again while somebody looks.
function useDetails(names, all) {
  const [details, setDetails] = useState(new Map());
  const wanted = names.join('\n');
  useEffect(() => {
    let over = false;
    let timer = 0;
    const load = async () => {
      if (!document.hidden) {
        await eachOf(runsOf(names, all), async ({ after, length, first }) => {
          if (over) return;
          const query = new URLSearchParams({ details: true, limit: length, ...(after !== null && { after }) });
          const found = await get(`/topics?${query}`).then(({ topics }) => topics, (failure) => all.slice(first, first + length).map((name) => ({ name, failure })));
          if (!over) setDetails((former) => new Map([...former, ...found.map((one) => [one.name, one])]));
        });
      }
      if (!over) timer = setTimeout(load, refresh);
    };
    load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [wanted]);
  return details;
}

function Row({ topic, detail }) {
  return html`<tr>
    <th scope="row"><a href=${link('topics', [topic.name])}><span class=${`swatch ${hueOf(topic.name)}`}></span><span class="wrap">${topic.name}</span></a></th>
    <td class="number" data-label="Partitions">${count(topic.partitionCount)}</td>
    <td data-label="Last minute" class="spark"><${Sparkline} topic=${topic.name} /><${Rate} topic=${topic.name} /></td>
    <td class="number" data-label="Size">${detail?.failure ? html`<span title=${detail.failure.message}>unknown</span>` : bytes(detail?.sizeBytes)}</td>
    <td class="number" data-label="Retention">${detail?.retentionMs === -1 ? 'for ever' : duration(detail?.retentionMs)}</td>
    <td class="actions"><a href=${link('records', [topic.name])}>Records</a></td>
  </tr>`;
}

export function TopicList() {
  const { data, failure, reload } = useLoaded('/topics', { every: refresh });
  const [filter, setFilter] = useState('');
  const [limit, setLimit] = useState(shownAtFirst);
  const [creating, setCreating] = useState(false);
  const all = data?.topics ?? [];
  const found = all.filter((topic) => topic.name.toLowerCase().includes(filter.toLowerCase()));
  const shown = found.slice(0, limit);
  const details = useDetails(shown.map((topic) => topic.name), all.map((topic) => topic.name));
  return html`<div class="page">
    <div class="heading"><h1>Topics</h1>${data && html`<p class="sum">${plural(all.length, 'topic')}</p>`}
      <div class="row end"><input type="search" data-filter placeholder="Filter  /" aria-label="Filter topics" value=${filter} onInput=${(event) => setFilter(event.target.value)} />
        <button class="primary" onClick=${() => setCreating(true)}>Create topic</button></div></div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="topics" />`}
    ${data && all.length === 0 && html`<${Empty} title="No topics yet"
      line=${`curl -X POST ${location.origin}/topics -H 'content-type: application/json' -d '{"name":"first","partitionCount":6}'`}>Create one above, or from a shell:</${Empty}>`}
    ${data && all.length > 0 && found.length === 0 && html`<${Empty} title=${`No topic has “${filter}” in its name`} />`}
    ${shown.length > 0 && html`<table class="list topics"><thead><tr><th>Topic</th><th class="number">Partitions</th><th>Last minute</th><th class="number">Size</th><th class="number">Retention</th><th><span class="hidden">Actions</span></th></tr></thead>
      <tbody>${shown.map((topic) => html`<${Row} key=${topic.name} topic=${topic} detail=${details.get(topic.name)} />`)}</tbody></table>`}
    ${found.length > limit && html`<button onClick=${() => setLimit(limit + shownAtFirst)}>Show ${Math.min(shownAtFirst, found.length - limit)} more of ${count(found.length)}</button>`}
    ${creating && html`<${CreateTopic} onClose=${() => setCreating(false)} />`}
  </div>`;
}
