namespace Granary.Abstractions.Records;

/// <summary>Who wrote a batch, and its first record's place among all that this producer wrote to the partition: what duplicates are found by.</summary>
public readonly record struct ProducerStamp
{
    public static ProducerStamp None { get; } = new()
    {
        ProducerId = RecordBatchHeader.NoProducerId,
        ProducerEpoch = RecordBatchHeader.NoProducerEpoch,
        BaseSequence = RecordBatchHeader.NoSequence,
    };

    public required long ProducerId { get; init; }

    public required short ProducerEpoch { get; init; }

    public required int BaseSequence { get; init; }

    /// <summary>True: the batch belongs to the transaction that its producer has open.</summary>
    public bool IsTransactional { get; init; }
}
