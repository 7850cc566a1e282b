namespace Granary.Abstractions.Partitions;

/// <summary>
/// Gives out producer ids, each once for ever (Kafka's InitProducerId without a transactional id). Key: <see cref="Key"/>.
/// Ids are reserved in blocks before any of a block is given out, so a restart skips ids and repeats none.
/// </summary>
[Alias("granary.IProducerIdGrain")]
public interface IProducerIdGrain : IGrainWithIntegerKey
{
    const long Key = 0;

    [Alias("Next")]
    Task<long> NextAsync();
}
