// Where the other groups are in the same partitions: their flags stand beside the group's own.
import { useEffect, useState } from '../core/view.js';
import { eachOf, get, path } from '../core/api.js';

const groupsAtMost = 24; // each is asked for all of its positions
const refresh = 15_000;

// "topic/3" -> [{ group, offset }], by offset.
export function useOthers(group) {
  const [found, setFound] = useState(new Map());
  useEffect(() => {
    let over = false;
    let timer = 0;
    const load = async () => {
      const places = new Map();
      // Who cannot be asked now has no flag; the page itself says what it cannot reach.
      const { groups } = document.hidden ? { groups: [] } : await get(`/groups?limit=${groupsAtMost + 1}`).catch(() => ({ groups: [] }));
      await eachOf(groups.map((one) => one.groupId).filter((id) => id !== group).slice(0, groupsAtMost), async (id) => {
        const { offsets = [] } = over ? {} : await get(path`/groups/${id}`).catch(() => ({}));
        for (const { topic, partition, committedOffset: offset } of offsets) {
          if (topic == null || offset == null || offset < 0) continue;
          const key = `${topic}/${partition}`;
          places.set(key, [...(places.get(key) ?? []), { group: id, offset }].sort((a, b) => a.offset - b.offset));
        }
      }, 2);
      if (over) return;
      if (!document.hidden) setFound(places);
      timer = setTimeout(load, refresh);
    };
    load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [group]);
  return found;
}
