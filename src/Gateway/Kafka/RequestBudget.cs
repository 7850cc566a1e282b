namespace Granary.Gateway.Kafka;

/// <summary>
/// Bytes of requests being received or answered, of all connections. Those that wait for room do so in the order of their coming, so that a large one is not passed by
/// for ever; but the large ones are in a line and have a budget of their own: clients whose requests are small (heartbeats, fetches, and all that producers send
/// by their defaults) never wait for the few that send huge ones, however slowly. Safe for many threads.
/// </summary>
internal sealed class RequestBudget(KafkaOptions options)
{
    /// <summary>The largest request that counts as small: producers' default for the largest (max.request.size, message.max.bytes), with its header.</summary>
    public const int SmallBytes = (1024 * 1024) + (4 * 1024);

    private readonly ByteBudget _small = new(options.MaxRequestBytes / 2);
    private readonly ByteBudget _large = new(Math.Max(options.MaxRequestBytes / 2, options.MaxFrameBytes));

    public long TakenBytes => _small.TakenBytes + _large.TakenBytes;

    /// <summary>Takes a request's bytes, when there is room.</summary>
    public ValueTask TakeAsync(int requestBytes, CancellationToken cancellation) => BudgetOf(requestBytes).TakeAsync(requestBytes, cancellation);

    /// <summary>Gives a request's bytes back.</summary>
    public void Return(int requestBytes) => BudgetOf(requestBytes).Return(requestBytes);

    private ByteBudget BudgetOf(int requestBytes) => requestBytes <= SmallBytes ? _small : _large;
}
