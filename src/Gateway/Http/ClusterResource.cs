using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <summary>GET /cluster: the silos, and which partitions each has open, as they say themselves.</summary>
internal static class ClusterResource
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public static void MapGranaryCluster(this IEndpointRouteBuilder endpoints) => endpoints.MapGet(
        "/cluster",
        (HttpRequest request, IGrainFactory grains, TopicDirectory topics, TimeProvider time, CancellationToken cancellation) =>
        {
            _ = new QueryReader(request);
            return DescribeAsync(grains, topics, time, cancellation);
        })
        .WithTags("Cluster")
        .WithSummary("The silos, and which partitions each has open, as they say themselves")
        .Produces<ClusterAnswer>();

    private static async Task<IResult> DescribeAsync(IGrainFactory grains, TopicDirectory topics, TimeProvider time, CancellationToken cancellation)
    {
        var map = await grains.GetGrain<IClusterMapGrain>(IClusterMapGrain.Key).WatchAsync(ClusterMap.Empty.Fingerprint, TimeSpan.Zero, cancellation);
        var silos = await Task.WhenAll(map.Members.Select(member => DescribeAsync(grains, topics, member, time)));
        return Results.Json(new ClusterAnswer(silos));
    }

    private static async Task<SiloResource> DescribeAsync(IGrainFactory grains, TopicDirectory topics, SiloMember member, TimeProvider time)
    {
        var state = member.IsDraining ? "draining" : "active";
        ImmutableArray<HostedPartition> hosted = [];
        try
        {
            hosted = await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(member.Silo)).PartitionsAsync().WaitAsync(s_patience, time);
        }
        catch (Exception failure) when (failure is TimeoutException or OrleansException)
        {
            state = "silent";
        }

        var partitions = hosted
            .Select(one => new PartitionResource(topics.Find(one.Partition.TopicId)?.Name ?? one.Partition.TopicId.ToString(), one.Partition.Index, one.LeaderEpoch, one.LogStartOffset, one.HighWatermark))
            .OrderBy(one => one.Topic, StringComparer.Ordinal)
            .ThenBy(one => one.Partition)
            .ToArray();
        return new SiloResource(member.NodeId, member.Name, member.Silo.Endpoint.ToString(), state, partitions);
    }

    internal sealed record ClusterAnswer(IReadOnlyList<SiloResource> Silos);

    /// <param name="State">active, draining, or silent: it did not answer.</param>
    internal sealed record SiloResource(int NodeId, string Name, string Address, string State, PartitionResource[] Partitions);

    /// <param name="LeaderEpoch">-1: it is being opened.</param>
    internal sealed record PartitionResource(string Topic, int Partition, int LeaderEpoch, long LogStartOffset, long HighWatermark);
}
