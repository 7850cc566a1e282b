using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Grains.Partitions;

/// <summary>What all partitions of one silo share.</summary>
internal sealed class SiloPartitions
{
    public SiloPartitions(
        IOptions<PartitionOptions> options,
        PartitionDiagnostics diagnostics,
        ILocalSiloDetails silo,
        IHostApplicationLifetime lifetime,
        TimeProvider? time = null)
    {
        Options = options.Value;
        Diagnostics = diagnostics;
        SiloName = silo.Name;
        Stopping = lifetime.ApplicationStopping;
        Time = time ?? TimeProvider.System;
        Tail = new TailCache(Options.TailCacheBytes);
        ProducerLimits = new ProducerLimits(Options.MaxProducersPerPartition, (long)Options.ProducerIdle.TotalMilliseconds);
        PartitionMetrics.Observe(Tail);
    }

    public PartitionOptions Options { get; }

    public PartitionDiagnostics Diagnostics { get; }

    public string SiloName { get; }

    public TimeProvider Time { get; }

    public TailCache Tail { get; }

    public ProducerLimits ProducerLimits { get; }

    /// <summary>Cancelled when the silo begins to stop: readers must not hold up its partitions.</summary>
    public CancellationToken Stopping { get; }

    /// <summary>Milliseconds since 1970.</summary>
    public long NowMs => Time.GetUtcNow().ToUnixTimeMilliseconds();
}
