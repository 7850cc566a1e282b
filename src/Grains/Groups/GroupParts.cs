using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Grains.Groups;

/// <summary>What groups share on one silo.</summary>
internal sealed class GroupParts(
    IGroupStore store, IOptions<GroupOptions> options, IOptions<ConsumerGroupOptions> consumerOptions, PlacementParts placement, TopicDirectory topics, HostedGroups hosted, GroupDiagnostics diagnostics)
{
    private readonly long _start = placement.Time.GetTimestamp();

    public IGroupStore Store { get; } = store;

    public GroupOptions Options { get; } = options.Value;

    public ConsumerGroupOptions ConsumerOptions { get; } = consumerOptions.Value;

    public TopicDirectory Topics { get; } = topics;

    public HostedGroups Hosted { get; } = hosted;

    public GroupDiagnostics Diagnostics { get; } = diagnostics;

    public ClusterJournal Journal { get; } = placement.Journal;

    public TimeProvider Time { get; } = placement.Time;

    public SiloAddress LocalSilo { get; } = placement.LocalSilo;

    public SiloLease Lease { get; } = placement.Lease;

    public Departures Departures { get; } = placement.Departures;

    /// <summary>Of all topics there are now, by name.</summary>
    public Dictionary<string, Guid> TopicIds => Topics.ByName.Values.ToDictionary(topic => topic.Name, topic => topic.TopicId);

    /// <summary>Of all topics there are now, by id.</summary>
    public Dictionary<Guid, string> TopicNames => Topics.ByName.Values.ToDictionary(topic => topic.TopicId, topic => topic.Name);

    /// <summary>A time that only grows, whatever happens to the clock.</summary>
    public TimeSpan Now => Time.GetElapsedTime(_start);

    /// <summary>The same in milliseconds.</summary>
    public long NowMs => (long)Now.TotalMilliseconds;
}
