namespace Granary.Gateway.Kafka;

/// <summary>The memory that all connections share, each kind within its limit.</summary>
internal sealed class GatewayMemory(KafkaOptions options)
{
    /// <summary>Requests being received or answered.</summary>
    public RequestBudget Requests { get; } = new(options);

    /// <summary>Replies on their way.</summary>
    public ReplyMemory Replies { get; } = new(options);
}

/// <summary>
/// Counts the bytes that fetches read and clients have not yet taken, of all connections. Fetches ask before they read, and read less or nothing
/// where little is left; so ten thousand slow readers cannot fill the memory. Safe for many threads.
/// </summary>
internal sealed class ReplyMemory(KafkaOptions options)
{
    private long _held;

    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>Takes so many bytes, or as many as are left: 0 at the least.</summary>
    public long Take(long wantedBytes)
    {
        while (true)
        {
            var held = Volatile.Read(ref _held);
            var granted = Math.Clamp(options.MaxReplyBytes - held, 0, wantedBytes);
            if (granted == 0 || Interlocked.CompareExchange(ref _held, held + granted, held) == held)
                return granted;
        }
    }

    /// <summary>Counts bytes that are there already, whatever is left.</summary>
    public void Hold(long bytes) => Interlocked.Add(ref _held, bytes);

    public void Return(long bytes) => Interlocked.Add(ref _held, -bytes);
}
