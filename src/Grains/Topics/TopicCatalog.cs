using System.Collections.Immutable;
using Granary.Abstractions;
using Granary.Abstractions.Topics;

namespace Granary.Grains.Topics;

/// <summary>
/// The rules of the catalog, pure: every change is checked against the topics that are there, and makes the next version. What is not
/// saved can be taken back by building it anew from the state that is.
/// </summary>
internal sealed class TopicCatalog
{
    private readonly TopicOptions _options;
    private readonly Dictionary<string, TopicDescription> _byName = [];
    private readonly Dictionary<Guid, string> _names = [];
    private readonly Dictionary<string, string> _byCollisionKey = [];
    private readonly Dictionary<Guid, int> _deleting = [];
    private readonly Queue<(long Version, Guid TopicId)> _deletions = new();
    private long _forgottenDeletions;
    private long _partitions;

    public TopicCatalog(CatalogState state, TopicOptions options)
    {
        _options = options;
        Version = state.Version;
        _forgottenDeletions = state.Version;
        foreach (var topic in state.Topics)
            Put(topic);
        foreach (var deleted in state.Deleting)
            _deleting[deleted.TopicId] = deleted.PartitionCount;
    }

    public long Version { get; private set; }

    public int Count => _byName.Count;

    /// <summary>Deleted topics whose logs are still there.</summary>
    public IReadOnlyDictionary<Guid, int> Deleting => _deleting;

    public CatalogState ToState() => new()
    {
        Version = Version,
        Topics = [.. _byName.Values],
        Deleting = [.. _deleting.Select(topic => new DeletedTopic(topic.Key, topic.Value))],
    };

    /// <param name="topicId">The id for the topic, new and random.</param>
    public TopicResult Create(NewTopic topic, Guid topicId, bool validateOnly)
    {
        if (RefuseNew(topic) is { } refusal)
            return refusal;
        var overrides = topic.Configs
            .Where(config => config.Value is not null)
            .ToImmutableDictionary(config => config.Key, config => config.Value!);
        var created = new TopicDescription(topic.Name, topicId, CountOf(topic), overrides, Version + 1, topic.IsInternal, Version + 1);
        return Accept(created, validateOnly);
    }

    public TopicResult Delete(TopicName name)
    {
        var topic = name.Name is not null ? _byName.GetValueOrDefault(name.Name) : Find(name.TopicId);
        if (topic is null)
        {
            return name.Name is not null
                ? Refuse(name.Name, ErrorCode.UnknownTopicOrPartition, $"The topic '{name.Name}' does not exist.")
                : Refuse(null, ErrorCode.UnknownTopicId, $"No topic has the id {name.TopicId}.");
        }

        Version++;
        _byName.Remove(topic.Name);
        _names.Remove(topic.TopicId);
        _byCollisionKey.Remove(TopicNames.CollisionKey(topic.Name));
        _partitions -= topic.PartitionCount;
        _deleting[topic.TopicId] = topic.PartitionCount;
        _deletions.Enqueue((Version, topic.TopicId));
        while (_deletions.Count > _options.RememberedDeletions)
            _forgottenDeletions = _deletions.Dequeue().Version;
        return new TopicResult(topic.Name, ErrorCode.None, null, topic);
    }

    /// <summary>All logs of that deleted topic are gone.</summary>
    public void ForgetDeleted(Guid topicId) => _deleting.Remove(topicId);

    public TopicResult CreatePartitions(NewPartitions wanted, bool validateOnly)
    {
        if (!_byName.TryGetValue(wanted.Name, out var topic))
            return Refuse(wanted.Name, ErrorCode.UnknownTopicOrPartition, $"The topic '{wanted.Name}' does not exist.");
        if (wanted.PartitionCount <= topic.PartitionCount)
        {
            return Refuse(wanted.Name, ErrorCode.InvalidPartitions, wanted.PartitionCount == topic.PartitionCount
                ? $"Topic already has {topic.PartitionCount} partition(s)."
                : $"The topic {wanted.Name} currently has {topic.PartitionCount} partition(s); {wanted.PartitionCount} would not be an increase.");
        }

        return RefusePartitions(wanted.Name, wanted.PartitionCount, wanted.PartitionCount - topic.PartitionCount)
            ?? Accept(topic with { PartitionCount = wanted.PartitionCount, Version = Version + 1 }, validateOnly);
    }

