using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;
using Granary.KafkaClients.Groups;
using Granary.Support;

namespace Granary.KafkaClients.Edge;

/// <summary>
/// Groups of members that know gateways at the edge only. A gateway names itself alone, as broker 0 and coordinator of every group; so a client goes
/// on by the gateways of its bootstrap list when the one it talks to is gone.
/// </summary>
public sealed class EdgeGroupTests
{
    [Fact]
    public async Task GroupsOfBothProtocols_GoOnByTheOtherGateway()
    {
        await using var silo = await SiloProcess.StartAsync(new SiloProcessOptions { Settings = new Dictionary<string, string> { ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00.1" } });
        var starting = new[] { EdgeProcess.StartAsync(silo.PostgresConnectionString), EdgeProcess.StartAsync(silo.PostgresConnectionString) };
        await using var first = await starting[0];
        await using var second = await starting[1];
        var bootstrap = $"{first.KafkaBootstrap},{second.KafkaBootstrap}";
        var topic = await Topics.CreateAsync(bootstrap, WatchedGroup.Partitions);
        await using var classic = new WatchedGroup(bootstrap, $"g-{Guid.NewGuid():N}", topic, WatchedGroup.SpeakClassicProtocol);
        await using var modern = new WatchedGroup(bootstrap, $"g-{Guid.NewGuid():N}", topic, GroupConsumer.SpeakConsumerProtocol);
        WatchedGroup[] groups = [classic, modern];
        await Eventually.IsTrueAsync(() => groups.All(group => group.IsShared), () => string.Join("; ", groups.AsEnumerable()));
        var disturbances = groups.Select(group => group.Disturbances).ToArray();
        await GoOnAsync(silo, topic, groups, 1);

        // Whichever of the two a member talks to, it loses it in one of the rounds.
        first.Kill();
        await GoOnAsync(silo, topic, groups, 2);
        await first.RestartAsync();
        second.Kill();
        await GoOnAsync(silo, topic, groups, 3);

        Assert.Equal(disturbances, groups.Select(group => group.Disturbances));
        Assert.All(groups, group => Assert.Null(group.Wrong));
    }

    private static async Task GoOnAsync(SiloProcess silo, string topic, WatchedGroup[] groups, int round)
    {
        const int Commits = 5;
        var before = groups.Select(group => group.Acknowledged).ToArray();
        using var producer = Topics.Producer(silo.KafkaBootstrap);
        for (var index = 0; index < 12; index++)
            await producer.ProduceAsync(new TopicPartition(topic, index % WatchedGroup.Partitions), new() { Value = Encoding.UTF8.GetBytes($"{round}-{index}") });
        await Eventually.IsTrueAsync(
            () => groups.Zip(before, (now, before) => (Now: now, Before: before)).All(one => one.Now.Read == 12 * round && one.Now.Acknowledged >= one.Before + Commits),
            () => $"round {round}: {string.Join("; ", groups.AsEnumerable())}",
            seconds: 60);
    }
}
