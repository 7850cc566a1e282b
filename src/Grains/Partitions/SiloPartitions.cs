using Granary.Grains.Placement;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Granary.Grains.Partitions;

/// <summary>What all partitions of one silo share.</summary>
internal sealed class SiloPartitions
{
    public SiloPartitions(
        IOptions<PartitionOptions> options,
        PartitionDiagnostics diagnostics,
        PlacementParts placement,
        TrafficCounts traffic,
        RehearsalTopic rehearsal,
        IHostApplicationLifetime lifetime)
    {
        Options = options.Value;
        Diagnostics = diagnostics;
        Placement = placement;
        Rehearsal = rehearsal;
        Stopping = lifetime.ApplicationStopping;
        Traffic = traffic;
        Happenings = new PartitionHappenings(placement.Journal, rehearsal);
        Time = placement.Time;
        Tail = new TailCache(Options.TailCacheBytes);
        ProducerLimits = new ProducerLimits(Options.MaxProducersPerPartition, (long)Options.ProducerIdle.TotalMilliseconds);
        PartitionMetrics.Observe(Tail);
        PartitionMetrics.ShowNoMigrations();
    }

    public PartitionOptions Options { get; }

    public PartitionDiagnostics Diagnostics { get; }

    /// <summary>Which silo this is, what else is on it, and whether it still counts as a member.</summary>
    public PlacementParts Placement { get; }

    public TrafficCounts Traffic { get; }

    public PartitionHappenings Happenings { get; }

    public RehearsalTopic Rehearsal { get; }

    public TimeProvider Time { get; }

    public TailCache Tail { get; }

    public ProducerLimits ProducerLimits { get; }

    /// <summary>Cancelled when the silo begins to stop: readers must not hold up its partitions.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Milliseconds since 1970.</summary>
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public RefusedBatches NewRefusedBatches() => new(Options.MaxProducersPerPartition, (long)Options.RefusedBatchPatience.TotalMilliseconds);
}
