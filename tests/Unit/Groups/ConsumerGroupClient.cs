using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>A consumer as Kafka's clients are: takes its time to give partitions back, says everything again when an answer was lost, joins again when fenced.</summary>
internal sealed class ConsumerGroupClient(string memberId, string? instanceId, Random random)
{
    private HashSet<PartitionId>? _assignment;
    private ImmutableArray<string> _topics = [];
    private string _regex = "";
    private string? _assignor;
    private int _epoch;
    private int _dawdled;
    private bool _saysAll = true;
    private bool _saysOwned;
    private bool _missedAnswer;
    private bool _isMisled;

    public string MemberId { get; } = memberId;

    public string? InstanceId { get; } = instanceId;

    public bool IsAlive { get; private set; } = true;

    /// <summary>It is told to leave, or was silent or slow: what it uses counts no longer once the group removed it.</summary>
    public bool MayBeRemoved { get; set; }

    public HashSet<PartitionId> Owned { get; } = [];

    /// <summary>0: it has joined nothing yet.</summary>
    public int Epoch => _epoch;

    /// <summary>The epoch that it was at before; null: none.</summary>
    public int? FormerEpoch { get; private set; }

    /// <summary>The assignor it asks for; null: any.</summary>
    public string? Assignor => _assignor;

    /// <summary>
    /// It has taken up an older assignment while an answer was lost that took some of it away, or was told one by a coordinator that should have ended. Others may
    /// use what it uses, until it has taken up what it hears next; it cannot commit what is theirs. (Kafka's groups have the same gap.)
    /// </summary>
    public bool IsAstray { get; private set; }

    /// <summary>What it heard last may have come from a coordinator that should have ended.</summary>
    public void GoAstray() => (IsAstray, MayBeRemoved, _isMisled) = (true, true, true);

    public void Prefer(string? assignor) => (_assignor, _saysAll) = (assignor ?? _assignor, true);

    public void Subscribe(ImmutableArray<string> topics, string regex)
    {
        (_topics, _regex) = (topics, regex);
        _saysAll = true;
    }

    public bool IsSubscribed(string topic) => _topics.Contains(topic) || (_regex.Length > 0 && topic.StartsWith(_regex[0]));

    public bool IsSettled(ConsumerGroup group) =>
        _epoch > 0 && _assignment is null && group.Members.FirstOrDefault(member => member.MemberId == MemberId) is { } member && Owned.SetEquals(member.Assigned);

    public ConsumerGroupHeartbeat Beat()
    {
        // A client that has got partitions to give back does so in its own time, less than its rebalance timeout, and says so at once.
        if (_assignment is not null && (random.Next(3) > 0 || ++_dawdled == 3))
        {
            _dawdled = 0;
            (IsAstray, MayBeRemoved) = (_isMisled || _missedAnswer, MayBeRemoved || _missedAnswer);
            Owned.Clear();
            Owned.UnionWith(_assignment);
            _assignment = null;
            _saysOwned = true;
        }

        // It may say all before it has taken up what it was last given, as librdkafka does.
        var all = _saysAll || _epoch == 0;
        return new ConsumerGroupHeartbeat
        {
            MemberId = MemberId,
            MemberEpoch = _epoch,
            InstanceId = InstanceId,
            RebalanceTimeout = all ? TimeSpan.FromSeconds(5) : null,
            SubscribedTopics = all ? _topics : null,
            SubscribedRegex = all ? _regex : null,
            ServerAssignor = all ? _assignor : null,
            OwnedPartitions = all || _saysOwned ? [.. Owned] : null,
        };
    }

    public void HearNothing() => (_saysAll, _missedAnswer) = (true, true);

    public void Hear(ConsumerGroupHeartbeatReply reply)
    {
        (_saysAll, _saysOwned, _missedAnswer) = (false, false, false);
        switch (reply.Error)
        {
            case ErrorCode.None:
                if (reply.Assignment is { } assignment)
                {
                    // Every assignment is acknowledged, also one that takes back what was not yet taken up.
                    _saysOwned = Owned.SetEquals(assignment);
                    _assignment = _saysOwned ? null : [.. assignment];
                    (IsAstray, _isMisled) = (IsAstray && _assignment is not null, false);
                }

                Assert.True(reply.MemberEpoch >= _epoch, "the epoch went back");
                if (reply.MemberEpoch != _epoch && _epoch > 0)
                    FormerEpoch = _epoch;
                _epoch = reply.MemberEpoch;
                break;
            case ErrorCode.UnreleasedInstanceId:
                Assert.NotNull(InstanceId);
                break;
            case ErrorCode.FencedInstanceId:
                Stop();
                break;
            case ErrorCode.UnknownMemberId or ErrorCode.FencedMemberEpoch:
                Assert.True(MayBeRemoved, $"{MemberId} at epoch {_epoch} did nothing wrong: {reply.Error} {reply.Message}");
                Owned.Clear();
                (_assignment, _epoch, MayBeRemoved, IsAstray) = (null, 0, false, false);
                break;
            default:
                Assert.Fail($"{reply.Error}: {reply.Message}");
                break;
        }
    }

    /// <summary>Gone: its process uses nothing any more.</summary>
    public void Stop()
    {
        Owned.Clear();
        (IsAlive, MayBeRemoved, IsAstray) = (false, true, false);
    }

    public ConsumerGroupHeartbeat Leaving(int epoch) => new() { MemberId = MemberId, MemberEpoch = epoch, InstanceId = InstanceId };

    /// <summary>A consumer that was removed for its silence may think that it owns something; the group cannot know, and need not.</summary>
    public void NoticeRemoval(bool isMember)
    {
        if (isMember || _epoch == 0)
            return;
        Assert.True(MayBeRemoved, $"{MemberId} was removed, and did nothing wrong");
        Owned.Clear();
        _assignment = null;
    }
}
