using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>A member as the classic protocol would have it, of a consumer group whose last consumer member has left.</summary>
internal sealed record ConsumerGroupClassicSeat(
    string MemberId,
    string? InstanceId,
    string ClientId,
    string ClientHost,
    TimeSpan SessionTimeout,
    TimeSpan RebalanceTimeout,
    ImmutableArray<ConsumerGroupClassicProtocol> Protocols,
    byte[] Assignment)
{
    /// <summary>Who joins, under the id that it has by now.</summary>
    public static ConsumerGroupClassicSeat Of(JoinRequest request, string memberId) => new(
        memberId,
        request.InstanceId,
        request.ClientId,
        request.ClientHost,
        request.SessionTimeout,
        request.RebalanceTimeout,
        [.. request.Protocols.Select(protocol => new ConsumerGroupClassicProtocol(protocol.Name, [.. protocol.Metadata.Span]))],
        []);
}

/// <summary>
/// Online migration between the protocols (KIP-848; group.consumer.migration.policy): a classic member is seen as a consumer member through its
/// JoinGroup's metadata, a classic group becomes a consumer group when the first consumer member joins, and a consumer group can become classic when
/// the members that are left all speak the classic protocol.
/// </summary>
internal static class ConsumerGroupMigration
{
    /// <summary>The only protocol type whose members can be in a consumer group.</summary>
    public const string ProtocolType = "consumer";

    /// <summary>A classic member's JoinGroup as a heartbeat that joins; what it owns goes with it, so that a cooperative member pauses nothing.</summary>
    /// <param name="join">Its member id must be its own by now, whoever gave it.</param>
    /// <param name="topicIds">By name; partitions of topics that are not there are not owned.</param>
    /// <returns>Null: its metadata is not the consumer protocol's: INCONSISTENT_GROUP_PROTOCOL.</returns>
    public static ConsumerGroupHeartbeat? ToHeartbeat(ConsumerGroupClassicSeat join, IReadOnlyDictionary<string, Guid> topicIds)
    {
        if (join.Protocols.IsEmpty || !ConsumerGroupProtocolBytes.TryReadSubscription(join.Protocols[0].Metadata.AsSpan(), out var subscription))
            return null;
        return new ConsumerGroupHeartbeat
        {
            MemberId = join.MemberId,
            MemberEpoch = ConsumerGroupHeartbeat.Join,
            InstanceId = join.InstanceId,
            RackId = string.IsNullOrEmpty(subscription.RackId) ? null : subscription.RackId,
            RebalanceTimeout = join.RebalanceTimeout,
            SubscribedTopics = subscription.Topics,
            OwnedPartitions = ToIds(subscription.OwnedPartitions, topicIds),
            ClientId = join.ClientId,
            ClientHost = join.ClientHost,
            Classic = new ConsumerGroupClassicMember(join.SessionTimeout, join.Protocols),
        };
    }

    /// <summary>
    /// A classic group as a consumer group, for its first consumer member to join. Every member keeps what it was last assigned, or where nothing is known of
    /// that, what it says it owns and nobody was assigned; what it says it owns beyond its share it is yet to give back. The generation becomes the epoch.
    /// </summary>
    /// <returns>Null: a member's metadata or assignment is not the consumer protocol's; or two members claim a partition.</returns>
    public static ConsumerGroupState? Upgrade(IReadOnlyCollection<ConsumerGroupClassicSeat> seats, int generation, IReadOnlyDictionary<string, Guid> topicIds)
    {
        var state = new ConsumerGroupState { GroupEpoch = generation, AssignmentEpoch = generation, Assignor = ConsumerGroupAssignors.Default };
        var taken = new HashSet<PartitionId>();
        foreach (var seat in seats.OrderByDescending(seat => seat.Assignment.Length > 0))
        {
            if (ToHeartbeat(seat, topicIds) is not { } beat)
                return null;
            ImmutableArray<PartitionId> assigned = [.. (beat.OwnedPartitions ?? []).Where(partition => !taken.Contains(partition)).Distinct().Order(PartitionOrder.Instance)];
            if (seat.Assignment.Length > 0)
            {
                if (!ConsumerGroupProtocolBytes.TryReadAssignment(seat.Assignment, out var assignment))
                    return null;
                assigned = [.. ToIds(assignment.Partitions, topicIds).Distinct().Order(PartitionOrder.Instance)];
            }

            if (!assigned.All(taken.Add))
                return null;
            var member = ConsumerGroupMembership.Update(new ConsumerGroupMember { MemberId = seat.MemberId }, beat);
            state.Members.Add(member with { MemberEpoch = generation, PreviousMemberEpoch = generation, Assigned = assigned, Revoking = beat.OwnedPartitions ?? [] });
            state.Targets.Add(new ConsumerGroupTarget(seat.MemberId, assigned));
        }

        state.Members = [.. state.Members.Select(member => WithRevoking(member, [.. member.Revoking.Where(taken.Add).Order(PartitionOrder.Instance)]))];
        return state;
    }

