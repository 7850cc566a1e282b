using System.Diagnostics;
using System.Text;
using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Granary.Abstractions.Groups;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using TopicPartition = Confluent.Kafka.TopicPartition;

namespace Granary.KafkaClients.Groups;

/// <summary>Members of the consumer protocol of which nothing is heard any more, on a silo that misses them soon.</summary>
public sealed class SilentMemberTests
{
    private const int Partitions = 4;

    private static readonly TimeSpan s_session = TimeSpan.FromSeconds(2);

    /// <summary>By grain calls, and by Confluent.Kafka: one of its members loses its connections without leaving, as a process that is killed does.</summary>
    [Fact]
    public async Task SilentMembers_AreRemoved_AndTheOthersGetTheirPartitions()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Granary__ConsumerGroups__SessionTimeout"] = $"{s_session}",
            },
        });
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, Partitions);
        var (stays, dies) = (new Member(client.Grains, topic, "stays"), new Member(client.Grains, topic, "dies"));
        await Eventually.IsTrueAsync(() => (stays.Beat(), dies.Beat()) is (2, 2), () => $"{stays.Owned} and {dies.Owned}");
        await Eventually.IsTrueAsync(() => stays.Beat() == Partitions, () => $"{stays.Owned} of {Partitions} after the other fell silent");

        await VanishedMemberIsRemovedAsync(silo, topic, $"g-{Guid.NewGuid():N}");
    }

    private static async Task VanishedMemberIsRemovedAsync(SiloProcess silo, string topic, string group)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = silo.KafkaBootstrap }).SetLogHandler((_, _) => { }).Build();
        using var staying = new GroupConsumer(silo.KafkaBootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);
        var vanishing = new GroupConsumer(silo.KafkaBootstrap, group, topic, GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => staying.Assigned.Count == 2 && vanishing.Assigned.Count == 2, () => $"{staying.Assigned.Count} and {vanishing.Assigned.Count}");
        var (kept, revocations) = (staying.Assigned.ToArray(), staying.Revocations);

        vanishing.Vanish();
        var silent = Stopwatch.StartNew();
        var described = Assert.Single((await admin.DescribeConsumerGroupsAsync([group])).ConsumerGroupDescriptions);
        Assert.True(described.Members.Count == 2 || silent.Elapsed > s_session / 2, "it has left");
        using (var producer = Topics.Producer(silo.KafkaBootstrap))
        {
            for (var partition = 0; partition < Partitions; partition++)
                await producer.ProduceAsync(new TopicPartition(topic, partition), new() { Value = Encoding.UTF8.GetBytes($"{partition}") });
        }

        await Eventually.IsTrueAsync(() => staying.Read.Count == Partitions, () => $"{staying.Read.Count} records, {staying.Assigned.Count} partitions after the other vanished");
        Assert.Equal(Partitions, staying.Assigned.Count);
        Assert.Superset(kept.ToHashSet(), staying.Assigned.ToHashSet());
        Assert.Equal(revocations, staying.Revocations);
    }

    private sealed class Member(IGrainFactory grains, string topic, string id)
    {
        private ConsumerGroupHeartbeat _next = new()
        {
            MemberId = id,
            MemberEpoch = ConsumerGroupHeartbeat.Join,
            RebalanceTimeout = TimeSpan.FromSeconds(30),
            SubscribedTopics = [topic],
            OwnedPartitions = [],
        };

        public int Owned { get; private set; }

        /// <summary>One heartbeat, which takes up what was assigned by the last one; how many partitions it has.</summary>
        public int Beat()
        {
            var reply = grains.GetGrain<IGroupMemberGrain>(IGroupMemberGrain.KeyOf("silent", id)).HeartbeatAsync(_next).GetAwaiter().GetResult();
            Assert.Equal(Granary.Abstractions.ErrorCode.None, reply.Error);
            if (reply.Assignment is { } assigned)
                Owned = assigned.Length;
            _next = new ConsumerGroupHeartbeat { MemberId = id, MemberEpoch = reply.MemberEpoch, OwnedPartitions = reply.Assignment };
            return Owned;
        }
    }
}
