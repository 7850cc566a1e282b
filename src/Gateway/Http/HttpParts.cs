using Granary.Abstractions.Cluster;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;

namespace Granary.Gateway.Http;

/// <summary>What the resources share.</summary>
internal sealed class HttpParts(
    IGrainFactory grains,
    TopicDirectory topics,
    ClusterDirectory members,
    LeaderTable leaders,
    PartitionAsk calls,
    IOptions<HttpOptions> options,
    TopicAutoCreation autoCreation)
{
    public HttpOptions Options { get; } = options.Value;

    public IGrainFactory Grains { get; } = grains;

    public TopicDirectory Topics { get; } = topics;

    public PartitionAsk Calls { get; } = calls;

    public ITopicCatalogGrain Catalog => Grains.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key);

    /// <summary>The topic of that name; a refusal where there is none.</summary>
    public async Task<TopicDescription> FindTopicAsync(string name) => await TryFindTopicAsync(name) ?? throw Problem.UnknownTopic(name);

    /// <summary>The topic of that name, made with the cluster's defaults where there is none and auto.create.topics.enable lets it, as for Kafka's producers.</summary>
    public async Task<TopicDescription> FindOrCreateTopicAsync(string name)
    {
        if (!autoCreation.IsOn)
            return await FindTopicAsync(name);
        if (await TryFindTopicAsync(name) is { } topic)
            return topic;
        if (await Catalog.CreateAsync([NewTopic.ByDefault(name)], validateOnly: false) is [{ Error: not (ErrorCode.None or ErrorCode.TopicAlreadyExists) } refused, ..])
            throw Problem.Of(refused.Error, refused.Message);
        return await FindTopicAsync(name);
    }

    private async Task<TopicDescription?> TryFindTopicAsync(string name)
    {
        if (TopicNames.Check(name) is { } wrong)
            throw new Problem(StatusCodes.Status400BadRequest, wrong) { Field = "topic", Error = ErrorCode.InvalidTopicException };
        return await Topics.FindOrAskAsync(name);
    }

    /// <summary>The silo that leads a partition by the map; null before there is one.</summary>
    public SiloAnswer? LeaderOf(TopicDescription topic, int partition) => leaders.Under(members.Map).Of(new(topic.TopicId, partition)) is { } leader
        ? new SiloAnswer(leader.NodeId, leader.Name)
        : null;

    /// <summary>The silo that coordinates a group by the map; null before there is one.</summary>
    public SiloAnswer? CoordinatorOf(string groupId) => members.Map.CoordinatorOf(groupId) is { } coordinator
        ? new SiloAnswer(coordinator.NodeId, coordinator.Name)
        : null;
}

internal static class ResultExtensions
{
    /// <summary>The same answer, with a Location.</summary>
    public static IResult WithLocation(this IResult result, string location) => new Located(result, location);

    private sealed class Located(IResult result, string location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.Headers.Location = location;
            return result.ExecuteAsync(httpContext);
        }
    }
}
