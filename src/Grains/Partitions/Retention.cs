using Granary.Abstractions.Topics;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>
/// What retention.ms and retention.bytes no longer keep: whole segments, oldest first, up to the first that is kept.
/// By time the active segment goes too when its newest record is old enough; by size it never does.
/// </summary>
internal static class Retention
{
    /// <summary>
    /// Where the log may start now (inclusive): <paramref name="logStartOffset"/> itself where nothing is to go.
    /// <paramref name="segments"/>: oldest first, without gaps.
    /// </summary>
    public static long NewLogStart(
        IReadOnlyList<StoredSegment> segments,
        long logStartOffset,
        TopicSettings settings,
        DateTimeOffset now)
    {
        var drop = CountExpired(segments, settings.Retention, now);
        drop = Math.Max(drop, CountOversize(segments, settings.RetentionBytes));
        return drop == 0 ? logStartOffset : Math.Max(logStartOffset, segments[drop - 1].EndOffset);
    }

    private static int CountExpired(IReadOnlyList<StoredSegment> segments, TimeSpan? retention, DateTimeOffset now)
    {
        if (retention is not { } kept)
            return 0;
        var count = 0;
        while (count < segments.Count && NewestRecord(segments, count) is { } newest && now - newest > kept)
            count++;
        return count;
    }

    /// <summary>Null where nobody can say: an active segment whose records carry no time.</summary>
    private static DateTimeOffset? NewestRecord(IReadOnlyList<StoredSegment> segments, int index)
    {
        var timestamp = segments[index].MaxTimestamp;
        if (timestamp >= 0)
            return timestamp < DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() ? DateTimeOffset.FromUnixTimeMilliseconds(timestamp) : DateTimeOffset.MaxValue;

        // Without times of their own, its records were appended before the next segment was begun.
        return index + 1 < segments.Count ? segments[index + 1].CreatedAt : null;
    }

    private static int CountOversize(IReadOnlyList<StoredSegment> segments, long? maxBytes)
    {
        if (maxBytes is not { } kept)
            return 0;
        var excess = -kept;
        foreach (var segment in segments)
            excess += segment.SizeBytes;
        var count = 0;
        while (count < segments.Count && !segments[count].IsActive && excess >= segments[count].SizeBytes)
            excess -= segments[count++].SizeBytes;
        return count;
    }
}
