// The cluster: silos as columns, partitions as tiles, and below what has happened.
import { effect, html, useComputed, useEffect, useRef, useSignal, useState } from '../core/view.js';
import { Empty, Waiting } from '../core/loading.js';
import { Confirm } from '../core/dialog.js';
import { count, plural } from '../core/format.js';
import { post, path } from '../core/api.js';
import { hueOf } from '../core/hue.js';
import { go, link, route } from '../core/route.js';
import { connection, isKnown, partitions, silos, topicNames, totals } from './live.js';
import { columns } from './columns.js';
import { headHeight, layOut } from './layout.js';
import { Tiles } from './tiles.js';
import { Failover } from './failover.js';
import { Feed } from './feed.js';
import { PartitionPanel } from './panel.js';

const legendTopics = 12;
const stateWords = { active: 'active', draining: 'draining', silent: 'silent', suspected: 'suspected', dead: 'dead', left: 'left' };

function useWidth(element) {
  const width = useSignal(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => { width.value = Math.floor(entry.contentRect.width); });
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
  const width = useWidth(root);
  const layout = useComputed(() => layOut(width.value, columns.value.list));
  useEffect(() => {
    const tiles = new Tiles(root.current.querySelector('.tiles'), onOpen);
    const stop = effect(() => {
      const { changed } = columns.value; // new with every silo too
      const names = new Map(silos.peek().map((silo) => [silo.nodeId, silo.name]));
      if (width.value > 0) tiles.draw(partitions, layout.value, (nodeId) => names.get(nodeId) ?? 'no silo', changed);
    });
    return () => {
      stop();
      tiles.close();
    };
  }, []);
  const known = new Map(silos.value.map((silo) => [silo.nodeId, silo]));
  const { boxes, height } = layout.value;
  return html`<div class="board" ref=${root} style=${{ height: `${height}px` }}>
    ${width.value > 0 && boxes.map((box) => {
      const silo = known.get(box.nodeId) ?? { nodeId: '–', name: 'nowhere', state: 'dead', address: '' };
      return html`<section key=${box.nodeId} class=${`silo ${silo.state}`} aria-label=${silo.name}
          style=${{ transform: `translate(${box.left}px, ${box.top}px)`, width: `${box.width}px`, height: `${box.height}px` }}>
        <${SiloHead} silo=${silo} held=${box.held} onDrain=${() => onDrain(silo)} />
      </section>`;
    })}
    <div class="tiles" role="group" aria-label="Partitions. Arrow keys move, Enter opens."></div>
  </div>`;
}

function Legend() {
  const topics = topicNames.value;
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
  const { partitions: total, away } = totals.value;
  const open = (key) => {
    const cut = key.lastIndexOf('/');
    go('cluster', [key.slice(0, cut), key.slice(cut + 1)]);
  };
  return html`<div class="page cluster">
    <div class="heading"><h1>Cluster</h1>
      ${isKnown.value && html`<p class="sum" aria-live="polite">${plural(active, 'silo')}, ${plural(total, 'partition')}${away > 0 && html`, <strong class="bad-text">${count(away)} not available</strong>`}</p>`}
      <${Legend} /></div>
    ${!isKnown.value && (connection.value.state === 'waiting'
      ? html`<div class="note bad" role="alert"><p><strong>No live stream.</strong> The server does not answer at <code>/cluster/events</code>. This page tries again by itself.</p></div>`
      : html`<${Waiting} what="the cluster" />`)}
    ${isKnown.value && html`<${Board} onOpen=${open} onDrain=${setDraining} />`}
    ${isKnown.value && total === 0 && html`<${Empty} title="No partitions yet"
      line=${`curl -X POST ${location.origin}/topics -H 'content-type: application/json' -d '{"name":"first","partitionCount":6}'`}>
      Create a topic on the <a href="#/topics">topics page</a>, produce to one, or run this:</${Empty}>`}
    ${isKnown.value && html`<div class="below"><${Failover} /><${Feed} /></div>`}
    ${partition !== undefined && html`<${PartitionPanel} key=${`${topic}/${partition}`} topic=${topic} partition=${Number(partition)} onClose=${() => go('cluster')} />`}
    ${draining && html`<${DrainQuestion} silo=${draining} onClose=${() => setDraining(null)} />`}
  </div>`;
}
