namespace Granary.Abstractions.Clients;

/// <summary>Where a record came to lie.</summary>
/// <param name="Partition">The partition that it was sent to.</param>
/// <param name="Offset">Its offset; -1 where the log knows that it has the record, but no longer where.</param>
/// <param name="Timestamp">Milliseconds since 1970: the record's own time, or the append time where the topic stamps that.</param>
public readonly record struct RecordMetadata(TopicPartition Partition, long Offset, long Timestamp);
