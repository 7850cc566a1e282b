using System.Collections.Immutable;
using System.Diagnostics;
using System.Reflection;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Clients;

/// <summary>A consumer group in memory: the group's own machine, asked without a member's grain in between, and its offsets.</summary>
internal sealed class FakeGroup
{
    private readonly Lock _gate = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly ConsumerGroup _group;
    private readonly Dictionary<PartitionId, OffsetToCommit> _offsets = [];

    public FakeGroup(FakeCluster cluster)
    {
        var options = new ConsumerGroupOptions
        {
            SessionTimeout = TimeSpan.FromMinutes(10),
            HeartbeatInterval = TimeSpan.FromMilliseconds(10),
            ReconcilingHeartbeatInterval = TimeSpan.FromMilliseconds(5),
            AssignmentInterval = TimeSpan.Zero,
        };
        _group = new ConsumerGroup(
            new ConsumerGroupState(), [new ConsumerGroupTopic(cluster.Topic!.Name, cluster.Topic.TopicId, cluster.Topic.PartitionCount)], options, 0);
    }

    /// <summary>Answers the next commit with this where set.</summary>
    public ErrorCode NextRefusal { get; set; }

    /// <summary>Loses answers of heartbeats where it says so.</summary>
    public Func<bool> Loses { get; set; } = () => false;

    public int Members => In(() => _group.Members.Count);

    public long? OffsetOf(int partition) => KeptOf(partition)?.Offset;

    public OffsetToCommit? KeptOf(int partition) => In(() => _offsets.Where(pair => pair.Key.Index == partition).Select(pair => (OffsetToCommit?)pair.Value).FirstOrDefault());

    /// <summary>Keeps an offset, whatever it is, as a client from outside of the group may commit it.</summary>
    public void Keep(PartitionId partition, long offset) => In(() => _offsets[partition] = new OffsetToCommit(partition, offset, -1, ""));

    /// <summary>Removes all members, as if their sessions had ended.</summary>
    public void Expel() => In(() =>
    {
        foreach (var member in _group.Members.ToArray())
            _group.Heartbeat(new ConsumerGroupHeartbeat { MemberId = member.MemberId, MemberEpoch = ConsumerGroupHeartbeat.Leave }, Now);
        return true;
    });

    public object? Call(MethodInfo method, object?[] args) => method.Name switch
    {
        nameof(IGroupMemberGrain.HeartbeatAsync) => Heartbeat((ConsumerGroupHeartbeat)args[0]!),
        nameof(IGroupGrain.CommitAsync) => Task.FromResult(In(() => Commit((CommitRequest)args[0]!))),
        nameof(IGroupGrain.FetchOffsetsAsync) => Task.FromResult(In(() => Fetch((ImmutableArray<PartitionId>)args[0]!))),
        _ => throw new NotSupportedException(method.Name),
    };

    private long Now => _clock.ElapsedMilliseconds;

    private Task<ConsumerGroupHeartbeatReply> Heartbeat(ConsumerGroupHeartbeat beat)
    {
        var reply = In(() =>
        {
            _group.Tick(Now);
            return _group.Heartbeat(beat, Now).Reply!;
        });
        return Loses() ? Task.FromException<ConsumerGroupHeartbeatReply>(new TimeoutException("the answer was lost")) : Task.FromResult(reply);
    }

    private ImmutableArray<ErrorCode> Commit(CommitRequest request)
    {
        var error = NextRefusal == ErrorCode.None ? _group.CheckCommit(request.Caller.MemberId, request.Caller.Generation) : NextRefusal;
        NextRefusal = ErrorCode.None;
        if (error == ErrorCode.None)
        {
            foreach (var offset in request.Offsets)
                _offsets[offset.Partition] = offset;
        }

        return [.. request.Offsets.Select(_ => error)];
    }

    private CommittedOffsets Fetch(ImmutableArray<PartitionId> partitions) =>
        new(ErrorCode.None, [.. partitions.Where(_offsets.ContainsKey).Select(partition => _offsets[partition]).Select(kept => new CommittedOffset(kept.Partition, kept.Offset, kept.LeaderEpoch, kept.Metadata))]);

    private T In<T>(Func<T> look)
    {
        lock (_gate)
            return look();
    }

    /// <summary>Either grain of the group.</summary>
    public class GrainProxy : DispatchProxy
    {
        internal FakeGroup Group { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Group.Call(targetMethod!, args!);
    }
}
