namespace Granary.Chaos.Clients;

/// <summary>A client that works from its making until it is told to finish, and writes down all it sees.</summary>
internal interface IChaosClient : IAsyncDisposable
{
    /// <summary>Why it gave up, or null. A client never should.</summary>
    string? Failure { get; }

    /// <summary>Producers: send no more, and wait for the answers. Readers: read to these ends (exclusive, by partition).</summary>
    Task FinishAsync(IReadOnlyList<long> ends);
}
