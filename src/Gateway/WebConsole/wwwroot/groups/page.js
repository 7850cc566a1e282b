// #/groups is the list, #/groups/NAME one of them.
import { html, useEffect, useState } from '../core/view.js';
import { Empty, FailureNote, Waiting, useLoaded } from '../core/loading.js';
import { plural } from '../core/format.js';
import { link, route } from '../core/route.js';
import { lastGroupEvent } from '../cluster/live.js';
import { GroupPage } from './group.js';

const shownAtMost = 200;

export function GroupsPage() {
  const [group] = route.value.segments;
  return group === undefined ? html`<${GroupList} />` : html`<${GroupPage} key=${group} group=${group} />`;
}

function GroupList() {
  const { data, failure, reload } = useLoaded('/groups', { every: 5000 });
  const [filter, setFilter] = useState('');
  const event = lastGroupEvent.value;
  useEffect(() => { if (event) reload(); }, [event]);
  const all = data?.groups ?? [];
  const found = all.filter((group) => group.groupId.toLowerCase().includes(filter.toLowerCase()));
  return html`<div class="page">
    <div class="heading"><h1>Groups</h1>${data && html`<p class="sum">${plural(all.length, 'group')}</p>`}
      <div class="row end"><input type="search" data-filter placeholder="Filter  /" aria-label="Filter groups" value=${filter} onInput=${(change) => setFilter(change.target.value)} /></div></div>
    ${failure && html`<${FailureNote} failure=${failure} retry=${reload} />`}
    ${!data && !failure && html`<${Waiting} what="groups" />`}
    ${data && all.length === 0 && html`<${Empty} title="No consumer groups" line="kcat -b 127.0.0.1:9092 -G first-group first">A group is there as soon as a client joins one, or commits an offset in its name:</${Empty}>`}
    ${data && all.length > 0 && found.length === 0 && html`<${Empty} title=${`No group has “${filter}” in its name`} />`}
    ${found.length > 0 && html`<table class="list"><thead><tr><th>Group</th><th>State</th><th>Type</th></tr></thead>
      <tbody>${found.slice(0, shownAtMost).map((group) => html`<tr key=${group.groupId}>
        <th scope="row"><a href=${link('groups', [group.groupId])}><span class="wrap">${group.groupId}</span></a></th>
        <td data-label="State"><span class=${`state ${group.state}`}>${group.state}</span></td><td data-label="Type">${group.type}</td></tr>`)}</tbody></table>`}
    ${found.length > shownAtMost && html`<p class="quiet-text">The first ${shownAtMost} of ${found.length}: filter for others.</p>`}
  </div>`;
}
