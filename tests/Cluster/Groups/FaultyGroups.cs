using Granary.Abstractions.Groups;
using Granary.Grains.Storage;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;
using Orleans.Storage;

namespace Granary.Cluster.Groups;

/// <summary>How often, by chance, what a group writes fails: one in so many; 0: never. Half of the failures take effect, and their answer is lost.</summary>
internal sealed class GroupFaults(int seed)
{
    private readonly Random _random = new(seed);
    private readonly Lock _gate = new();
    private int _oneIn;

    /// <summary>Failures so far.</summary>
    public int Count { get; private set; }

    public void Begin(int oneIn)
    {
        lock (_gate)
            _oneIn = oneIn;
    }

    public void End() => Begin(0);

    /// <summary>Null: nothing goes wrong; else whether it takes effect all the same.</summary>
    public bool? Next()
    {
        lock (_gate)
        {
            if (_oneIn == 0 || _random.Next(_oneIn) != 0)
                return null;
            Count++;
            return _random.Next(2) == 0;
        }
    }
}

/// <summary>A real store of positions, whose writes fail by chance, as its contract says they may.</summary>
internal sealed class FaultyGroupStore(IGroupStore inner, GroupFaults faults) : GroupStoreAround(inner)
{
    public override async Task<GroupWriteOutcome> WriteAsync(OwnedGroup group, IReadOnlyList<OffsetWrite> writes, ResetEntry? reset = null)
    {
        var fault = faults.Next();
        if (fault == false)
            return GroupWriteOutcome.NotWritten;
        var outcome = await base.WriteAsync(group, writes, reset);
        return fault is null ? outcome : GroupWriteOutcome.Unknown;
    }
}

/// <summary>Real grain storage, in which writes of groups fail by chance, before or after they have taken effect.</summary>
internal sealed class FaultyGroupStorage(IGrainStorage inner, GroupFaults faults) : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Puts it before the storage that is registered by then.</summary>
    public static void Add(IServiceCollection services, GroupFaults faults)
    {
        var former = services.Last(one => one.ServiceType == typeof(IGrainStorage) && Equals(one.ServiceKey, "granary")).KeyedImplementationFactory!;
        services.AddKeyedSingleton<IGrainStorage>("granary", (provider, key) => new FaultyGroupStorage((IGrainStorage)former(provider, key), faults));
    }

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ReadStateAsync(stateName, grainId, grainState);

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var fault = stateName == "group" ? faults.Next() : null;
        if (fault == false)
            throw new TimeoutException("the write was lost");
        await inner.WriteStateAsync(stateName, grainId, grainState);
        if (fault == true)
            throw new TimeoutException("the answer was lost");
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) => inner.ClearStateAsync(stateName, grainId, grainState);

    public void Participate(ISiloLifecycle lifecycle) => (inner as ILifecycleParticipant<ISiloLifecycle>)?.Participate(lifecycle);
}
