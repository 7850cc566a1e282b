using System.Collections.Immutable;
using ErrorCode = Granary.Abstractions.ErrorCode;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Granary.Grains.Groups;

namespace Granary.Unit.Groups;

/// <summary>
/// A consumer of the classic protocol that need not know which protocol its group speaks: it joins, shares out where it leads, syncs, beats and commits. An eager
/// one gives all back before it joins again; a cooperative one keeps what it has until a share tells it otherwise, and then joins once more.
/// </summary>
internal sealed class MigrationClassicClient(string name, string? instanceId, bool isCooperative, bool asksForId)
{
    public static readonly TimeSpan Session = TimeSpan.FromSeconds(6);
    public static readonly TimeSpan Rebalance = TimeSpan.FromSeconds(5);

    private ImmutableArray<JoinedMember> _leads = [];
    private string? _protocol;

    public string? InstanceId { get; } = instanceId;

    public string MemberId { get; private set; } = "";

    public int Generation { get; private set; } = -1;

    /// <summary>The generation before, as the same member; -1: none.</summary>
    public int FormerGeneration { get; private set; } = -1;

    public ClientPhase Phase { get; private set; }

    public bool IsAlive { get; private set; } = true;

    /// <summary>It was silent: what it uses counts no longer once the group removed it.</summary>
    public bool MayBeRemoved { get; set; }

    public HashSet<PartitionId> Owned { get; } = [];

    public GroupCaller Caller => new(MemberId, InstanceId, Generation);

    /// <summary>Gone without a word; its process uses nothing any more.</summary>
    public void Stop()
    {
        Owned.Clear();
        (IsAlive, MayBeRemoved) = (false, true);
    }

    public JoinRequest Join()
    {
        if (!isCooperative)
            Owned.Clear();
        Phase = ClientPhase.Joining;
        var metadata = ConsumerGroupProtocolBytes.Write(new ConsumerGroupSubscription(3, [MigrationWorld.Topic.Name], null, Named(Owned), Generation, null));
        return new JoinRequest(
            MemberId, InstanceId, name, "", Session, Rebalance, "consumer", [new GroupProtocol(isCooperative ? "cooperative-sticky" : "range", metadata)], asksForId, asksForId);
    }

    public SyncRequest Sync()
    {
        Phase = ClientPhase.Syncing;
        return new SyncRequest(Caller, "consumer", _protocol, [.. MigrationShares.Of(_leads, isCooperative).Select(share => new MemberAssignment(
            share.MemberId, ConsumerGroupProtocolBytes.Write(new ConsumerGroupAssignment(1, Named(share.Partitions), null))))]);
    }

    /// <summary>What it waited for will not come.</summary>
    public void HearNothing() => Phase = ClientPhase.Outside;

    public void Hear(JoinResult result)
    {
        Phase = ClientPhase.Outside;
        if (result.Error == ErrorCode.MemberIdRequired)
            MemberId = result.MemberId;
        else if (result.Error != ErrorCode.None)
            Hear(result.Error);
        if (result.Error != ErrorCode.None)
            return;
        Assert.True(result.Generation >= Generation, $"{MemberId} was told generation {result.Generation} after {Generation}");
        if (result.Generation != Generation)
            FormerGeneration = result.MemberId == MemberId ? Generation : -1;
        (MemberId, Generation, Phase, _protocol) = (result.MemberId, result.Generation, ClientPhase.Joined, result.ProtocolName);
        _leads = result.SkipAssignment ? [] : result.Members;
    }

    public void Hear(SyncResult result)
    {
        Phase = ClientPhase.Outside;
        Hear(result.Error);
        if (result.Error != ErrorCode.None)
            return;
        HashSet<PartitionId> given = [];
        if (!result.Assignment.IsEmpty)
        {
            Assert.True(ConsumerGroupProtocolBytes.TryReadAssignment(result.Assignment.Span, out var assignment));
            given = [.. assignment.Partitions.SelectMany(topic => topic.Partitions).Select(index => new PartitionId(MigrationWorld.Topic.TopicId, index))];
        }

        var gaveBack = Owned.RemoveWhere(partition => !given.Contains(partition)) > 0;
        Owned.UnionWith(given);
        Phase = gaveBack && isCooperative ? ClientPhase.Outside : ClientPhase.Steady;
    }

    /// <summary>Its group has just gone back to the classic protocol: where it is as far as any member, it can commit what it has done, and is told to join; else it is fenced.</summary>
    /// <param name="newest">The newest epoch that a member has.</param>
    /// <returns>True: it is one of the former.</returns>
    public bool IsCalled(int newest, ClassicGroup group, TimeSpan now)
    {
        if (!IsAlive || Generation < 0)
            return false;
        var isNewest = Generation == newest;
        Assert.Equal(isNewest ? ErrorCode.RebalanceInProgress : ErrorCode.IllegalGeneration, group.Heartbeat(Caller, now));
        Assert.Equal(isNewest ? ErrorCode.None : ErrorCode.IllegalGeneration, group.CheckCommit(Caller, now));
        return isNewest;
    }

    /// <summary>The answer to a heartbeat or to a commit.</summary>
    public void Hear(ErrorCode error)
    {
        switch (error)
        {
            case ErrorCode.None:
                break;
            case ErrorCode.RebalanceInProgress:
                Phase = ClientPhase.Outside;
                break;
            case ErrorCode.IllegalGeneration:
                // It missed a generation: what it had may be another's.
                Owned.Clear();
                (Generation, FormerGeneration, Phase) = (-1, -1, ClientPhase.Outside);
                break;
            case ErrorCode.FencedInstanceId:
                Stop();
                break;
            case ErrorCode.UnknownMemberId:
                Assert.True(MayBeRemoved || Generation < 0, $"{MemberId} of generation {Generation} did nothing wrong");
                Forget();
                break;
            default:
                Assert.Fail($"{MemberId} of generation {Generation}: {error}");
                break;
        }
    }

    public void NoticeRemoval(bool isMember)
    {
        if (isMember || Generation < 0 || !IsAlive)
            return;
        Assert.True(MayBeRemoved, $"{MemberId} was removed, and did nothing wrong");
        Owned.Clear();
    }

    public override string ToString() => $"{MemberId}@{Generation} {Phase} uses {string.Join(",", Owned.Select(partition => partition.Index))}";

    private void Forget()
    {
        Owned.Clear();
        (MemberId, Generation, FormerGeneration, Phase, MayBeRemoved) = ("", -1, -1, ClientPhase.Outside, false);
    }

    private static ImmutableArray<ConsumerGroupNamedPartitions> Named(IEnumerable<PartitionId> partitions) =>
        [new ConsumerGroupNamedPartitions(MigrationWorld.Topic.Name, [.. partitions.Select(partition => partition.Index).Order()])];
}
