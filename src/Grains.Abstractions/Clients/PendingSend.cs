using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>One record between <see cref="LogProducer.SendAsync"/> and its answer.</summary>
internal sealed class PendingSend(string topic, Record record, int? partition, SendTally tally)
{
    private readonly TaskCompletionSource<RecordMetadata> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<RecordMetadata> Task => _answer.Task;

    public string Topic { get; } = topic;

    /// <summary>Its content; emptied once it was written into a batch.</summary>
    public Record Record { get; private set; } = record;

    /// <summary>The partition that the sender asked for, if it did.</summary>
    public int? Partition { get; } = partition;

    public long Timestamp { get; } = record.Timestamp;

    /// <summary>What it takes of the buffer memory from admission to answer.</summary>
    public int ReservedBytes { get; } = RecordBatchWriter.MaxSizeOf(record.Key, record.Value, record.Headers);

    // After all that may throw: what was never made would be waited for by every flush.
    private readonly SendTally.Generation _generation = tally.Enter();

    /// <summary>When waiting to be admitted ends (client's clock).</summary>
    public TimeSpan BlockedUntil { get; set; }

    public void DropContent() => Record = default;

    /// <summary>It is not made after all, and nobody has its task. Instead of <see cref="Answer"/> and <see cref="Refuse"/>.</summary>
    public void Withdraw() => tally.Leave(_generation);

    /// <summary>Ends the send well. Once, and not together with <see cref="Refuse"/>.</summary>
    public void Answer(RecordMetadata metadata)
    {
        _answer.SetResult(metadata);
        tally.Leave(_generation);
    }

    /// <summary>Ends the send with an error. Once, and not together with <see cref="Answer"/>.</summary>
    public void Refuse(LogException error)
    {
        _answer.SetException(error);
        tally.Leave(_generation);
    }
}
