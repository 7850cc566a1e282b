using Granary.Abstractions.Groups;
using Granary.KafkaClients.Confluent;
using Granary.Support;

namespace Granary.KafkaClients.Groups;

/// <summary>A member of the consumer protocol of which nothing is heard any more.</summary>
public sealed class SilentMemberTests
{
    private const int Partitions = 4;

    [Fact]
    public async Task SilentMember_IsRemoved_AndTheOtherGetsItsPartitions()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Granary__ConsumerGroups__SessionTimeout"] = "00:00:02",
                ["Granary__ConsumerGroups__GroupCheckInterval"] = "00:00:01",
            },
        });
        await using var client = await ClusterClient.ConnectAsync(silo.PostgresConnectionString, "granary");
        var topic = await Topics.CreateAsync(silo.KafkaBootstrap, Partitions);
        var (stays, dies) = (new Member(client.Grains, topic, "stays"), new Member(client.Grains, topic, "dies"));
        await Eventually.IsTrueAsync(() => (stays.Beat(), dies.Beat()) is (2, 2), () => $"{stays.Owned} and {dies.Owned}");

        await Eventually.IsTrueAsync(() => stays.Beat() == Partitions, () => $"{stays.Owned} of {Partitions} after the other fell silent");
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
