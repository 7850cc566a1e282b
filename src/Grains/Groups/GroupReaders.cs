using Granary.Abstractions;
using Granary.Abstractions.Groups;

namespace Granary.Grains.Groups;

/// <summary>Which topics a group's members read. Without a subscription that can be read, they may read any.</summary>
internal sealed class GroupReaders
{
    private readonly HashSet<string> _topics = new(StringComparer.Ordinal);
    private bool _any;

    public static GroupReaders TopicsOf(ClassicGroup group)
    {
        var readers = new GroupReaders();
        foreach (var member in group.Members.All)
        {
            // Before a protocol is chosen, each of a consumer's has the same topics.
            var metadata = group.ProtocolName is { } name ? member.MetadataFor(name) : member.Protocols.FirstOrDefault().Metadata;
            var topics = group.ProtocolType == ClassicSubscription.ProtocolType ? ClassicSubscription.TryReadTopics(metadata.Span) : null;
            readers._any |= topics is null;
            readers._topics.UnionWith(topics ?? []);
        }

        return readers;
    }

    /// <param name="topic">Null: its name is not known, as it is gone.</param>
    public bool Reads(string? topic) => _any || (topic is not null && _topics.Contains(topic));

    /// <summary>A group as it is told; what members offer and have is told where it is settled, as Kafka does.</summary>
    public static GroupDescription Describe(ClassicGroup group)
    {
        var isStable = group.State == GroupState.Stable;
        return new GroupDescription(
            ErrorCode.None,
            group.State,
            group.ProtocolType,
            isStable ? group.ProtocolName ?? "" : "",
            group.Generation,
            [
                .. group.Members.All.Select(member => new GroupMember(
                    member.MemberId,
                    member.InstanceId,
                    member.ClientId,
                    member.ClientHost,
                    isStable ? member.MetadataFor(group.ProtocolName) : default,
                    isStable ? member.Assignment : default)),
            ],
            []);
    }
}
