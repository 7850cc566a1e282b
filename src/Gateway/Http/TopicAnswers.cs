using System.Text.Json.Serialization;

namespace Granary.Gateway.Http;

/// <summary>A silo, where another resource names it: the leader of a partition, the coordinator of a group.</summary>
internal sealed record SiloAnswer(int NodeId, string Name);

/// <param name="Next">What to give as after= for the next page; null: this is the last one.</param>
internal sealed record TopicListAnswer(IReadOnlyList<TopicSummary> Topics, string? Next);

/// <param name="SizeBytes">With details=true alone.</param>
/// <param name="RetentionMs">With details=true alone; -1: for ever.</param>
internal sealed record TopicSummary(
    string Name,
    Guid TopicId,
    int PartitionCount,
    bool IsInternal,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? SizeBytes = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? RetentionMs = null);

internal sealed record TopicAnswer(
    string Name, Guid TopicId, bool IsInternal, int PartitionCount, long SizeBytes, IReadOnlyList<PartitionSummary> Partitions, IReadOnlyList<ConfigAnswer> Config);

/// <summary>Figures are null where the partition does not answer.</summary>
internal sealed record PartitionSummary(int Partition, SiloAnswer? Leader, int? LeaderEpoch, long? LogStartOffset, long? HighWatermark, long? SizeBytes);

/// <param name="Source">topic, where it was set; else default.</param>
internal sealed record ConfigAnswer(string Name, string? Value, string Source, string? Default, string Type, string Documentation, bool ReadOnly);

/// <param name="LeaderEpochs">In their order; where there are more than Granary__Http__MaxPartitionDetails the newest.</param>
/// <param name="Segments">In their order; the newest, as above.</param>
/// <param name="Producers">Who appended last comes first; bounded as above.</param>
/// <param name="WaitingReaders">Those at the end of the log, waiting for more.</param>
internal sealed record PartitionAnswer(
    string Topic,
    int Partition,
    SiloAnswer? Leader,
    int LeaderEpoch,
    int LeaderEpochCount,
    IReadOnlyList<LeaderEpochAnswer> LeaderEpochs,
    long LogStartOffset,
    long HighWatermark,
    long LastStableOffset,
    long SizeBytes,
    int SegmentCount,
    IReadOnlyList<SegmentAnswer> Segments,
    int ProducerCount,
    IReadOnlyList<ProducerAnswer> Producers,
    IReadOnlyList<ReaderAnswer> Readers,
    int WaitingReaders);

internal sealed record LeaderEpochAnswer(int LeaderEpoch, long StartOffset);

/// <param name="BaseOffset">Inclusive.</param>
/// <param name="EndOffset">Exclusive.</param>
/// <param name="MaxTimestamp">The newest record's.</param>
internal sealed record SegmentAnswer(long BaseOffset, long EndOffset, long SizeBytes, string? MaxTimestamp, string? CreatedAt, bool IsActive);

internal sealed record ProducerAnswer(long ProducerId, short ProducerEpoch, int LastSequence, long LastOffset, string? LastTimestamp);

/// <param name="ClientId">What a Kafka client or a service of the cluster calls itself; "http" and the address of one that reads over HTTP.</param>
/// <param name="Offset">What it asked for last.</param>
internal sealed record ReaderAnswer(string ClientId, long Offset, string? LastFetchAt);
