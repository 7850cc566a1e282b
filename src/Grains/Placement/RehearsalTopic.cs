using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Granary.Grains.Placement;

/// <summary>
/// The topic whose partitions a joining silo practises with (<see cref="Rehearsal"/>). It is in no catalog: no client can name it, and no map places it.
/// Every cluster has its own.
/// </summary>
public sealed class RehearsalTopic(IOptions<ClusterOptions> cluster)
{
    public TopicDescription Topic { get; } = new(
        "granary-rehearsal",
        new Guid(SHA256.HashData(Encoding.UTF8.GetBytes($"granary rehearsal of {cluster.Value.ServiceId}"))[..16]),
        int.MaxValue,
        ImmutableDictionary<string, string>.Empty,
        Version: 0,
        IsInternal: true);

    public bool Holds(PartitionId partition) => partition.TopicId == Topic.TopicId;
}
