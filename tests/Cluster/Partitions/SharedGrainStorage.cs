using System.Collections.Concurrent;
using System.Globalization;
using Orleans.Runtime;
using Orleans.Storage;

namespace Granary.Cluster.Partitions;

/// <summary>Grain state in the memory of the test, so that it outlives silos.</summary>
internal sealed class SharedGrainStorage : IGrainStorage
{
    private readonly ConcurrentDictionary<(string, GrainId), (object State, int Version)> _states = new();

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (_states.TryGetValue((stateName, grainId), out var found))
            (grainState.State, grainState.ETag, grainState.RecordExists) = ((T)found.State, found.Version.ToString(CultureInfo.InvariantCulture), true);
        else
            (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var version = int.Parse(grainState.ETag ?? "0", CultureInfo.InvariantCulture) + 1;
        var written = _states.AddOrUpdate(
            (stateName, grainId),
            _ => ((object)grainState.State!, version),
            (_, former) => former.Version == version - 1 ? ((object)grainState.State!, version) : throw new InconsistentStateException($"version {former.Version} is not {version - 1}"));
        (grainState.ETag, grainState.RecordExists) = (written.Version.ToString(CultureInfo.InvariantCulture), true);
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        _states.TryRemove((stateName, grainId), out _);
        (grainState.ETag, grainState.RecordExists) = (null, false);
        return Task.CompletedTask;
    }
}
