using Granary.Abstractions.Records;

namespace Granary.Abstractions.Clients;

/// <summary>How a <see cref="LogProducer"/> gathers, sends and retries. Names in parentheses are Kafka's.</summary>
public sealed record LogProducerOptions
{
    /// <summary>
    /// How large a batch of records may grow before it is sent, in bytes before compression (batch.size). Small ones cost a call and
    /// a row each; ones above the topic's max.message.bytes are cut down to that. A larger record goes alone.
    /// </summary>
    public int BatchSizeBytes { get; set; } = 64 * 1024;

    /// <summary>
    /// How long a batch waits for more records (linger.ms). Zero sends at once while fewer than <see cref="MaxInFlight"/> calls are
    /// under way, and gathers when they are. Larger means larger batches, and that much later answers.
    /// </summary>
    public TimeSpan Linger { get; set; } = TimeSpan.Zero;

    /// <summary>How batches are compressed (compression.type).</summary>
    public CompressionCodec Compression { get; set; } = CompressionCodec.None;

    /// <summary>
    /// Bytes of records that may wait for their answers, all partitions together (buffer.memory). Too small holds senders back for no
    /// reason; too large is memory lost when the cluster is away.
    /// </summary>
    public long BufferMemoryBytes { get; set; } = 32L * 1024 * 1024;

    /// <summary>How many sends may wait for buffer memory; one more fails at once. Too small fails bursts; too large is the callers' memory.</summary>
    public int MaxWaitingSends { get; set; } = 100_000;

    /// <summary>How long a send waits for buffer memory or for the topic to be found before it fails (max.block.ms).</summary>
    public TimeSpan MaxBlock { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How long a record is tried for, from its batch's start to its answer (delivery.timeout.ms). Too short fails records while a
    /// partition moves to another silo; too long hides an outage from the sender.
    /// </summary>
    public TimeSpan DeliveryTimeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long one call may take before it is tried again (request.timeout.ms). A call to a silo that died is not always told so: this is how
    /// long its batch stands still then. Too short sends batches twice that are under way, which costs, but duplicates nothing.
    /// </summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The pause before the first retry; doubles with each up to <see cref="MaxRetryBackoff"/> (retry.backoff.ms).</summary>
    public TimeSpan RetryBackoff { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The longest pause between retries (retry.backoff.max.ms).</summary>
    public TimeSpan MaxRetryBackoff { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Calls under way per partition, 1 to 5 (max.in.flight.requests.per.connection). A log remembers a producer's last five
    /// batches, so with more a retry could no longer be told from a gap.
    /// </summary>
    public int MaxInFlight { get; set; } = 5;

    /// <summary>Throws <see cref="ArgumentException"/> that names the property, its value and its bounds.</summary>
    public void Validate()
    {
        Check(nameof(BatchSizeBytes), BatchSizeBytes, BatchSizeBytes is >= 1 and <= 128 * 1024 * 1024, "1 to 134217728");
        Check(nameof(Linger), Linger, Linger >= TimeSpan.Zero && Linger <= DeliveryTimeout, "0 to DeliveryTimeout");
        Check(nameof(Compression), Compression, Compression <= CompressionCodec.Zstd, "a codec");
        Check(nameof(BufferMemoryBytes), BufferMemoryBytes, BufferMemoryBytes > 0, "1 or more");
        Check(nameof(MaxWaitingSends), MaxWaitingSends, MaxWaitingSends >= 0, "0 or more");
        Check(nameof(MaxBlock), MaxBlock, MaxBlock >= TimeSpan.Zero && MaxBlock.TotalMilliseconds < int.MaxValue, "0 to 24 days");
        Check(nameof(DeliveryTimeout), DeliveryTimeout, DeliveryTimeout > TimeSpan.Zero && DeliveryTimeout.TotalMilliseconds < int.MaxValue, "above 0, to 24 days");
        Check(nameof(RequestTimeout), RequestTimeout, RequestTimeout > TimeSpan.Zero && RequestTimeout.TotalMilliseconds < int.MaxValue, "above 0, to 24 days");
        Check(nameof(RetryBackoff), RetryBackoff, RetryBackoff > TimeSpan.Zero && RetryBackoff <= MaxRetryBackoff, "above 0, to MaxRetryBackoff");
        Check(nameof(MaxRetryBackoff), MaxRetryBackoff, MaxRetryBackoff.TotalMilliseconds < int.MaxValue, "to 24 days");
        Check(nameof(MaxInFlight), MaxInFlight, MaxInFlight is >= 1 and <= 5, "1 to 5");
    }

    private static void Check(string name, object value, bool holds, string bounds)
    {
        if (!holds)
            throw new ArgumentException($"LogProducerOptions.{name} is {value}; allowed: {bounds}", name);
    }
}