    public TopicResult AlterConfigs(TopicConfigChanges changes, bool validateOnly)
    {
        if (!_byName.TryGetValue(changes.Name, out var topic))
            return Refuse(changes.Name, ErrorCode.UnknownTopicOrPartition, $"The topic '{changes.Name}' does not exist.");
        var (overrides, refusal) = ConfigAlteration.Apply(topic, changes);
        return refusal ?? Accept(topic with { Overrides = overrides, Version = Version + 1 }, validateOnly);
    }

    /// <summary>What changed after a version.</summary>
    public CatalogChanges ChangesSince(long version)
    {
        if (version == Version)
            return new CatalogChanges(Version, [], [], IsComplete: false, _options.NumPartitions);
        if (version <= 0 || version < _forgottenDeletions || version > Version)
            return new CatalogChanges(Version, [.. _byName.Values], [], IsComplete: true, _options.NumPartitions);
        return new CatalogChanges(
            Version,
            [.. _byName.Values.Where(topic => topic.Version > version)],
            [.. _deletions.Where(deletion => deletion.Version > version).Select(deletion => deletion.TopicId)],
            IsComplete: false,
            _options.NumPartitions);
    }

    private TopicDescription? Find(Guid topicId) => _names.TryGetValue(topicId, out var name) ? _byName[name] : null;

    private int CountOf(NewTopic topic) => topic.PartitionCount == -1 ? _options.NumPartitions : topic.PartitionCount;

    private TopicResult? RefuseNew(NewTopic topic)
    {
        if (TopicNames.Check(topic.Name) is { } invalid)
            return Refuse(topic.Name, ErrorCode.InvalidTopicException, invalid);
        if (_byName.ContainsKey(topic.Name))
            return Refuse(topic.Name, ErrorCode.TopicAlreadyExists, $"Topic '{topic.Name}' already exists.");
        if (_byCollisionKey.TryGetValue(TopicNames.CollisionKey(topic.Name), out var other))
            return Refuse(topic.Name, ErrorCode.InvalidTopicException, $"Topic '{topic.Name}' collides with existing topic: {other}");
        if (topic.ReplicationFactor is not -1 and < 1)
            return Refuse(topic.Name, ErrorCode.InvalidReplicationFactor, $"Replication factor {topic.ReplicationFactor} must be larger than 0, or -1 to use the default value.");
        foreach (var (name, value) in topic.Configs)
        {
            if (value is not null && TopicConfigs.Check(name, value) is { } wrong)
                return Refuse(topic.Name, ErrorCode.InvalidConfig, wrong);
            if (value is null)
                return Refuse(topic.Name, ErrorCode.InvalidConfig, $"Null value not supported for topic configs: {name}");
        }

        if (_byName.Count >= _options.MaxTopics)
            return Refuse(topic.Name, ErrorCode.PolicyViolation, $"There are {_byName.Count} topics, and {_options.MaxTopics} is the most (MaxTopics).");
        return RefusePartitions(topic.Name, CountOf(topic), CountOf(topic));
    }

    private TopicResult? RefusePartitions(string name, int count, int more)
    {
        if (count < 1)
            return Refuse(name, ErrorCode.InvalidPartitions, $"Number of partitions was set to an invalid non-positive value: {count}.");
        if (count > _options.MaxPartitionsPerTopic)
            return Refuse(name, ErrorCode.InvalidPartitions, $"{count} partitions are more than a topic may have: {_options.MaxPartitionsPerTopic} (MaxPartitionsPerTopic).");
        return _partitions + more > _options.MaxPartitions
            ? Refuse(name, ErrorCode.PolicyViolation, $"There are {_partitions} partitions, {more} more would exceed {_options.MaxPartitions} (MaxPartitions).")
            : null;
    }

    private TopicResult Accept(TopicDescription topic, bool validateOnly)
    {
        if (!validateOnly)
        {
            Version = topic.Version;
            Put(topic);
        }

        return new TopicResult(topic.Name, ErrorCode.None, null, topic);
    }

    private void Put(TopicDescription topic)
    {
        _partitions += topic.PartitionCount - (_byName.GetValueOrDefault(topic.Name)?.PartitionCount ?? 0);
        _byName[topic.Name] = topic;
        _names[topic.TopicId] = topic.Name;
        _byCollisionKey[TopicNames.CollisionKey(topic.Name)] = topic.Name;
    }

    private static TopicResult Refuse(string? name, ErrorCode error, string message) => new(name, error, message, null);
}
