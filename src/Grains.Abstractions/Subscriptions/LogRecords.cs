using System.Collections.Immutable;
using System.Text;
using Granary.Abstractions.Clients;

namespace Granary.Abstractions.Subscriptions;

/// <summary>Records of one partition, in the order of their offsets. With <see cref="SubscriptionKey.Key"/> only those of one key, so that offsets are left out.</summary>
/// <param name="Partition">From 0.</param>
[GenerateSerializer, Immutable, Alias("granary.LogRecords")]
public sealed record LogRecords([property: Id(0)] string Topic, [property: Id(1)] int Partition, [property: Id(2)] ImmutableArray<LogRecord> Records)
{
    internal static LogRecords Of(TopicPartition partition, IEnumerable<ConsumedRecord> records) =>
        new(partition.Topic, partition.Partition, [.. records.Select(LogRecord.Of)]);
}

/// <summary>A record as a grain gets it.</summary>
/// <param name="Timestamp">Milliseconds since 1970, or -1.</param>
[GenerateSerializer, Immutable, Alias("granary.LogRecord")]
public readonly record struct LogRecord(
    [property: Id(0)] long Offset,
    [property: Id(1)] long Timestamp,
    [property: Id(2)] ReadOnlyMemory<byte>? Key,
    [property: Id(3)] ReadOnlyMemory<byte>? Value,
    [property: Id(4)] ImmutableArray<LogRecordHeader> Headers)
{
    /// <summary>The key as UTF-8 text; null where there is none.</summary>
    public string? KeyText => Key is { } key ? Encoding.UTF8.GetString(key.Span) : null;

    /// <summary>The value as UTF-8 text; null where there is none.</summary>
    public string? ValueText => Value is { } value ? Encoding.UTF8.GetString(value.Span) : null;

    internal static LogRecord Of(ConsumedRecord record) => new(
        record.Offset, record.Timestamp, record.Key, record.Value, [.. record.Headers.Select(header => new LogRecordHeader(header.Key, header.Value))]);
}

/// <summary>A named value beside a record's own; the value may be null.</summary>
[GenerateSerializer, Immutable, Alias("granary.LogRecordHeader")]
public readonly record struct LogRecordHeader([property: Id(0)] string Key, [property: Id(1)] ReadOnlyMemory<byte>? Value);
