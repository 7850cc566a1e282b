using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka;

/// <summary>What a gateway has to follow before it lets clients in: the topics and the members.</summary>
internal sealed class ClusterFollowing(TopicDirectory topics, ClusterDirectory members)
{
    public Task StartAsync()
    {
        members.Start();
        return topics.StartAsync();
    }

    /// <summary>Follows the members no longer: the question that is out would hinder Orleans' stop. The topics are others' too.</summary>
    public Task StopAsync() => members.StopAsync();
}
