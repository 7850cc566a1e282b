using System.Collections.Immutable;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Creates, deletes, lists and changes topics, over <see cref="ITopicCatalogGrain"/>, and lists, describes, deletes and resets consumer groups. A refusal is
/// a <see cref="LogException"/>.
/// </summary>
public sealed class LogAdmin(IGrainFactory grains)
{
    private ITopicCatalogGrain Catalog => grains.GetGrain<ITopicCatalogGrain>(ITopicCatalogGrain.Key);

    /// <summary>Creates a topic.</summary>
    /// <param name="name">1 to 249 of letters, digits, dot, underscore and dash.</param>
    /// <param name="partitionCount">1 or more; null: the cluster's num.partitions.</param>
    /// <param name="configs">Configs by Kafka's names, as Kafka writes them; null: the defaults.</param>
    public async Task<TopicDescription> CreateTopicAsync(
        string name,
        int? partitionCount = null,
        IReadOnlyDictionary<string, string?>? configs = null)
    {
        var topic = new NewTopic(name, partitionCount ?? -1, configs?.ToImmutableDictionary() ?? ImmutableDictionary<string, string?>.Empty);
        return TopicOf(await Catalog.CreateAsync([topic], validateOnly: false), "create", name);
    }

    /// <summary>The topic as it is, created where it is not there yet (then as in <see cref="CreateTopicAsync"/>).</summary>
    public async Task<TopicDescription> EnsureTopicAsync(string name, int? partitionCount = null, IReadOnlyDictionary<string, string?>? configs = null)
    {
        if (await FindTopicAsync(name) is { } there)
            return there;
        try
        {
            return await CreateTopicAsync(name, partitionCount, configs);
        }
        catch (LogException lost) when (lost.Error == ErrorCode.TopicAlreadyExists)
        {
            // Another created it in between.
            return await FindTopicAsync(name) ?? throw new LogException(ErrorCode.UnknownTopicOrPartition, $"topic {name} was deleted meanwhile", lost);
        }
    }

    /// <summary>Deletes a topic and all of its records.</summary>
    public async Task DeleteTopicAsync(string name) => TopicOf(await Catalog.DeleteAsync([new TopicName(name)]), "delete", name);

    /// <summary>Raises a topic's number of partitions to <paramref name="partitionCount"/>. Keys then go to other partitions than before.</summary>
    public async Task<TopicDescription> AddPartitionsAsync(string name, int partitionCount) =>
        TopicOf(await Catalog.CreatePartitionsAsync([new NewPartitions(name, partitionCount)], validateOnly: false), "add partitions to", name);

    /// <summary>Sets configs of a topic by Kafka's names; a null value puts one back to its default. Those not named stay.</summary>
    public async Task<TopicDescription> AlterConfigAsync(string name, IReadOnlyDictionary<string, string?> configs)
    {
        var changes = configs.Select(config => new ConfigChange(
            config.Key,
            config.Value is null ? ConfigOperation.Delete : ConfigOperation.Set,
            config.Value));
        return TopicOf(
            await Catalog.AlterConfigsAsync([new TopicConfigChanges(name, [.. changes], ReplaceAll: false)], validateOnly: false),
            "alter",
            name);
    }

    /// <summary>All topics, by name.</summary>
    public async Task<IReadOnlyList<TopicDescription>> ListTopicsAsync()
    {
        var catalog = await Catalog.WatchAsync(knownVersion: 0, maxWait: TimeSpan.Zero);
        return [.. catalog.Topics.OrderBy(topic => topic.Name, StringComparer.Ordinal)];
    }

    /// <summary>The topic of that name, or null.</summary>
    public async Task<TopicDescription?> FindTopicAsync(string name) => (await ListTopicsAsync()).FirstOrDefault(topic => topic.Name == name);

    /// <summary>All consumer groups, by id. The states of groups that another silo coordinates are as they last rested.</summary>
    public async Task<IReadOnlyList<GroupListing>> ListGroupsAsync()
    {
        var groups = await grains.GetGrain<IGroupListGrain>(IGroupListGrain.Key).ListAsync();
        return [.. groups.OrderBy(group => group.GroupId, StringComparer.Ordinal)];
    }

    /// <summary>A group with its members and, of each partition that it has a position in, how far behind it is: a call each.</summary>
    public async Task<GroupDescription> DescribeGroupAsync(string groupId)
    {
        var described = await GroupOf(groupId).DescribeAsync(withLags: true);
        return described.Error == ErrorCode.None ? described : throw new LogException(described.Error, $"cannot describe group {groupId}: {described.Error}");
    }

    /// <summary>How far behind a group is, by topic and partition; partitions without a position, and those of deleted topics, are left out.</summary>
    public async Task<IReadOnlyDictionary<TopicPartition, PartitionLag>> GroupLagAsync(string groupId)
    {
        var described = await DescribeGroupAsync(groupId);
        var names = (await ListTopicsAsync()).ToDictionary(topic => topic.TopicId, topic => topic.Name);
        return described.Lags
            .Where(lag => names.ContainsKey(lag.Committed.Partition.TopicId))
            .ToDictionary(lag => new TopicPartition(names[lag.Committed.Partition.TopicId], lag.Committed.Partition.Index));
    }

    /// <summary>Deletes a group with all its positions; refused with NON_EMPTY_GROUP while it has members.</summary>
    public async Task DeleteGroupAsync(string groupId)
    {
        var error = await GroupOf(groupId).DeleteAsync();
        if (error != ErrorCode.None)
            throw new LogException(error, $"cannot delete group {groupId}: {error}");
    }

    /// <summary>Says what a reset of the group's positions would do, and changes nothing. See <see cref="IGroupResetGrain.PlanAsync"/>.</summary>
    public async Task<ResetPlan> PlanResetAsync(string groupId, params ImmutableArray<ResetRule> rules)
    {
        var plan = await ResetsOf(groupId).PlanAsync(rules);
        return plan.Error == ErrorCode.None ? plan : throw new LogException(plan.Error, $"cannot plan to reset group {groupId}: {plan.Message}");
    }

    /// <summary>Executes a plan as it was planned. A refusal is in the answer: whether to insist is for the caller to say.</summary>
    public Task<ResetResult> ExecuteResetAsync(string groupId, ResetExecution execution) => ResetsOf(groupId).ExecuteAsync(execution);

    /// <summary>The group's resets, newest first.</summary>
    public async Task<IReadOnlyList<RecordedReset>> ListResetsAsync(string groupId, int limit = 100)
    {
        var history = await ResetsOf(groupId).HistoryAsync(limit);
        return history.Error == ErrorCode.None ? history.Resets : throw new LogException(history.Error, $"cannot list resets of group {groupId}: {history.Message}");
    }

    private IGroupGrain GroupOf(string groupId) => GroupIds.Refuse(groupId) is { } wrong
        ? throw new LogException(ErrorCode.InvalidGroupId, wrong)
        : grains.GetGrain<IGroupGrain>(IGroupGrain.KeyOf(groupId));

    private IGroupResetGrain ResetsOf(string groupId) => grains.GetGrain<IGroupResetGrain>(IGroupGrain.KeyOf(groupId));

    private static TopicDescription TopicOf(ImmutableArray<TopicResult> results, string what, string name) => results is [{ Error: ErrorCode.None, Topic: { } topic }]
        ? topic
        : throw new LogException(
            results.Length == 1 ? results[0].Error : ErrorCode.UnknownServerError,
            $"cannot {what} topic {name}: {(results.Length == 1 ? results[0].Message ?? results[0].Error.ToString() : "no answer")}");
}
