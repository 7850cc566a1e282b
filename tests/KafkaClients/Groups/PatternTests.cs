using System.Text;
using Confluent.Kafka;
using Granary.KafkaClients.Confluent;

namespace Granary.KafkaClients.Groups;

/// <summary>Subscriptions by regular expression of group.protocol=consumer, which the broker resolves (KIP-848).</summary>
public sealed class PatternTests(BrokerFixture broker)
{
    /// <summary>The client has no name for it.</summary>
    private static readonly ErrorCode s_invalidRegularExpression = (ErrorCode)Abstractions.ErrorCode.InvalidRegularExpression;

    [Fact]
    public async Task Pattern_TakesItsTopics_AndOneThatIsMadeLater()
    {
        var family = $"events-{Guid.NewGuid():N}-";
        var (first, second) = (await CreateAsync(family), await CreateAsync(family));
        await CreateAsync($"other-{family}");
        var group = $"g-{Guid.NewGuid():N}";
        using var member = new GroupConsumer(broker.Bootstrap, group, $"^{family}.*", GroupConsumer.SpeakConsumerProtocol);
        await Eventually.IsTrueAsync(() => member.Assigned.Count == 4, () => $"it has {string.Join(", ", member.AssignedTopics)}");
        Assert.Equal(new[] { first, second }.Order(), member.AssignedTopics.Distinct().Order());
        Assert.Equal(0, member.Revocations);

        var third = await CreateAsync(family);
        await Eventually.IsTrueAsync(() => member.Assigned.Count == 6, () => $"it has {string.Join(", ", member.AssignedTopics)}");
        using var producer = Topics.Producer(broker.Bootstrap);
        await producer.ProduceAsync(new TopicPartition(third, 1), new() { Value = Encoding.UTF8.GetBytes("late") });
        await Eventually.IsTrueAsync(() => member.Read.Contains("late"), () => $"{member.Read.Count} records");

        // Nothing was taken away for it.
        Assert.Equal(0, member.Revocations);
    }

    [Fact]
    public async Task TwoMembers_ShareWhatAPatternFinds()
    {
        var family = $"events-{Guid.NewGuid():N}-";
        var (first, second) = (await CreateAsync(family), await CreateAsync(family));
        var group = $"g-{Guid.NewGuid():N}";
        using var byPattern = new GroupConsumer(broker.Bootstrap, group, $"^{family}.*", GroupConsumer.SpeakConsumerProtocol);
        using var byName = new GroupConsumer(broker.Bootstrap, group, second, GroupConsumer.SpeakConsumerProtocol);

        await Eventually.IsTrueAsync(
            () => byPattern.Assigned.Count + byName.Assigned.Count == 4 && byName.Assigned.Count > 0, () => $"{byPattern.Assigned.Count} and {byName.Assigned.Count}");

        Assert.All(byName.AssignedTopics, topic => Assert.Equal(second, topic));
        Assert.Equal(2, byPattern.AssignedTopics.Count(topic => topic == first));
    }

    /// <summary>A back reference: the client's own syntax has it, the broker's (RE2's) does not.</summary>
    [Fact]
    public async Task PatternThatTheBrokerDoesNotKnow_IsRefused()
    {
        using var member = new GroupConsumer(broker.Bootstrap, $"g-{Guid.NewGuid():N}", @"^(events)-\1$", GroupConsumer.SpeakConsumerProtocol);

        await Eventually.IsTrueAsync(() => !member.Errors.IsEmpty || member.Failure is not null, () => "no error");

        Assert.Contains(s_invalidRegularExpression, member.Errors);
    }

    private Task<string> CreateAsync(string prefix) => Topics.CreateAsync(broker.Bootstrap, 2, prefix: prefix);
}
