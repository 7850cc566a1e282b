using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Grains.Partitions;

/// <summary>What is persisted: ids below it may have been given out.</summary>
[GenerateSerializer, Alias("granary.ProducerIdState")]
public sealed class ProducerIdState
{
    [Id(0)]
    public long ReservedEnd { get; set; }
}

/// <summary>
/// Gives out producer ids. Key: <see cref="IProducerIdGrain.Key"/>. Persisted before use: the end of the reserved block; a restart skips what is left
/// of it. Concurrency: one call at a time. A duplicate activation fails at its next block: grain state is written by ETag.
/// </summary>
internal sealed class ProducerIdGrain([PersistentState("producerIds", "granary")] IPersistentState<ProducerIdState> state) : Grain, IProducerIdGrain
{
    private const int BlockSize = 1_000;

    private long _next;
    private long _end;
    private bool _mustRead;

    public async Task<long> NextAsync()
    {
        if (_next == _end)
            await ReserveAsync();
        return _next++;
    }

    private async Task ReserveAsync()
    {
        // After a write that failed nobody knows what is stored.
        if (_mustRead)
            await state.ReadStateAsync();
        var start = state.State.ReservedEnd;
        state.State.ReservedEnd = checked(start + BlockSize);
        _mustRead = true;
        await state.WriteStateAsync();
        _mustRead = false;
        (_next, _end) = (start, start + BlockSize);
    }
}
