using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Http.Live;

/// <summary>Where the stream's facts come from.</summary>
internal sealed class LiveSources(IGrainFactory grains, ClusterDirectory members, TopicDirectory topics, IHostApplicationLifetime lifetime)
{
    /// <summary>Cancelled when the process begins to stop: calls that are out would hinder it.</summary>
    public CancellationToken Stopping => lifetime.ApplicationStopping;

    public ClusterMap Map => members.Map;

    public ISiloGrain Silo(SiloMember member) => grains.GetGrain<ISiloGrain>(ISiloGrain.KeyOf(member.Silo));

    /// <summary>Null: not known here.</summary>
    public string? NameOf(Guid topicId) => topics.Find(topicId)?.Name;
}
