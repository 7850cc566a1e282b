using Granary.Abstractions.Cluster;
using Granary.Grains.Placement;
using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>The other members: to practise with, and to be told of a change at once instead of finding out.</summary>
internal sealed class Peers(
    ClusterMapSource maps,
    ILocalSiloDetails local,
    IGrainFactory grains,
    TimeProvider time,
    Rehearsal rehearsal,
    ClusteringDiagnostics diagnostics)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(500);

    public ClusteringDiagnostics Diagnostics { get; } = diagnostics;

    private IReadOnlyCollection<(SiloAddress Silo, string Name)> Others =>
        [.. maps.Map.Members.Where(member => !member.Silo.Equals(local.SiloAddress)).Select(member => (member.Silo, member.Name))];

    public Task RehearseAsync(CancellationToken cancellation) => rehearsal.RunAsync(Others, cancellation);

    /// <summary>Returns when each has read the members anew, or did not answer in time.</summary>
    public Task TellAsync() => Task.WhenAll(Others.Select(other => TellAsync(other.Silo)));

    private async Task TellAsync(SiloAddress silo)
    {
        try
        {
            await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(silo)).RefreshAsync().WaitAsync(s_patience, time);
        }
        catch (Exception failure)
        {
            Diagnostics.NotTold(failure, silo);
        }
    }
}
