using System.Collections.Immutable;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http;

/// <summary>Asks every silo which partitions are open on it. For people and `./dev status`; it costs a call to each silo.</summary>
internal sealed class ClusterResource(IGrainFactory grains, ClusterDirectory members, TopicDirectory topics, TimeProvider time)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    public async Task<ClusterShown> ShowAsync() => new(await Task.WhenAll(members.Map.Members.Select(ShowAsync)));

    private async Task<SiloShown> ShowAsync(SiloMember member)
    {
        var address = member.Endpoints is [var first, ..] ? $"{first.Host}:{first.Port}" : "";
        try
        {
            var hosted = await grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(member.Silo)).PartitionsAsync().WaitAsync(s_patience, time);
            return new SiloShown(member.NodeId, member.Name, address, member.IsDraining ? "Draining" : "Active", Show(hosted));
        }
        catch (Exception)
        {
            // It has just gone, or hangs; the others are shown all the same.
            return new SiloShown(member.NodeId, member.Name, address, "Silent", []);
        }
    }

    private List<PartitionShown> Show(ImmutableArray<HostedPartition> hosted) =>
    [
        .. hosted
            .Select(one => new PartitionShown(topics.Find(one.Partition.TopicId)?.Name ?? $"{one.Partition.TopicId}", one.Partition.Index, one.LeaderEpoch))
            .OrderBy(one => one.Topic, StringComparer.Ordinal)
            .ThenBy(one => one.Partition),
    ];
}

public static class ClusterRoutes
{
    public static void MapGranaryCluster(this IEndpointRouteBuilder app) => app.MapGet("/cluster", (ClusterResource cluster) => cluster.ShowAsync());
}
