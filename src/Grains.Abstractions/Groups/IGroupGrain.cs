using System.Collections.Immutable;
using Granary.Abstractions.Partitions;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Granary.Abstractions.Groups;

/// <summary>
/// A consumer group: its coordinator. Key: <see cref="KeyOf"/>. Calls interleave. Every answer carries its refusal as an <see cref="ErrorCode"/>;
/// an exception means that the call itself failed, and whether it took effect is not known.
/// </summary>
[Alias("granary.IGroupGrain")]
public interface IGroupGrain : IGrainWithStringKey
{
    private const string Prefix = "g:";

    /// <summary>A group id may be blank, which a grain's key may not.</summary>
    static string KeyOf(string groupId) => Prefix + groupId;

    static string IdOf(string key) => key.StartsWith(Prefix, StringComparison.Ordinal) ? key[Prefix.Length..] : key;

    /// <summary>Waits until a generation begins with this member: as long as the members' rebalance timeouts.</summary>
    [ResponseTimeout("00:35:00"), Alias("Join")]
    Task<JoinResult> JoinAsync(JoinRequest request);

    /// <summary>Waits until the leader has brought the shares.</summary>
    [ResponseTimeout("00:35:00"), Alias("Sync")]
    Task<SyncResult> SyncAsync(SyncRequest request);

    [Alias("Heartbeat")]
    Task<ErrorCode> HeartbeatAsync(GroupCaller caller);

    /// <summary>One answer per member, in their order.</summary>
    [Alias("Leave")]
    Task<ImmutableArray<ErrorCode>> LeaveAsync(ImmutableArray<LeavingMember> members);

    /// <summary>Keeps positions; answers when they are durable.</summary>
    [Alias("Commit")]
    Task<ImmutableArray<ErrorCode>> CommitAsync(CommitRequest request);

    /// <summary>
    /// A heartbeat of the consumer protocol that is news for the group. Members and those who speak for them call <see cref="IGroupMemberGrain"/>, which
    /// calls this. The answer comes when what it says is durable.
    /// </summary>
    [Alias("MemberHeartbeat")]
    Task<ConsumerGroupHeartbeatReply> MemberHeartbeatAsync(ConsumerGroupHeartbeat beat);

    /// <summary>The positions that are kept. An empty list of partitions asks for all.</summary>
    /// <param name="caller">A member of the consumer protocol, which must be at its epoch; null: nobody in particular.</param>
    [Alias("FetchOffsets")]
    Task<CommittedOffsets> FetchOffsetsAsync(ImmutableArray<PartitionId> partitions, GroupCaller? caller = null);

    /// <summary>Forgets positions; one answer per partition, in their order, or one for all: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP.</summary>
    [Alias("DeleteOffsets")]
    Task<ImmutableArray<ErrorCode>> DeleteOffsetsAsync(ImmutableArray<PartitionId> partitions);

    /// <summary>Puts positions where a plan says, with their entry in the history; for <see cref="IGroupResetGrain"/>, which others call.</summary>
    [Alias("Reset")]
    Task<ResetResult> ResetAsync(OffsetReset reset);

    /// <param name="withLags">Asks every partition with a position how far the group is behind: a call each.</param>
    [Alias("Describe")]
    Task<GroupDescription> DescribeAsync(bool withLags);

    /// <summary>Deletes the group with all its positions; refused with NON_EMPTY_GROUP while it has members.</summary>
    [Alias("Delete")]
    Task<ErrorCode> DeleteAsync();

    /// <summary>Forgets positions that nobody has needed for longer than the retention, and those of deleted topics; and then a group with nothing left.</summary>
    [Alias("Expire")]
    Task ExpireAsync();

    /// <summary>Hands the group over from one silo to another. Nothing happens where it is not on <paramref name="from"/>.</summary>
    [Alias("Move")]
    Task MoveAsync(SiloAddress from, SiloAddress to);
}

/// <summary>All groups. Key: 0; answered by the silo that a call comes in at.</summary>
[Alias("granary.IGroupListGrain")]
public interface IGroupListGrain : IGrainWithIntegerKey
{
    const long Key = 0;

    /// <summary>The states of groups that this silo coordinates are of this moment, those of others as they last rested.</summary>
    [AlwaysInterleave, Alias("List")]
    Task<ImmutableArray<GroupListing>> ListAsync();
}