    /// <summary>Its share of this generation may have taken away what it came with, and it need not have heard so yet.</summary>
    private static ConsumerGroupMember WithRevoking(ConsumerGroupMember member, ImmutableArray<PartitionId> revoking) =>
        member with { Revoking = revoking, State = revoking.IsEmpty ? ConsumerGroupMemberState.Stable : ConsumerGroupMemberState.UnrevokedPartitions };

    /// <summary>Whether a JoinGroup may come in beside those who are there, as Kafka asks: who speaks the classic protocol shares an assignor with all others
    /// that do, so that they can be a classic group again; and a static member that has an id already is the one that stands for its instance.</summary>
    public static ErrorCode RefuseClassic(IReadOnlyCollection<ConsumerGroupMember> members, JoinRequest request)
    {
        if (request.ProtocolType != ProtocolType || request.Protocols.IsEmpty || !Shares(members, request.Protocols))
            return ErrorCode.InconsistentGroupProtocol;
        if (request.InstanceId is null || request.MemberId.Length == 0)
            return ErrorCode.None;
        var standing = members.FirstOrDefault(member => member.InstanceId == request.InstanceId);
        return standing is null ? ErrorCode.UnknownMemberId : standing.MemberId != request.MemberId ? ErrorCode.FencedInstanceId : ErrorCode.None;
    }

    private static bool Shares(IReadOnlyCollection<ConsumerGroupMember> members, ImmutableArray<GroupProtocol> protocols) => protocols.Any(offered =>
        members.All(member => member.Classic is not { } classic || classic.Protocols.Any(protocol => protocol.Name == offered.Name)));

    /// <summary>May a classic group with members become a consumer group?</summary>
    public static bool CanUpgrade(string protocolType, int members, ConsumerGroupOptions options) =>
        options.MigrationPolicy is ConsumerGroupMigrationPolicy.Upgrade or ConsumerGroupMigrationPolicy.Bidirectional
        && protocolType == ProtocolType && members <= options.MaxMembers;

    /// <summary>Is somebody left, and does everybody who is left speak the classic protocol?</summary>
    public static bool AreClassic(IReadOnlyCollection<ConsumerGroupMember> members) => members.Count > 0 && members.All(member => member.Classic is not null);

    /// <summary>May the group become a classic one, with the members that are left?</summary>
    /// <param name="maxClassic">Members of a classic group, at most.</param>
    public static bool CanDowngrade(IReadOnlyCollection<ConsumerGroupMember> members, ConsumerGroupOptions options, int maxClassic) =>
        options.MigrationPolicy is ConsumerGroupMigrationPolicy.Downgrade or ConsumerGroupMigrationPolicy.Bidirectional
        && members.Count <= maxClassic && AreClassic(members);

    /// <summary>
    /// The members of a consumer group as a classic group has them, which rebalances. Until that is over a member
    /// may still use what it was giving back: should the group come back to the consumer protocol before, nobody must be given it.
    /// </summary>
    public static IReadOnlyList<ConsumerGroupClassicSeat> Downgrade(ConsumerGroupState state, IReadOnlyDictionary<Guid, string> topicNames) =>
    [
        .. state.Members.Where(member => member.Classic is not null).Select(member => new ConsumerGroupClassicSeat(
            member.MemberId,
            member.InstanceId,
            member.ClientId,
            member.ClientHost,
            member.Classic!.SessionTimeout,
            member.RebalanceTimeout,
            member.Classic.Protocols,
            AssignmentFor(member with { Assigned = [.. member.Owned] }, topicNames))),
    ];

    /// <summary>What a SyncGroup answers to a classic member: what it may use now, in the version that it speaks.</summary>
    public static byte[] AssignmentFor(ConsumerGroupMember member, IReadOnlyDictionary<Guid, string> topicNames)
    {
        var version = member.Classic is { Protocols: [var first, ..] } && ConsumerGroupProtocolBytes.TryReadSubscription(first.Metadata.AsSpan(), out var subscription)
            ? Math.Min(subscription.Version, ConsumerGroupProtocolBytes.HighestVersion)
            : ConsumerGroupProtocolBytes.HighestVersion;
        var topics = member.Assigned
            .Where(partition => topicNames.ContainsKey(partition.TopicId))
            .GroupBy(partition => topicNames[partition.TopicId], StringComparer.Ordinal)
            .OrderBy(topic => topic.Key, StringComparer.Ordinal)
            .Select(topic => new ConsumerGroupNamedPartitions(topic.Key, [.. topic.Select(partition => partition.Index)]));
        return ConsumerGroupProtocolBytes.Write(new ConsumerGroupAssignment(version, [.. topics], null));
    }

    private static ImmutableArray<PartitionId> ToIds(ImmutableArray<ConsumerGroupNamedPartitions> topics, IReadOnlyDictionary<string, Guid> topicIds) =>
    [
        .. topics.Where(topic => topicIds.ContainsKey(topic.Topic))
            .SelectMany(topic => topic.Partitions.Select(index => new PartitionId(topicIds[topic.Topic], index))),
    ];
}
