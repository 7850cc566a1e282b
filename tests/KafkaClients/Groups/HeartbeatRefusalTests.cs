using Granary.Gateway.Kafka.Wire;
using Granary.KafkaClients.Confluent;
using Granary.Support;
using Code = Granary.Abstractions.ErrorCode;

namespace Granary.KafkaClients.Groups;

/// <summary>A silo with small limits, whose groups keep their protocol while they have members.</summary>
public sealed class StrictSilo : IAsyncLifetime
{
    public const int MaxMembers = 2;
    public const int MaxTopics = 30;
    public const int MaxGroupBytes = 4_096;

    private SiloProcess? _silo;

    public string Bootstrap => _silo!.KafkaBootstrap;

    public string Topic { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        _silo = await SiloProcess.StartAsync(new SiloProcessOptions
        {
            Settings = new Dictionary<string, string>
            {
                ["Granary__Groups__InitialRebalanceDelay"] = "00:00:00",
                ["Granary__ConsumerGroups__MaxMembers"] = $"{MaxMembers}",
                ["Granary__ConsumerGroups__MaxSubscribedTopics"] = $"{MaxTopics}",
                ["Granary__ConsumerGroups__MaxOwnedPartitions"] = "3",
                ["Granary__ConsumerGroups__MaxGroupBytes"] = $"{MaxGroupBytes}",
                ["Granary__ConsumerGroups__MigrationPolicy"] = "disabled",
            },
        });
        Topic = await Topics.CreateAsync(_silo.KafkaBootstrap, 2);
    }

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
            await _silo.DisposeAsync();
    }
}

/// <summary>What ConsumerGroupHeartbeat refuses, with Kafka's codes and what is wrong in the message; raw frames to a real silo.</summary>
public sealed class HeartbeatRefusalTests(StrictSilo silo) : IClassFixture<StrictSilo>
{
    private static readonly Dictionary<string, (Action<ConsumerGroupHeartbeatRequest> Spoil, string Message)> s_wrong = new()
    {
        ["GroupId"] = (beat => beat.GroupId = "", "GroupId can't be empty."),
        ["GroupId blank"] = (beat => beat.GroupId = " \t", "GroupId can't be empty."),
        ["GroupId long"] = (beat => beat.GroupId = new string('g', 256), "The group's id has 256 characters, 255 is the most."),
        ["GroupId zero"] = (beat => beat.GroupId = "g\0", "The group's id has a zero character (U+0000), which cannot be kept."),
        ["MemberId"] = (beat => beat.MemberId = "", "MemberId can't be empty."),
        ["MemberId blank"] = (beat => beat.MemberId = " ", "MemberId can't be empty."),
        ["MemberId long"] = (beat => beat.MemberId = new string('m', 256), "MemberId has 256 characters, 255 is the most."),
        ["InstanceId"] = (beat => beat.InstanceId = " ", "InstanceId can't be empty."),
        ["RackId"] = (beat => beat.RackId = "", "RackId can't be empty."),
        ["RebalanceTimeoutMs"] = (beat => beat.RebalanceTimeoutMs = -1, "RebalanceTimeoutMs must be provided in first request."),
        ["RebalanceTimeoutMs negative"] = (beat => beat.RebalanceTimeoutMs = -2, "RebalanceTimeoutMs can't be negative."),
        ["TopicPartitions null"] = (beat => beat.TopicPartitions = null, "TopicPartitions must be empty when (re-)joining."),
        ["TopicPartitions"] = (beat => beat.TopicPartitions = [new() { TopicId = Guid.NewGuid(), Partitions = [0] }], "TopicPartitions must be empty when (re-)joining."),
        ["Subscribed"] = (beat => beat.SubscribedTopicNames = null, "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining."),
        ["SubscribedTopicNames many"] = (beat => beat.SubscribedTopicNames = [.. Enumerable.Range(0, 31).Select(index => $"t{index}")], "31 subscribed topics are more than 30 (MaxSubscribedTopics)."),
        ["SubscribedTopicNames long"] = (beat => beat.SubscribedTopicNames = [new string('t', 250)], $"The subscribed topic '{new string('t', 32)}…' has 250 characters, 249 is the most."),
        ["MemberEpoch"] = (beat => beat.MemberEpoch = -3, "MemberEpoch is invalid."),
        ["InstanceId null"] = (beat => beat.MemberEpoch = -2, "InstanceId can't be null."),
        ["TopicPartitions many"] = (
            beat => (beat.MemberEpoch, beat.TopicPartitions) = (1, [new() { TopicId = Guid.NewGuid(), Partitions = [0, 1, 2, 3] }]),
            "4 owned partitions are more than 3 (MaxOwnedPartitions)."),
    };

    private readonly string _group = $"g-{Guid.NewGuid():N}";

    public static TheoryData<string> Wrong => [.. s_wrong.Keys];

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task InvalidRequest_NamesTheField(string field)
    {
        var (spoil, message) = s_wrong[field];
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var beat = GroupWire.Joining(_group, "m", silo.Topic);
        spoil(beat);

        var answer = await wire.BeatAsync(beat);

        Assert.Equal((field, Code.InvalidRequest, message), (field, (Code)answer.ErrorCode, answer.ErrorMessage));
        Assert.Equal(0, answer.MemberEpoch);
        Assert.Null(answer.Assignment);
    }

