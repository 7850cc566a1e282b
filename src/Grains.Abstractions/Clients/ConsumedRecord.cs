using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>A record as a reader gets it. Its memory stays valid as long as it is referenced; that keeps its whole batch.</summary>
/// <param name="LeaderEpoch">Of the leader that appended it; -1: not known.</param>
public readonly record struct ConsumedRecord(TopicPartition Partition, Record Record, int LeaderEpoch = -1)
{
    public long Offset => Record.Offset;

    /// <summary>Milliseconds since 1970, or -1.</summary>
    public long Timestamp => Record.Timestamp;

    public ReadOnlyMemory<byte>? Key => Record.Key;

    public ReadOnlyMemory<byte>? Value => Record.Value;

    public IReadOnlyList<RecordHeader> Headers => Record.Headers;

    /// <summary>The key as UTF-8 text; null where there is none.</summary>
    public string? KeyText => Record.KeyText;

    /// <summary>The value as UTF-8 text; null where there is none.</summary>
    public string? ValueText => Record.ValueText;
}
