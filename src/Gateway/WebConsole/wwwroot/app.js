// The frame of every page: navigation, the state of the live stream, the theme, and the keys.
import { render } from 'preact';
import { html, useEffect, useState } from './core/view.js';
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

function ConnectionBadge() {
  const { state, retryAt } = connection.value;
  const [, tick] = useState(0);
  useEffect(() => {
    if (state !== 'waiting') return undefined;
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, [state]);
  if (state === 'open') return html`<span class="badge live" role="status"><span class="dot" aria-hidden="true"></span>live</span>`;
  const left = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  return html`<button class="badge lost" role="status" onClick=${retryLive} title="Try now">
    <span class="dot" aria-hidden="true"></span>${state === 'waiting' && left > 0 ? `reconnecting in ${left} s` : 'reconnecting…'}</button>`;
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