    [Fact]
    public async Task Version0_LetsTheGroupNameAMember_AndVersion1DoesNot()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var named = await wire.BeatAsync(GroupWire.Joining(_group, "", silo.Topic), version: 0);
        Assert.Equal((Code.None, 1), ((Code)named.ErrorCode, named.MemberEpoch));
        Assert.NotEmpty(named.MemberId!);
        Assert.Equal(Code.InvalidRequest, (Code)(await wire.BeatAsync(GroupWire.Joining(_group, "", silo.Topic))).ErrorCode);
    }

    [Fact]
    public async Task UnknownGroup_AndUnknownMember_AreTold()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var beat = new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "nobody", MemberEpoch = 1 };
        await IsRefusedAsync(wire, beat, Code.GroupIdNotFound, $"Group {_group} not found.");

        await JoinAsync(wire, "m");
        await IsRefusedAsync(wire, beat, Code.UnknownMemberId, "There is no member nobody in the group.");
        beat.MemberEpoch = -1;
        await IsRefusedAsync(wire, beat, Code.UnknownMemberId, "There is no member nobody in the group.");
    }

    [Theory]
    [InlineData(2)]
    [InlineData(int.MaxValue)]
    public async Task AnotherEpochThanTheMembers_IsFenced(int epoch)
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        Assert.Equal(1, await JoinAsync(wire, "m"));
        var beat = new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = epoch };
        await IsRefusedAsync(wire, beat, Code.FencedMemberEpoch, $"Member m is at epoch 1, not {epoch}: it must give up its partitions and join again.");
        beat.MemberEpoch = 1;
        Assert.Equal(Code.None, (Code)(await wire.BeatAsync(beat)).ErrorCode);
    }

    [Fact]
    public async Task InstanceIdOfALivingMember_IsNotReleased_UntilItLeaves()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        Assert.Equal(1, await JoinAsync(wire, "m", beat => beat.InstanceId = "i"));
        var other = GroupWire.Joining(_group, "n", silo.Topic);
        other.InstanceId = "i";
        await IsRefusedAsync(wire, other, Code.UnreleasedInstanceId, "Instance id i still belongs to member m.");

        var leave = await wire.BeatAsync(new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = -2, InstanceId = "i" });
        Assert.Equal((Code.None, -2), ((Code)leave.ErrorCode, leave.MemberEpoch));
        Assert.Equal(Code.None, (Code)(await wire.BeatAsync(other)).ErrorCode);
        await IsRefusedAsync(
            wire,
            new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = 1, InstanceId = "i" },
            Code.FencedInstanceId,
            "Instance id i is member n's now, not m's.");
    }

    [Fact]
    public async Task Assignor_AndRegularExpression_ThatCannotBe_AreRefused()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        var beat = GroupWire.Joining(_group, "m", silo.Topic);
        beat.ServerAssignor = "sticky";
        await IsRefusedAsync(wire, beat, Code.UnsupportedAssignor, "There is no server assignor 'sticky'; there are: uniform, range.");

        (beat.ServerAssignor, beat.SubscribedTopicRegex) = (null, "(");
        var refused = await wire.BeatAsync(beat);
        Assert.Equal(Code.InvalidRegularExpression, (Code)refused.ErrorCode);
        Assert.NotEmpty(refused.ErrorMessage!);
        beat.SubscribedTopicRegex = new string('a', 513);
        Assert.Equal(Code.InvalidRegularExpression, (Code)(await wire.BeatAsync(beat)).ErrorCode);

        // None of these made a group.
        beat = new ConsumerGroupHeartbeatRequest { GroupId = _group, MemberId = "m", MemberEpoch = 1 };
        Assert.NotEqual(Code.None, (Code)(await wire.BeatAsync(beat)).ErrorCode);
    }

    [Fact]
    public async Task MoreMembersOrBytesThanAGroupTakes_AreRefused_WithTheLimit()
    {
        await using var wire = await GroupWire.ConnectAsync(silo.Bootstrap);
        await JoinAsync(wire, "a");
        var large = GroupWire.Joining(_group, "b", [.. Enumerable.Range(0, 20).Select(index => new string('t', 240) + index)]);
        var refused = await wire.BeatAsync(large);
        Assert.Equal(Code.GroupMaxSizeReached, (Code)refused.ErrorCode);
        Assert.EndsWith($"bytes, {StrictSilo.MaxGroupBytes} is the most (MaxGroupBytes).", refused.ErrorMessage, StringComparison.Ordinal);

        await JoinAsync(wire, "b");
        await IsRefusedAsync(wire, GroupWire.Joining(_group, "c", silo.Topic), Code.GroupMaxSizeReached, "The group has 2 members, 2 is the most (MaxMembers).");
    }

    private async Task<int> JoinAsync(GroupWire wire, string member, Action<ConsumerGroupHeartbeatRequest>? change = null)
    {
        var beat = GroupWire.Joining(_group, member, silo.Topic);
        change?.Invoke(beat);
        var joined = await wire.BeatAsync(beat);
        Assert.Equal((Code.None, null), ((Code)joined.ErrorCode, joined.ErrorMessage));
        return joined.MemberEpoch;
    }

    private static async Task IsRefusedAsync(GroupWire wire, ConsumerGroupHeartbeatRequest beat, Code error, string message)
    {
        var answer = await wire.BeatAsync(beat);
        Assert.Equal((error, message), ((Code)answer.ErrorCode, answer.ErrorMessage));
    }
}
