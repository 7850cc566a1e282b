using System.Collections.Immutable;
using System.Text;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>In how many bytes a group's parts are kept, to within the few that the serializer adds to each: what `MaxGroupBytes` is measured in.</summary>
internal static class KeptBytes
{
    /// <summary>A member's numbers and times, and what the serializer adds.</summary>
    private const int PerMember = 96;
    private const int PerText = 4;
    private const int PerPartition = 24;

    public static long Of(ConsumerGroupMember member) =>
        PerMember
        + (2 * Of(member.MemberId)) // The target is kept under it too.
        + Of(member.InstanceId) + Of(member.RackId) + Of(member.ClientId) + Of(member.ClientHost)
        + member.SubscribedTopics.Sum(Of) + Of(member.SubscribedRegex) + Of(member.ServerAssignor)
        + (member.Classic is { } classic ? classic.Protocols.Sum(protocol => Of(protocol.Name) + protocol.Metadata.Length + PerText) : 0)
        + (PerPartition * (long)(member.Assigned.Length + member.Revoking.Length));

    public static long Of(ImmutableArray<PartitionId> target) => PerPartition * (long)target.Length;

    public static long Of(IEnumerable<ConsumerGroupTopic> topics) => topics.Sum(topic => PerPartition + Of(topic.Name));

    /// <summary>A member of a classic group, without its share.</summary>
    public static long Of(string memberId, string? instanceId, string clientId, string clientHost, ImmutableArray<GroupProtocol> protocols) =>
        PerMember + Of(memberId) + Of(instanceId) + Of(clientId) + Of(clientHost) + protocols.Sum(protocol => Of(protocol.Name) + protocol.Metadata.Length + PerText);

    private static long Of(string? text) => string.IsNullOrEmpty(text) ? PerText : PerText + Encoding.UTF8.GetByteCount(text);
}
