using System.Collections.Concurrent;
using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;
using ErrorCode = Granary.Abstractions.ErrorCode;

namespace Granary.Unit.Gateway.Kafka;

/// <summary>Any group: nobody is a member, and nothing is kept.</summary>
internal sealed class FakeGroups : IGroupGrain, IGroupListGrain, IGroupMemberGrain
{
    /// <summary>What was committed, in its order.</summary>
    public ConcurrentQueue<long> Committed { get; } = new();

    /// <summary>What a group is said to keep.</summary>
    public ImmutableArray<CommittedOffset> Kept { get; set; } = [];

    /// <summary>What happens when positions are asked for, before they are told: an error to answer, or a failure of the call.</summary>
    public Func<Task<ErrorCode>>? BeforeFetch { get; set; }

    public Task<JoinResult> JoinAsync(JoinRequest request) => Task.FromResult(JoinResult.Refuse(ErrorCode.UnknownMemberId, request.MemberId));

    public Task<SyncResult> SyncAsync(SyncRequest request) => Task.FromResult(SyncResult.Refuse(ErrorCode.UnknownMemberId));

    public Task<ErrorCode> HeartbeatAsync(GroupCaller caller) => Task.FromResult(ErrorCode.UnknownMemberId);

    public Task<ConsumerGroupHeartbeatReply> MemberHeartbeatAsync(ConsumerGroupHeartbeat beat) =>
        Task.FromResult(new ConsumerGroupHeartbeatReply(ErrorCode.UnknownMemberId, null, beat.MemberId, 0, TimeSpan.Zero, null, null));

    Task<ConsumerGroupHeartbeatReply> IGroupMemberGrain.HeartbeatAsync(ConsumerGroupHeartbeat beat) => MemberHeartbeatAsync(beat);

    public Task NudgeAsync() => Task.CompletedTask;

    public Task<TimeSpan> SilenceAsync() => Task.FromResult(TimeSpan.Zero);

    public Task<ImmutableArray<ErrorCode>> LeaveAsync(ImmutableArray<LeavingMember> members) => All(ErrorCode.UnknownMemberId, members.Length);

    public Task<ImmutableArray<ErrorCode>> CommitAsync(CommitRequest request)
    {
        foreach (var offset in request.Offsets)
            Committed.Enqueue(offset.Offset);
        return All(ErrorCode.None, request.Offsets.Length);
    }

    public async Task<CommittedOffsets> FetchOffsetsAsync(ImmutableArray<PartitionId> partitions, GroupCaller? caller = null) =>
        BeforeFetch is { } before && await before() is var error and not ErrorCode.None ? new CommittedOffsets(error, []) : new CommittedOffsets(ErrorCode.None, Kept);

    public Task<ImmutableArray<ErrorCode>> DeleteOffsetsAsync(ImmutableArray<PartitionId> partitions) => All(ErrorCode.GroupIdNotFound, partitions.Length);

    public Task<GroupDescription> DescribeAsync(bool withLags) => Task.FromResult(GroupDescription.Missing);

    public Task<ErrorCode> DeleteAsync() => Task.FromResult(ErrorCode.GroupIdNotFound);

    public Task<ResetResult> ResetAsync(OffsetReset reset) => throw new NotSupportedException();

    public Task ExpireAsync() => Task.CompletedTask;

    public Task MoveAsync(SiloAddress from, SiloAddress to) => Task.CompletedTask;

    public Task<ImmutableArray<GroupListing>> ListAsync() => Task.FromResult<ImmutableArray<GroupListing>>([new GroupListing("g", "consumer", GroupState.Empty)]);

    private static Task<ImmutableArray<ErrorCode>> All(ErrorCode error, int count) => Task.FromResult<ImmutableArray<ErrorCode>>([.. Enumerable.Repeat(error, count)]);
}
