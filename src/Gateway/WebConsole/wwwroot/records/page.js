// #/records/TOPIC?partition=&from=earliest|latest|offset|time|live&offset=&time=&filter=&keyOnly=1 : every view has its own address.
import { html, useEffect, useMemo, useState } from '../core/view.js';
import { Empty, FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { path } from '../core/api.js';
import { count, duration, plural } from '../core/format.js';
import { hueOf } from '../core/hue.js';
import { go, link, replace, route } from '../core/route.js';
import { Browse } from './browse.js';
import { matches } from './values.js';
import { RecordLine } from './record.js';
import { Produce } from './produce.js';

const mostPartitionsAtOnce = 64;
const starts = [['latest', 'Newest'], ['earliest', 'Oldest'], ['offset', 'Offset'], ['time', 'Time'], ['live', 'Live']];

export function RecordsPage() {
  const { segments: [topic], query } = route.value;
  return topic === undefined ? html`<${ChooseTopic} />` : html`<${TopicRecords} key=${topic} topic=${topic} query=${query} />`;
}

function ChooseTopic() {
  const { data, failure, reload } = useLoaded('/topics');
  const [filter, setFilter] = useState('');
  const found = (data?.topics ?? []).filter((topic) => topic.name.toLowerCase().includes(filter.toLowerCase())).slice(0, 100);
  return html`<div class="page"><div class="heading"><h1>Records</h1><p class="sum">Which topic?</p>
      <div class="row end"><input type="search" data-filter placeholder="Filter  /" aria-label="Filter topics" value=${filter} onInput=${(event) => setFilter(event.target.value)} /></div></div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="topics" />`}
    ${data?.topics.length === 0 && html`<${Empty} title="No topics yet">Create one on the <a href="#/topics">topics page</a>.</${Empty}>`}
    <ul class="choices">${found.map((topic) => html`<li key=${topic.name}><a href=${link('records', [topic.name])}><span class=${`swatch ${hueOf(topic.name)}`}></span><span class="wrap">${topic.name}</span><span class="quiet-text">${plural(topic.partitionCount, 'partition')}</span></a></li>`)}</ul>
  </div>`;
}

function Controls({ topic, query, partitions, text, setText, keyOnly, setKeyOnly }) {
  const from = query.get('from') ?? 'latest';
  const change = (changes) => go('records', [topic], { ...Object.fromEntries(query), ...changes });
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    if (form.has('offset')) change({ offset: form.get('offset') });
    if (form.get('time')) change({ time: new Date(form.get('time')).toISOString() });
  };
  const local = (iso) => {
    if (!iso) return '';
    const date = new Date(iso);
    return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  };
  const keepFilter = (isKeyOnly) => replace('records', [topic], { ...Object.fromEntries(query), filter: text, keyOnly: isKeyOnly ? '1' : '' });
  const chooseKeyOnly = (event) => {
    setKeyOnly(event.target.checked);
    keepFilter(event.target.checked);
  };
  return html`<div class="controls">
    <label class="inline">Partition <select value=${query.get('partition') ?? ''} onChange=${(event) => change({ partition: event.target.value })}>
      <option value="">all</option>${Array.from({ length: partitions }, (_, index) => html`<option key=${index} value=${index}>${index}</option>`)}</select></label>
    <div class="choice" role="group" aria-label="Where to begin">${starts.map(([name, label]) => html`<button key=${name} aria-pressed=${from === name} onClick=${() => change({ from: name, offset: name === 'offset' ? query.get('offset') ?? 0 : '', time: '' })}>${label}</button>`)}</div>
    ${from === 'offset' && html`<form class="row" onSubmit=${submit}><input name="offset" type="number" min="0" aria-label="Offset" defaultValue=${query.get('offset') ?? '0'} key=${query.get('offset')} /><button>Go</button></form>`}
    ${from === 'time' && html`<form class="row" onSubmit=${submit}><input name="time" type="datetime-local" step="1" aria-label="Time" defaultValue=${local(query.get('time'))} /><button>Go</button></form>`}
    <div class="row filter"><input type="search" data-filter aria-label="Filter records" placeholder="Filter  /" value=${text} onInput=${(event) => setText(event.target.value)} onChange=${() => keepFilter(keyOnly)} />
      <label class="check"><input type="checkbox" checked=${keyOnly} onChange=${chooseKeyOnly} />key only</label></div>
  </div>`;
}

function Status({ browse, live, shown, text, keyOnly }) {
  const state = browse.state.value;
  if (live) {
    const { state: connected, failure } = browse.connection.value;
    return html`<div class="status"><span role="status">${connected === 'open' ? html`<span class="badge live"><span class="dot"></span>following</span>` : connected === 'connecting' ? 'connecting…'
        : html`<span class="badge lost"><span class="dot"></span>the stream is lost: it goes on where it was as soon as it can</span>`}</span>
      ${failure && html`<span class="bad-text">${failure.detail ?? failure.title}</span>`}
      <button data-pause aria-pressed=${browse.paused.value} onClick=${() => browse.togglePause()}>${browse.paused.value ? `Go on${browse.waiting.value > 0 ? ` (${count(browse.waiting.value)} new)` : ''}` : 'Pause'}</button>
      <span class="quiet-text">${plural(shown, 'record')} shown, the newest 500 are kept</span></div>`;
  }
  return html`<div class="status"><span role="status" class="quiet-text">${state.busy && !state.scanned ? 'Loading…' : `${count(shown)} of ${plural(browse.records.value.length, 'record')} loaded`}
      ${state.ends && ` · offsets ${count(state.ends.low)} to ${count(state.ends.high)}`}</span>
    ${text !== '' && !state.busy && state.older && html`<button onClick=${() => browse.scan(text, keyOnly, true)}>Scan back</button>`}
    ${text !== '' && !state.busy && state.newer && html`<button onClick=${() => browse.scan(text, keyOnly, false)}>Scan on</button>`}
    ${state.scanned && html`<span role="status">${plural(state.scanned.scanned, 'record')} scanned, ${count(state.scanned.found)} found${state.scanned.over ? '' : '…'}</span>`}
    ${state.busy && state.scanned && html`<button onClick=${() => browse.cancel()}>Cancel</button>`}</div>`;
}

// That the tail is not where it was, and why. It stays until it is read.
function BegunAnew({ topic, browse }) {
  const { why, since, at, each } = browse.anew.value;
  const of = browse.partitions.length === 1 ? `the newest ${plural(each, 'record')}` : `the newest ${plural(each, 'record')} of each partition`;
  const between = link('records', [topic], { ...(browse.partitions.length === 1 && { partition: browse.partitions[0] }), from: 'time', time: since && new Date(since).toISOString() });
  return html`<div class="note plain" role="status"><p>${why === 'slept' ? html`This page slept for ${duration(at - since)} and goes on with ${of}. <a href=${between}>What came meanwhile</a> is in the log.`
    : why === 'recreated' ? `Topic ${topic} was deleted and made anew. What is shown is of the new one: ${of}, and what comes.`
    : `The log is shorter than this page has read it. What is shown is of what it holds now: ${of}, and what comes.`}</p>
    <button onClick=${() => { browse.anew.value = null; }}>Understood</button></div>`;
}

function List({ topic, query, count: total, onProduce }) {
  const only = query.get('partition');
  const from = query.get('from') ?? 'latest';
  const [text, setText] = useState(query.get('filter') ?? '');
  const [keyOnly, setKeyOnly] = useState(query.get('keyOnly') === '1');
  const [open, setOpen] = useState(null);
  // A link to the same topic may bring another filter.
  useEffect(() => {
    setText(query.get('filter') ?? '');
    setKeyOnly(query.get('keyOnly') === '1');
  }, [query.get('filter'), query.get('keyOnly')]);
  const address = [only, from, query.get('offset'), query.get('time'), total].join('|');
  const browse = useMemo(() => new Browse(topic, only === null || only === '' ? Array.from({ length: Math.min(total, mostPartitionsAtOnce) }, (_, index) => index) : [Number(only)]), [address]);
  useEffect(() => {
    if (from === 'live') browse.follow();
    else if (from !== 'time' || query.get('time')) browse.open({ from, offset: query.get('offset') ?? 0, timestamp: query.get('time') });
    return () => browse.close();
  }, [browse]);
  useEffect(() => setOpen(from === 'offset' && only ? `${only}:${query.get('offset')}` : null), [browse]);
  const state = browse.state.value;
  const live = from === 'live';
  const shown = browse.records.value.filter((record) => record.expired || matches(record, text, keyOnly));
  return html`<${Controls} topic=${topic} query=${query} partitions=${total} text=${text} setText=${setText} keyOnly=${keyOnly} setKeyOnly=${setKeyOnly} />
    ${total > mostPartitionsAtOnce && !only && html`<p class="quiet-text">All of the first ${mostPartitionsAtOnce} partitions; choose one to see another.</p>`}
    <${Status} browse=${browse} live=${live} shown=${shown.filter((record) => !record.expired).length} text=${text} keyOnly=${keyOnly} />
    ${browse.anew.value && html`<${BegunAnew} topic=${topic} browse=${browse} />`}
    ${state.failure && html`<${FailureNote} failure=${state.failure} retry=${() => browse.open({ from, offset: query.get('offset') ?? 0, timestamp: query.get('time') })} />`}
    ${!live && state.older && html`<button class="more" disabled=${state.busy} onClick=${() => browse.older()}>Older</button>`}
    ${shown.length > 0 && html`<div class="record-heads" aria-hidden="true"><span>Partition, offset</span><span>Time</span><span>Key</span><span>Value</span></div>`}
    <ol class="records">${shown.map((record) => {
      const id = `${record.partition}:${record.offset}`;
      if (record.expired) return html`<li key=${`${id}:expired`} class="record expired">Partition ${record.partition}: ${plural(record.expired, 'record')} expired before this page could read ${record.expired === 1 ? 'it' : 'them'}, from offset ${count(record.offset)} on.</li>`;
      return html`<${RecordLine} key=${id} topic=${topic} record=${record} isOpen=${open === id} onToggle=${() => setOpen(open === id ? null : id)} />`;
    })}</ol>
    ${!live && state.newer && html`<button class="more" disabled=${state.busy} onClick=${() => browse.newer()}>Newer</button>`}
    ${shown.length === 0 && !state.busy && !state.failure && html`<${NoRecords} topic=${topic} text=${text} live=${live} onProduce=${onProduce} />`}`;
}

function NoRecords({ topic, text, live, onProduce }) {
  if (text !== '') return html`<${Empty} title=${`Nothing loaded so far has “${text}”`}>Scan further, or begin somewhere else.</${Empty}>`;
  return html`<${Empty} title=${live ? 'Waiting for the next record' : 'No records here'}
    line=${`curl -X POST ${location.origin}${path`/topics/${topic}/records`} -H 'content-type: application/json' -d '{"key":"k","value":"hello"}'`}>
    <button class="link" onClick=${onProduce}>Produce one by hand</button>, or from a shell:</${Empty}>`;
}

function TopicRecords({ topic, query }) {
  const { data, failure, reload } = useLoaded(path`/topics/${topic}`);
  const [producing, setProducing] = useState(false);
  const [version, setVersion] = useState(0);
  return html`<div class="page">
    <div class="heading"><h1><a class="up" href="#/records">Records</a><span class=${`swatch ${hueOf(topic)}`}></span><span class="wrap">${topic}</span></h1>
      <div class="row end"><a class="button" href=${link('topics', [topic])}>Topic</a><button class="primary" onClick=${() => setProducing(true)}>Produce</button></div></div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="the topic" />`}
    ${data && html`<${List} key=${version} topic=${topic} query=${query} count=${data.partitions.length} onProduce=${() => setProducing(true)} />`}
    ${producing && html`<${Produce} topic=${topic} partitions=${data?.partitions.length ?? 1} partition=${query.get('partition')} onClose=${() => setProducing(false)}
      onProduced=${() => (query.get('from') === 'live' ? null : setVersion(version + 1))} />`}
  </div>`;
}
