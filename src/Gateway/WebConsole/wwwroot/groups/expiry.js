// What will expire before the group reads it. Pure. A partition's segments leave whole and oldest first: when their newest record is older than
// retention.ms, or when what comes after them is as large as retention.bytes.

const horizonMs = 86_400_000; // a group that does not move is judged by the next day

// The newest record's time; without one, its records are older than the next segment.
function goesByTime(segments, index, retentionMs) {
  const newest = segments[index].maxTimestamp ?? segments[index + 1]?.createdAt;
  return retentionMs == null || newest == null ? Infinity : new Date(newest).getTime() + retentionMs;
}

// segments: [{ baseOffset, endOffset, sizeBytes, maxTimestamp, createdAt, isActive }] in order; a limit that is null or Infinity is none;
// readsPerSecond: 0 where the group does not move; growsPerSecond: records. Gives the end of the zone that begins at the group's position, and when
// its first record goes; null where nothing is in danger.
export function unreadExpiry({ position, segments, retentionMs, retentionBytes = null, readsPerSecond, growsPerSecond = 0, now }) {
  const total = segments.reduce((sum, segment) => sum + (segment.sizeBytes ?? 0), 0);
  const records = segments.length > 0 ? segments.at(-1).endOffset - segments[0].baseOffset : 0;
  const bytesPerMs = records > 0 ? (growsPerSecond * total) / records / 1000 : 0;
  const goesBySize = (passed, isActive) => {
    const missing = (retentionBytes ?? Infinity) + passed - total;
    return missing <= 0 && !isActive ? now : bytesPerMs > 0 ? now + Math.max(0, missing) / bytesPerMs : Infinity;
  };
  let end = null;
  let firstAt = null;
  let passed = 0;
  let byTime = -Infinity; // none goes before those that are older
  for (const [index, segment] of segments.entries()) {
    passed += segment.sizeBytes ?? 0;
    byTime = Math.max(byTime, goesByTime(segments, index, retentionMs));
    if (segment.endOffset <= position) continue;
    const expires = Math.min(byTime, goesBySize(passed, segment.isActive));
    const read = readsPerSecond > 0 ? now + (1000 * (segment.endOffset - position)) / readsPerSecond : now + horizonMs;
    if (expires >= read) break;
    end = segment.endOffset;
    firstAt ??= expires;
  }
  return end === null ? null : { end, firstAt };
}
