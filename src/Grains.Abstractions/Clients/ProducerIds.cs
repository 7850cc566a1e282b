using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>The producer id that a producer's partitions share, asked for once; partitions that lost theirs get another.</summary>
internal sealed class ProducerIds(IGrainFactory grains)
{
    private readonly Lock _gate = new();
    private Task<long>? _shared;

    /// <summary>The shared id where <paramref name="isFirst"/>, else one of its own. May fail; ask again.</summary>
    public Task<long> GetAsync(bool isFirst)
    {
        if (!isFirst)
            return AskAsync();
        lock (_gate)
        {
            if (_shared is null || _shared.IsFaulted || _shared.IsCanceled)
                _shared = AskAsync();
            return _shared;
        }
    }

    private Task<long> AskAsync() => grains.GetGrain<IProducerIdGrain>(IProducerIdGrain.Key).NextAsync();
}
