using System.Collections.Immutable;
using Orleans.Concurrency;

namespace Granary.Abstractions.Topics;

/// <summary>
/// All topics of the cluster: names, ids, partition counts and configs. Key: <see cref="Key"/>. State is kept by Orleans grain storage;
/// every change is saved before it is answered. Processes follow it through <see cref="TopicDirectory"/> and rarely ask it directly.
/// </summary>
[Alias("granary.ITopicCatalogGrain")]
public interface ITopicCatalogGrain : IGrainWithIntegerKey
{
    const long Key = 0;

    /// <summary>Creates topics, each on its own: one refusal does not hinder the others. Answers in the order of the question.</summary>
    [Alias("Create")]
    Task<ImmutableArray<TopicResult>> CreateAsync(ImmutableArray<NewTopic> topics, bool validateOnly);

    [Alias("Delete")]
    Task<ImmutableArray<TopicResult>> DeleteAsync(ImmutableArray<TopicName> topics);

    [Alias("CreatePartitions")]
    Task<ImmutableArray<TopicResult>> CreatePartitionsAsync(ImmutableArray<NewPartitions> topics, bool validateOnly);

    [Alias("AlterConfigs")]
    Task<ImmutableArray<TopicResult>> AlterConfigsAsync(ImmutableArray<TopicConfigChanges> topics, bool validateOnly);

    /// <summary>
    /// What changed after <paramref name="knownVersion"/> (0: everything). Where nothing did, answers when something does, or after
    /// <paramref name="maxWait"/> with no changes.
    /// </summary>
    [AlwaysInterleave, Alias("Watch")]
    Task<CatalogChanges> WatchAsync(long knownVersion, TimeSpan maxWait, CancellationToken cancellation = default);
}
