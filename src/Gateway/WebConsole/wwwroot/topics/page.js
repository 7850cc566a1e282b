// #/topics is the list, #/topics/NAME one of them.
import { html } from '../core/view.js';
import { route } from '../core/route.js';
import { TopicList } from './list.js';
import { TopicPage } from './topic.js';

export function TopicsPage() {
  const [topic] = route.value.segments;
  return topic === undefined ? html`<${TopicList} />` : html`<${TopicPage} key=${topic} topic=${topic} />`;
}
