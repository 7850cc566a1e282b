// The cluster: silos as columns, partitions as tiles, and below what has happened.
import { html, useEffect, useMemo, useRef, useState } from '../core/view.js';
import { Empty, Waiting } from '../core/loading.js';
import { Confirm } from '../core/dialog.js';
import { count, plural } from '../core/format.js';
import { post, path } from '../core/api.js';
import { hueOf } from '../core/hue.js';
import { go, link, route } from '../core/route.js';
import { board, connection, isKnown, partitions, silos } from './live.js';
import { headHeight, layOut } from './layout.js';
import { Tiles } from './tiles.js';
import { Failover } from './failover.js';
import { Feed } from './feed.js';
import { PartitionPanel } from './panel.js';

const legendTopics = 12;
const stateWords = { active: 'active', draining: 'draining', silent: 'silent', suspected: 'suspected', dead: 'dead', left: 'left' };

// Partitions by silo, in the order of their names; those that never had a silo stand in a column of their own.
function columnsOf(shown) {
  const byNode = new Map(shown.map((silo) => [silo.nodeId, []]));
  const sorted = [...partitions.values()].sort((a, b) => (a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition));
  for (const partition of sorted) {
    if (!byNode.has(partition.nodeId)) byNode.set(partition.nodeId, []);
    byNode.get(partition.nodeId).push(partition.key);
  }
  return [...byNode].map(([nodeId, tiles]) => ({ nodeId, tiles }));
}

function useWidth(element) {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry.contentRect.width)));
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return width;
}

function SiloHead({ silo, held, onDrain }) {
  const gone = silo.state === 'dead' || silo.state === 'left';
  return html`<div class="silo-head" style=${{ height: `${headHeight}px` }}>
    <div class="silo-name"><h2>${silo.name}</h2><span class=${`state ${silo.state}`}>${stateWords[silo.state] ?? silo.state}</span></div>
    <div class="silo-facts"><span>node ${silo.nodeId}</span><span class="mono">${silo.address}</span></div>
    <div class="silo-count" title=${plural(held, 'partition')}>${count(held)}</div>
    ${!gone && silo.state !== 'draining' && html`<button class="quiet small drain" onClick=${onDrain} aria-label=${`Drain ${silo.name}`}>Drain</button>`}
  </div>`;
}

function Board({ onOpen, onDrain }) {
  const root = useRef(null);
  const tiles = useRef(null);
  const width = useWidth(root);
  const shown = silos.value;
  const version = board.value;
  const layout = useMemo(() => {
    const columns = columnsOf(shown);
    return { columns, ...layOut(width, columns) };
  }, [shown, version, width]);
  useEffect(() => {
    tiles.current = new Tiles(root.current.querySelector('.tiles'), onOpen);
    return () => tiles.current.close();
  }, []);
  useEffect(() => {
    if (width === 0) return;
    const names = new Map(shown.map((silo) => [silo.nodeId, silo.name]));
    tiles.current.draw(partitions, layout, (nodeId) => names.get(nodeId) ?? 'no silo');
  }, [layout]);
  const known = new Map(shown.map((silo) => [silo.nodeId, silo]));
  return html`<div class="board" ref=${root} style=${{ height: `${layout.height}px` }}>
    ${width > 0 && layout.boxes.map((box, index) => {
      const silo = known.get(box.nodeId) ?? { nodeId: '–', name: 'nowhere', state: 'dead', address: '' };
      return html`<section key=${box.nodeId} class=${`silo ${silo.state}`} aria-label=${silo.name}
          style=${{ transform: `translate(${box.left}px, ${box.top}px)`, width: `${box.width}px`, height: `${box.height}px` }}>
        <${SiloHead} silo=${silo} held=${layout.columns[index].tiles.length} onDrain=${() => onDrain(silo)} />
      </section>`;
    })}
    <div class="tiles" role="group" aria-label="Partitions. Arrow keys move, Enter opens."></div>
  </div>`;
}

function Legend() {
  board.value; // drawn anew when partitions change
  const topics = [...new Set([...partitions.values()].map((partition) => partition.topic))].sort();
  if (topics.length === 0) return null;
  return html`<ul class="legend" aria-label="Topics by colour">
    ${topics.slice(0, legendTopics).map((topic) => html`<li key=${topic}><a href=${link('topics', [topic])}><span class=${`swatch ${hueOf(topic)}`}></span>${topic}</a></li>`)}
    ${topics.length > legendTopics && html`<li><a href="#/topics">and ${topics.length - legendTopics} more</a></li>`}
  </ul>`;
}

function DrainQuestion({ silo, onClose }) {
  const held = [...partitions.values()].filter((partition) => partition.nodeId === silo.nodeId).length;
  return html`<${Confirm} title=${`Drain ${silo.name}?`} action="Drain" act=${() => post(path`/cluster/silos/${silo.name}/drain`)} onClose=${onClose}>
    <p>${silo.name} hands its ${plural(held, 'partition')} and its groups to the other silos, and then ends by itself. Clients go on; each partition pauses for a moment.</p>
    <p>Whatever started it (a container's orchestrator, for instance) may start it again.</p>
  </${Confirm}>`;
}

export function ClusterPage() {
  const [draining, setDraining] = useState(null);
  const [topic, partition] = route.value.segments;
  const active = silos.value.filter((silo) => !silo.goneAt).length;
  board.value;
  const away = [...partitions.values()].filter((one) => one.state !== 'open').length;
  const open = (key) => {
    const cut = key.lastIndexOf('/');
    go('cluster', [key.slice(0, cut), key.slice(cut + 1)]);
  };
  return html`<div class="page cluster">
    <div class="heading"><h1>Cluster</h1>
      ${isKnown.value && html`<p class="sum" aria-live="polite">${plural(active, 'silo')}, ${plural(partitions.size, 'partition')}${away > 0 && html`, <strong class="bad-text">${count(away)} not available</strong>`}</p>`}
      <${Legend} /></div>
    ${!isKnown.value && (connection.value.state === 'waiting'
      ? html`<div class="note bad" role="alert"><p><strong>No live stream.</strong> The server does not answer at <code>/cluster/events</code>. This page tries again by itself.</p></div>`
      : html`<${Waiting} what="the cluster" />`)}
    ${isKnown.value && html`<${Board} onOpen=${open} onDrain=${setDraining} />`}
    ${isKnown.value && partitions.size === 0 && html`<${Empty} title="No partitions yet"
      line=${`curl -X POST ${location.origin}/topics -H 'content-type: application/json' -d '{"name":"first","partitionCount":6}'`}>
      Create a topic on the <a href="#/topics">topics page</a>, produce to one, or run this:</${Empty}>`}
    ${isKnown.value && html`<div class="below"><${Failover} /><${Feed} /></div>`}
    ${partition !== undefined && html`<${PartitionPanel} key=${`${topic}/${partition}`} topic=${topic} partition=${Number(partition)} onClose=${() => go('cluster')} />`}
    ${draining && html`<${DrainQuestion} silo=${draining} onClose=${() => setDraining(null)} />`}
  </div>`;
}
