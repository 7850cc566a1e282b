// What will expire before the group reads it. Pure: a partition's segments leave whole, when their newest record is older than the retention.

const horizonMs = 86_400_000; // a group that does not move is judged by the next day

// segments: [{ baseOffset, endOffset, maxTimestamp }] in order; readsPerSecond: 0 where it does not move. Gives the end of the zone that
// begins at the group's position, and when its first record goes; null where nothing is in danger.
export function unreadExpiry({ position, segments, retentionMs, readsPerSecond, now }) {
  if (retentionMs === null || !Number.isFinite(retentionMs)) return null;
  let end = null;
  let firstAt = null;
  for (const segment of segments) {
    if (segment.endOffset <= position || !segment.maxTimestamp) continue;
    const expires = new Date(segment.maxTimestamp).getTime() + retentionMs;
    const read = readsPerSecond > 0 ? now + (1000 * (segment.endOffset - position)) / readsPerSecond : now + horizonMs;
    if (expires >= read) break;
    end = segment.endOffset;
    firstAt ??= expires;
  }
  return end === null ? null : { end, firstAt };
}
