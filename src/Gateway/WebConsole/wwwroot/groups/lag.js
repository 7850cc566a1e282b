// How fast a group reads and its partitions grow, from what was seen at two times, and when it will have caught up. Pure.
const samplesKept = 30;

// Adds what the group says now to the samples of each partition; old ones go.
export function sample(samples, offsets, at) {
  const next = new Map();
  for (const { topic, partition, committedOffset, highWatermark } of offsets) {
    if (highWatermark == null) continue;
    const key = `${topic}/${partition}`;
    const former = samples.get(key) ?? [];
    next.set(key, [...former, { at, committed: committedOffset, end: highWatermark }].slice(-samplesKept));
  }
  return next;
}

// Records per second over the samples; null while there is only one.
export function speeds(samples) {
  if (!samples || samples.length < 2) return null;
  const [first, last] = [samples[0], samples.at(-1)];
  const seconds = (last.at - first.at) / 1000;
  if (seconds <= 0) return null;
  return { reads: Math.max(0, (last.committed - first.committed) / seconds), grows: Math.max(0, (last.end - first.end) / seconds) };
}

// ms until nothing is left to read at these speeds: 0 nothing is, Infinity never, null not known yet.
export function catchUpMs(lag, speed) {
  if (lag <= 0) return 0;
  if (speed === null) return null;
  return speed.reads > speed.grows ? (1000 * lag) / (speed.reads - speed.grows) : Infinity;
}
