using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// A consumer of the classic protocol in a group of the consumer protocol, as Kafka's clients are: an eager one gives all back before it joins again, a
/// cooperative one keeps what it has until its SyncGroup tells it otherwise, and then joins once more. Where an answer is lost, it joins again.
/// </summary>
internal sealed class ConsumerGroupClassicClient(string name, string? instanceId, bool isCooperative)
{
    private static readonly TimeSpan s_session = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan s_rebalance = TimeSpan.FromSeconds(5);

    private ImmutableArray<string> _topics = [];
    private ClientPhase _phase;
    private int _generation = -1;
    private int _lives;

    public string MemberId { get; private set; } = "";

    public string? InstanceId { get; } = instanceId;

    public bool IsAlive { get; private set; } = true;

    /// <summary>It was silent: what it uses counts no longer once the group removed it.</summary>
    public bool MayBeRemoved { get; set; }

    public HashSet<PartitionId> Owned { get; } = [];

    public void Subscribe(ImmutableArray<string> topics) => (_topics, _phase) = (topics, ClientPhase.Outside);

    public bool IsSubscribed(string topic) => _topics.Contains(topic);

    public bool IsSettled(ConsumerGroup group) =>
        _phase == ClientPhase.Steady && group.Members.FirstOrDefault(member => member.MemberId == MemberId) is { } member && Owned.SetEquals(member.Assigned);

    /// <summary>Gone without a word; its process uses nothing any more.</summary>
    public void Stop()
    {
        Owned.Clear();
        (IsAlive, MayBeRemoved) = (false, true);
    }

    /// <summary>The next call that it has to make.</summary>
    public void Act(ConsumerGroupWorld world)
    {
        switch (_phase)
        {
            case ClientPhase.Outside:
                Join(world);
                break;
            case ClientPhase.Joined:
                Sync(world);
                break;
            default:
                Hear(world.BeatClassic(new GroupCaller(MemberId, InstanceId, _generation)));
                break;
        }
    }

    public void NoticeRemoval(bool isMember)
    {
        if (isMember || _generation < 0)
            return;
        Assert.True(MayBeRemoved, $"{MemberId} was removed, and did nothing wrong");
        Forget();
    }

    private void Join(ConsumerGroupWorld world)
    {
        if (!isCooperative)
            Owned.Clear();
        if (MemberId.Length == 0)
            MemberId = $"{name}-{++_lives}";
        var names = world.Topics.ToDictionary(topic => topic.TopicId, topic => topic.Name);
        var owned = Owned.Where(partition => names.ContainsKey(partition.TopicId)).GroupBy(partition => names[partition.TopicId])
            .Select(topic => new ConsumerGroupNamedPartitions(topic.Key, [.. topic.Select(partition => partition.Index)]));
        var metadata = ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(3, _topics, null, [.. owned], _generation, null));
        var seat = new ConsumerGroupClassicSeat(MemberId, InstanceId, "", "", s_session, s_rebalance, [new ConsumerGroupClassicProtocol("any", [.. metadata])], []);
        var reply = world.Join(ConsumerGroupMigration.ToHeartbeat(seat, world.Topics.ToDictionary(topic => topic.Name, topic => topic.TopicId))!);
        if (reply is null)
            return;
        Assert.Equal((ErrorCode.None, null), (reply.Error, reply.Message));
        Assert.True(reply.MemberEpoch >= _generation, "the generation went back");
        (_generation, _phase) = (reply.MemberEpoch, ClientPhase.Joined);
    }

    private void Sync(ConsumerGroupWorld world)
    {
        var error = world.Sync(new GroupCaller(MemberId, InstanceId, _generation), out var assigned);
        Hear(error);
        if (error != ErrorCode.None || !IsAlive)
            return;
        var gaveBack = Owned.RemoveWhere(partition => !assigned.Contains(partition)) > 0;
        Owned.UnionWith(assigned);
        _phase = gaveBack ? ClientPhase.Outside : ClientPhase.Steady;
    }

    private void Hear(ErrorCode? error)
    {
        switch (error)
        {
            case ErrorCode.None:
                break;
            case null or ErrorCode.RebalanceInProgress:
                _phase = ClientPhase.Outside;
                break;
            case ErrorCode.FencedInstanceId:
                Stop();
                break;
            case ErrorCode.UnknownMemberId:
                Assert.True(MayBeRemoved, $"{MemberId} of generation {_generation} did nothing wrong");
                Forget();
                break;
            default:
                Assert.Fail($"{MemberId} of generation {_generation}: {error}");
                break;
        }
    }

    private void Forget()
    {
        Owned.Clear();
        (MemberId, _generation, _phase, MayBeRemoved) = ("", -1, ClientPhase.Outside, false);
    }
}
