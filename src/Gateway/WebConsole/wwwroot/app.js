// The frame of every page: navigation, the state of the live stream, the theme, and the keys.
import { render } from 'preact';
import { html, useEffect, useRef, useState } from './core/view.js';
import { route, link } from './core/route.js';
import { theme, nextTheme } from './core/theme.js';
import { Help, onKey, openHelp } from './core/shortcuts.js';
import { connection, startLive, retryLive } from './cluster/live.js';
import { ClusterPage } from './cluster/page.js';
import { TopicsPage } from './topics/page.js';
import { RecordsPage } from './records/page.js';
import { GroupsPage } from './groups/page.js';

const pages = { cluster: ['Cluster', ClusterPage], topics: ['Topics', TopicsPage], records: ['Records', RecordsPage], groups: ['Groups', GroupsPage] };
const themeNames = { system: 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };
const themeSigns = { system: '◐', light: '○', dark: '●' };

// What is seen counts down; what is announced changes only when the connection is lost or is there again.
function ConnectionBadge() {
  const { state, retryAt } = connection.value;
  const [, tick] = useState(0);
  const wasOpen = useRef(false);
  wasOpen.current ||= state === 'open';
  useEffect(() => {
    if (state !== 'waiting') return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [state]);
  const left = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  const said = state === 'open' ? 'The page is live.' : wasOpen.current ? 'The connection is lost. The page reconnects by itself.' : '';
  return html`<span class="hidden" role="status">${said}</span>
    ${state === 'open' ? html`<span class="badge live"><span class="dot" aria-hidden="true"></span>live</span>`
      : html`<button class="badge lost" onClick=${retryLive} title="Try now">
        <span class="dot" aria-hidden="true"></span>${state === 'waiting' && left > 0 ? `reconnecting in ${left} s` : 'reconnecting…'}</button>`}`;
}

function App() {
  const { page } = route.value;
  const [title, Page] = pages[page] ?? [null, null];
  useEffect(() => { document.title = title ? `${title} · Granary` : 'Granary'; }, [title]);
  return html`
    <a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); document.querySelector('main').focus(); }}>Skip to the content</a>
    <header class="top">
      <a class="brand" href="#/cluster">Granary</a>
      <nav aria-label="Pages">${Object.entries(pages).map(([name, [label]]) =>
        html`<a key=${name} href=${link(name)} aria-current=${name === page ? 'page' : null}>${label}</a>`)}</nav>
      <div class="tools">
        <${ConnectionBadge} />
        <button class="quiet icon" onClick=${nextTheme} aria-label=${themeNames[theme.value]} title=${`${themeNames[theme.value]} (t)`}>${themeSigns[theme.value]}</button>
        <button class="quiet icon" onClick=${openHelp} aria-label="Keys" title="Keys (?)">?</button>
      </div>
    </header>
    <main tabindex="-1">${Page ? html`<${Page} />` : html`<div class="empty"><h1>No such page</h1><p>There is nothing at <code>${location.hash}</code>. Go to the <a href="#/cluster">cluster</a>.</p></div>`}</main>
    <${Help} />`;
}

document.addEventListener('keydown', onKey);
startLive();
render(html`<${App} />`, document.getElementById('app'));
