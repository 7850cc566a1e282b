using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>What to do where the wanted offset is not in the log: below its start after retention, or above its end (auto.offset.reset).</summary>
public enum OffsetReset : byte
{
    /// <summary>Go on at the first record that is there.</summary>
    Earliest = 0,

    /// <summary>Go on after the last record.</summary>
    Latest = 1,

    /// <summary>Throw <see cref="LogException"/> with <see cref="ErrorCode.OffsetOutOfRange"/>.</summary>
    Throw = 2,
}

/// <summary>How a <see cref="LogConsumer"/> reads ahead and waits. Names in parentheses are Kafka's.</summary>
public sealed record LogConsumerOptions
{
    /// <summary>
    /// Bytes of batches that may lie ready, all partitions together. Too small makes readers wait between batches; too large is memory.
    /// Each partition may hold two batches of any size nevertheless, for a batch is always read whole. As much again is kept at the most of the one that is being
    /// given, decompressed: a batch that becomes larger is given in parts, and decompressed anew for each.
    /// </summary>
    public long PrefetchBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>Bytes to ask for in one read of one partition (max.partition.fetch.bytes). Small ones cost calls, large ones delay other partitions.</summary>
    public int PartitionReadBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// How long one wait for new records lasts before it is renewed (fetch.max.wait.ms, though records arrive at once in any case). It is
    /// also how long a reader may stand still when the silo that it waits on dies. Must be below Orleans' response timeout (30 s by
    /// default); short ones cost calls.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one read may take before it is tried again. Too short never gets through to a slow log, too long stands still where a silo died.</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What to do where the wanted offset is not in the log.</summary>
    public OffsetReset OffsetReset { get; set; } = OffsetReset.Earliest;

    /// <summary>The pause before the first retry of a failed call; doubles up to <see cref="MaxRetryBackoff"/>.</summary>
    public TimeSpan RetryBackoff { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between retries.</summary>
    public TimeSpan MaxRetryBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long questions (<see cref="LogConsumer.EndOffsetsAsync"/> and the like) are tried for.</summary>
    public TimeSpan AskTimeout { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>Who reads, for people who look at a partition (client.id). A subscribed consumer is called by <see cref="SubscriptionOptions.ClientId"/>.</summary>
    public string ClientId { get; set; } = "granary";

    /// <summary>Limits for decompressing and decoding.</summary>
    public RecordReadOptions Records { get; set; } = RecordReadOptions.Default;

    /// <summary>Throws <see cref="ArgumentException"/> that names the property, its value and its bounds.</summary>
    public void Validate()
    {
        Check(nameof(PrefetchBytes), PrefetchBytes, PrefetchBytes > 0, "1 or more");
        Check(nameof(PartitionReadBytes), PartitionReadBytes, PartitionReadBytes > 0, "1 or more");
        Check(nameof(MaxWait), MaxWait, MaxWait > TimeSpan.Zero && MaxWait <= TimeSpan.FromMinutes(10), "above 0, to 10 minutes");
        Check(nameof(RequestTimeout), RequestTimeout, RequestTimeout > TimeSpan.Zero && RequestTimeout <= TimeSpan.FromMinutes(10), "above 0, to 10 minutes");
        Check(nameof(OffsetReset), OffsetReset, OffsetReset <= OffsetReset.Throw, "Earliest, Latest or Throw");
        Check(nameof(RetryBackoff), RetryBackoff, RetryBackoff > TimeSpan.Zero && RetryBackoff <= MaxRetryBackoff, "above 0, to MaxRetryBackoff");
        Check(nameof(MaxRetryBackoff), MaxRetryBackoff, MaxRetryBackoff.TotalMilliseconds < int.MaxValue, "to 24 days");
        Check(nameof(ClientId), ClientId, ClientId.Length <= ReadRequest.MaxClientId, $"to {ReadRequest.MaxClientId} characters");
        Check(nameof(AskTimeout), AskTimeout, AskTimeout > TimeSpan.Zero && AskTimeout.TotalMilliseconds < int.MaxValue, "above 0, to 24 days");
    }

    private static void Check(string name, object value, bool holds, string bounds)
    {
        if (!holds)
            throw new ArgumentException($"LogConsumerOptions.{name} is {value}; allowed: {bounds}", name);
    }
}
