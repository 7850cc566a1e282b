using Granary.Abstractions.Records;

namespace Granary.Abstractions.Topics;

/// <summary>What cleanup.policy asks for.</summary>
public enum CleanupPolicy : byte
{
    Delete = 0,
}

/// <summary>Who stamps a record's time (message.timestamp.type).</summary>
public enum TimestampType : byte
{
    CreateTime = 0,
    LogAppendTime = 1,
}

/// <summary>A topic's configs as typed values, overrides over defaults; made by <see cref="TopicConfigs"/>.</summary>
public sealed record TopicSettings
{
    /// <summary>retention.ms: how long a segment is kept after its newest record; null (-1 in Kafka): for ever.</summary>
    public TimeSpan? Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>retention.bytes: how large a partition's log may grow; null (-1 in Kafka): no bound.</summary>
    public long? RetentionBytes { get; init; }

    /// <summary>segment.bytes: a segment that would grow beyond it is closed.</summary>
    public long SegmentBytes { get; init; } = 1L << 30;

    /// <summary>segment.ms: a segment older than this is closed at the next append.</summary>
    public TimeSpan SegmentAge { get; init; } = TimeSpan.FromDays(7);

    /// <summary>max.message.bytes: the largest record batch, as it lies on the wire.</summary>
    public int MaxMessageBytes { get; init; } = 1_048_588;

    /// <summary>message.timestamp.type.</summary>
    public TimestampType TimestampType { get; init; } = TimestampType.CreateTime;

    /// <summary>message.timestamp.before.max.ms: how far in the past a record's time may lie.</summary>
    public long TimestampBeforeMaxMs { get; init; } = long.MaxValue;

    /// <summary>message.timestamp.after.max.ms: how far in the future a record's time may lie (Kafka 4.0's default: one hour).</summary>
    public long TimestampAfterMaxMs { get; init; } = 3_600_000;

    /// <summary>cleanup.policy.</summary>
    public CleanupPolicy CleanupPolicy { get; init; } = CleanupPolicy.Delete;

    /// <summary>What records' times must keep to at that time, in ms since 1970; null where the log stamps them itself.</summary>
    public TimestampBounds? TimestampBoundsAt(long now) => TimestampType == TimestampType.CreateTime
        ? new TimestampBounds { Now = now, BeforeMaxMs = TimestampBeforeMaxMs, AfterMaxMs = TimestampAfterMaxMs }
        : null;
}
