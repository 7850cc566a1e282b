using Granary.Abstractions.Cluster;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

/// <summary>What partitions, and those who move and open them, share on one silo.</summary>
public sealed class PlacementParts(
    IOptions<PlacementOptions> options,
    ILocalSiloDetails silo,
    ClusterJournal journal,
    PlacementDiagnostics diagnostics,
    HostedPartitions hosted,
    Departures departures,
    SiloLease lease)
{
    public PlacementOptions Options { get; } = options.Value;

    public SiloAddress LocalSilo { get; } = silo.SiloAddress;

    public string LocalName { get; } = silo.Name;

    public TimeProvider Time { get; } = journal.Time;

    /// <summary>Where what happens here is told.</summary>
    public ClusterJournal Journal { get; } = journal;

    public PlacementDiagnostics Diagnostics { get; } = diagnostics;

    public HostedPartitions Hosted { get; } = hosted;

    /// <summary>By which grains leave this silo.</summary>
    public Departures Departures { get; } = departures;

    public SiloLease Lease { get; } = lease;
}
