using System.Net;
using Granary.Abstractions.Partitions;
using Granary.Cluster.Apis;
using Granary.Gateway.Kafka.Wire;
using Granary.Support;
using Granary.Support.Kafka;

namespace Granary.Cluster.Silo;

/// <summary>What the tests of whole silos ask of them.</summary>
internal static class SiloCalls
{
    private static readonly HttpClient s_http = new() { Timeout = TimeSpan.FromSeconds(10) };

    public static Task<KafkaWire> ConnectAsync(this SiloProcess silo) =>
        KafkaWire.ConnectAsync(IPEndPoint.Parse(silo.KafkaBootstrap), TestContext.Current.CancellationToken);

    /// <summary>What /health/ready answers: 200 for ready.</summary>
    public static async Task<HttpStatusCode> ReadinessAsync(this SiloProcess silo)
    {
        using var answer = await s_http.GetAsync(new Uri($"{silo.HttpUrl}/health/ready"), TestContext.Current.CancellationToken);
        return answer.StatusCode;
    }

    /// <summary>Where the next record of a topic's first partition will be, as soon as somebody can tell.</summary>
    public static async Task<long> EndOffsetAsync(this SiloProcess silo, string topic)
    {
        var offset = -1L;
        await Eventually.HoldsAsync($"{topic} has an end", async () =>
        {
            await using var client = await silo.ConnectAsync();
            var answer = await client.ListOffsetsAsync(7, new ListOffsetsRequest
            {
                ReplicaId = -1,
                Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, Timestamp = OffsetQuery.Latest, CurrentLeaderEpoch = -1 }] }],
            });
            var partition = answer.Topics[0].Partitions[0];
            offset = partition.Offset;
            return partition.ErrorCode == 0;
        });
        return offset;
    }

    /// <summary>A new topic with one batch of so many records.</summary>
    public static async Task<string> NewFilledTopicAsync(this SiloProcess silo, int records)
    {
        await using var client = await silo.ConnectAsync();
        var topic = await client.NewTopicAsync();
        await client.ProduceAsync(topic, 0, records);
        return topic;
    }

    /// <summary>The partition counts of all topics that there are, by name.</summary>
    public static async Task<Dictionary<string, int>> TopicsAsync(this SiloProcess silo)
    {
        await using var client = await silo.ConnectAsync();
        var answer = await client.MetadataAsync(12, new MetadataRequest { Topics = null });
        return answer.Topics.ToDictionary(topic => topic.Name!, topic => topic.Partitions.Count);
    }
}
