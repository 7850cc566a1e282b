using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Groups;

/// <summary>The topics there are, and what each subscription means among them.</summary>
internal sealed class ConsumerGroupSubscriptions(ConsumerGroupOptions options)
{
    private readonly Dictionary<string, ConsumerGroupTopicPattern> _patterns = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<Guid>> _resolved = new(StringComparer.Ordinal);
    private Dictionary<string, ConsumerGroupTopic> _byName = new(StringComparer.Ordinal);
    private Dictionary<Guid, ConsumerGroupTopic> _byId = [];

    /// <summary>Another one after every change of topics.</summary>
    public long Version { get; private set; }

    public void ChangeTopics(IEnumerable<ConsumerGroupTopic> topics)
    {
        Version++;
        _byName = topics.ToDictionary(topic => topic.Name, StringComparer.Ordinal);
        _byId = _byName.Values.ToDictionary(topic => topic.TopicId);
        _resolved.Clear();
    }

    /// <summary>What is wrong with a regular expression; null where nothing is.</summary>
    public string? Check(string regex)
    {
        if (regex.Length == 0 || _patterns.ContainsKey(regex))
            return null;
        return ConsumerGroupTopicPattern.TryParse(regex, options, out _, out var wrong) ? null : wrong;
    }

    /// <summary>The ids of the topics it is subscribed to; equal subscriptions share one set.</summary>
    public IReadOnlySet<Guid> Resolve(ConsumerGroupMember member)
    {
        // A topic's name has no line feed.
        var key = $"{string.Join('\n', member.SubscribedTopics)}\n\n{member.SubscribedRegex}";
        if (_resolved.TryGetValue(key, out var topics))
            return topics;
        topics = [.. member.SubscribedTopics.Where(_byName.ContainsKey).Select(name => _byName[name].TopicId)];
        if (FindPattern(member.SubscribedRegex) is { } pattern)
            topics.UnionWith(_byName.Values.Where(topic => pattern.Matches(topic.Name)).Select(topic => topic.TopicId));
        _resolved.Add(key, topics);
        return topics;
    }

    /// <summary>Those of some partitions that it is subscribed to and that are there.</summary>
    public HashSet<PartitionId> Among(ConsumerGroupMember member, IEnumerable<PartitionId> partitions)
    {
        var topics = Resolve(member);
        return [.. partitions.Where(partition => topics.Contains(partition.TopicId) && partition.Index < _byId[partition.TopicId].PartitionCount)];
    }

    /// <summary>Every topic that one of them is subscribed to, in order of ids. Forgets subscriptions that are none of theirs.</summary>
    public List<ConsumerGroupTopic> SubscribedBy(IReadOnlyCollection<ConsumerGroupMember> members)
    {
        var regexes = members.Select(member => member.SubscribedRegex).ToHashSet(StringComparer.Ordinal);
        foreach (var forgotten in _patterns.Keys.Where(regex => !regexes.Contains(regex)).ToArray())
            _patterns.Remove(forgotten);
        if (_resolved.Count > members.Count)
            _resolved.Clear();
        return [.. members.Select(Resolve).Distinct().SelectMany(topics => topics).Distinct().Order().Select(topicId => _byId[topicId])];
    }

    private ConsumerGroupTopicPattern? FindPattern(string regex)
    {
        if (regex.Length == 0)
            return null;
        if (_patterns.TryGetValue(regex, out var known))
            return known;

        // One that was accepted under larger limits than today's matches nothing.
        if (ConsumerGroupTopicPattern.TryParse(regex, options, out var pattern, out _))
            _patterns.Add(regex, pattern);
        return pattern;
    }
}
