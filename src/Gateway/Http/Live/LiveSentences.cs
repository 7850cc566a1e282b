using System.Globalization;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Groups;

namespace Granary.Gateway.Http.Live;

/// <summary>An entry of the timeline, before it has a number.</summary>
/// <param name="OnceFor">Several silos tell it; it is told once for this.</param>
/// <param name="More">How to tell of several like it.</param>
internal sealed record LiveSentence(LiveEntry Entry, string? OnceFor = null, Func<int, string, string>? More = null);

/// <summary>Happenings as sentences. Pure.</summary>
internal static class LiveSentences
{
    /// <summary>Null: not worth an entry.</summary>
    public static LiveSentence? Of(SiloMember teller, ClusterHappening happening, Func<Guid, string> topicOf, double? gapMs) => happening.Kind switch
    {
        HappeningKind.PartitionOpened => Opened(teller, happening, topicOf, gapMs),
        HappeningKind.FirstAppend => new(
            OfPartition(teller, happening, topicOf, "first-append", $"The first records under leader epoch {happening.LeaderEpoch} of {Name(happening, topicOf)} are on disk on {teller.Name}, {Ms(happening.Took)} ms after it was opened."),
            More: (count, _) => $"{count} partitions on {teller.Name} have the first records under their new leader epochs on disk."),
        HappeningKind.PartitionClosed => null,
        HappeningKind.GroupOpened => new(OfGroup(teller, happening, "group-opened", $"{teller.Name} coordinates the group {happening.Group} from now on.")),
        HappeningKind.GroupChanged => Group(teller, happening),
        _ => Silo(teller, happening),
    };

    private static LiveSentence Opened(SiloMember teller, ClusterHappening happening, Func<Guid, string> topicOf, double? gapMs)
    {
        var gap = gapMs is { } ms ? string.Create(CultureInfo.InvariantCulture, $"; it was away for {ms:0} ms") : "";
        var name = Name(happening, topicOf);
        return happening.Cause == HappeningCause.Moved
            ? new(
                OfPartition(teller, happening, topicOf, "partition-moved", $"{name} moved to {teller.Name} at leader epoch {happening.LeaderEpoch}{gap}.") with { GapMs = gapMs },
                More: (count, _) => $"{count} partitions moved to {teller.Name}.")
            : new(
                OfPartition(teller, happening, topicOf, "epoch-raised", $"{teller.Name} raised {name} to leader epoch {happening.LeaderEpoch} and opened it in {Ms(happening.Took)} ms{gap}.") with { GapMs = gapMs },
                More: (count, _) => $"{teller.Name} raised the leader epochs of {count} partitions and opened them.");
    }

    private static LiveSentence Group(SiloMember teller, ClusterHappening happening)
    {
        var cause = happening.Cause is { Length: > 0 } why ? $": {why}" : "";
        return happening.GroupState switch
        {
            GroupState.PreparingRebalance => new(OfGroup(teller, happening, "rebalance", $"The group {happening.Group} rebalances{cause}.")),
            GroupState.Assigning or GroupState.Reconciling =>
                new(OfGroup(teller, happening, "rebalance", $"The group {happening.Group} is being reassigned (epoch {happening.Generation}){cause}.")),
            GroupState.CompletingRebalance => new(OfGroup(teller, happening, "group-joined", $"Generation {happening.Generation} of the group {happening.Group} has {Members(happening)}; their leader assigns the partitions.")),
            GroupState.Stable => new(OfGroup(teller, happening, "group-stable", $"The group {happening.Group} is stable in generation {happening.Generation} with {Members(happening)}.")),
            _ => new(OfGroup(teller, happening, "group-empty", $"The group {happening.Group} has no members any more{cause}.")),
        };
    }

    private static LiveSentence Silo(SiloMember teller, ClusterHappening happening)
    {
        var name = happening.SiloName ?? "";
        var (kind, text) = happening.Kind switch
        {
            HappeningKind.SiloSuspected => ("silo-suspected", $"{teller.Name} suspects {name}: {happening.Cause}."),
            HappeningKind.SiloDead when happening.Cause is { } cause => ("silo-dead", $"{name} is declared dead by {teller.Name}: {cause}."),
            HappeningKind.SiloDead => ("silo-dead", $"{name} was declared dead."),
            HappeningKind.SiloJoined => ("silo-joined", $"{name} has joined."),
            HappeningKind.SiloDraining => ("silo-draining", $"{name} hands its partitions and groups over."),
            _ => ("silo-left", $"{name} has left in order."),
        };
        return new(new LiveEntry { Entry = 0, At = happening.At, Kind = kind, Silo = name, Text = text }, OnceFor: happening.Silo?.ToParsableString());
    }

    private static LiveEntry OfPartition(SiloMember teller, ClusterHappening happening, Func<Guid, string> topicOf, string kind, string text) => new()
    {
        Entry = 0,
        At = happening.At,
        Kind = kind,
        Text = text,
        Silo = teller.Name,
        NodeId = teller.NodeId,
        Topic = topicOf(happening.Partition.TopicId),
        Partition = happening.Partition.Index,
        LeaderEpoch = happening.LeaderEpoch,
    };

    private static LiveEntry OfGroup(SiloMember teller, ClusterHappening happening, string kind, string text) =>
        new() { Entry = 0, At = happening.At, Kind = kind, Text = text, Silo = teller.Name, NodeId = teller.NodeId, GroupId = happening.Group };

    private static string Members(ClusterHappening happening) => happening.Members == 1 ? "1 member" : $"{happening.Members} members";

    private static string Name(ClusterHappening happening, Func<Guid, string> topicOf) => $"{topicOf(happening.Partition.TopicId)}-{happening.Partition.Index}";

    private static string Ms(TimeSpan took) => took.TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
}
