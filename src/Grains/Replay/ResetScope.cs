using Granary.Abstractions;
using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Replay;

/// <summary>A topic as rules see it.</summary>
internal sealed record ResetTopic(string Name, Guid Id, int PartitionCount);

/// <summary>One partition that is to be reset, and how.</summary>
internal readonly record struct ResetPart(PartitionId Partition, string Topic, ResetSpec Spec);

/// <summary>
/// Which partitions a plan's rules name, each by its narrowest rule. Pure. The outcome is either parts, by topic and partition, or a refusal.
/// </summary>
internal sealed record ResetScope(ErrorCode Error, string? Message, IReadOnlyList<ResetPart> Parts)
{
    public static ResetScope Of(
        IReadOnlyList<ResetRule> rules, IReadOnlyCollection<ResetTopic> topics, IEnumerable<PartitionId> positions, ReplayOptions options)
    {
        if (rules.Count == 0 || rules.Count > options.MaxRules)
            return Refuse(ErrorCode.InvalidRequest, $"rules: {rules.Count} of them, 1 to {options.MaxRules} are wanted");
        var byName = topics.ToDictionary(topic => topic.Name, StringComparer.Ordinal);
        var byId = topics.ToDictionary(topic => topic.Id);
        var specs = new Dictionary<PartitionId, (int Width, ResetPart Part)>();
        var seen = new HashSet<(string?, int?)>();
        for (var index = 0; index < rules.Count; index++)
        {
            var rule = rules[index];
            if (Check(rule, byName) is var (error, message) && error != ErrorCode.None)
                return Refuse(error, $"rules[{index}]: {message}");
            if (!seen.Add((rule.Topic, rule.Partition)))
                return Refuse(ErrorCode.InvalidRequest, $"rules[{index}]: there is another for {Name(rule)}");
            foreach (var part in PartsOf(rule, byName, byId, positions))
            {
                var width = rule.Topic is null ? 2 : rule.Partition is null ? 1 : 0;
                if (!specs.TryGetValue(part.Partition, out var other) || width < other.Width)
                    specs[part.Partition] = (width, part);
                if (specs.Count > options.MaxPartitions)
                    return Refuse(ErrorCode.InvalidRequest, $"rules[{index}]: more than {options.MaxPartitions} partitions in one plan");
            }
        }

        return new ResetScope(
            ErrorCode.None,
            null,
            [.. specs.Values.Select(entry => entry.Part).OrderBy(part => part.Topic, StringComparer.Ordinal).ThenBy(part => part.Partition.Index)]);
    }

    private static (ErrorCode Error, string Message) Check(ResetRule rule, Dictionary<string, ResetTopic> topics)
    {
        if (rule.Topic is null)
            return rule.Partition is null ? CheckSpec(rule.Spec) : (ErrorCode.InvalidRequest, "partition without a topic");
        if (!topics.TryGetValue(rule.Topic, out var topic))
            return (ErrorCode.UnknownTopicOrPartition, $"topic {rule.Topic} does not exist");
        if (rule.Partition is { } index && (index < 0 || index >= topic.PartitionCount))
            return (ErrorCode.UnknownTopicOrPartition, $"partition is {index}, topic {rule.Topic} has 0 to {topic.PartitionCount - 1}");
        return CheckSpec(rule.Spec);
    }

    private static (ErrorCode Error, string Message) CheckSpec(ResetSpec spec) => spec.Target switch
    {
        ResetTarget.Offset or ResetTarget.Timestamp or ResetTarget.Duration when spec.Value < 0 =>
            (ErrorCode.InvalidRequest, $"value of {spec.Target} is {spec.Value}, 0 or more is wanted"),
        ResetTarget.BeforeReset when spec.ResetId == Guid.Empty => (ErrorCode.InvalidRequest, "reset id is empty"),
        _ when !Enum.IsDefined(spec.Target) => (ErrorCode.InvalidRequest, $"target is {spec.Target}, which there is not"),
        _ => (ErrorCode.None, ""),
    };

    private static IEnumerable<ResetPart> PartsOf(
        ResetRule rule, Dictionary<string, ResetTopic> byName, Dictionary<Guid, ResetTopic> byId, IEnumerable<PartitionId> positions)
    {
        if (rule.Topic is null)
        {
            // Of a topic that was deleted the position means nothing any more.
            return positions.Where(partition => byId.ContainsKey(partition.TopicId)).Select(partition => new ResetPart(partition, byId[partition.TopicId].Name, rule.Spec));
        }

        var topic = byName[rule.Topic];
        var (first, count) = rule.Partition is { } only ? (only, 1) : (0, topic.PartitionCount);
        return Enumerable.Range(first, count).Select(index => new ResetPart(new PartitionId(topic.Id, index), topic.Name, rule.Spec));
    }

    private static string Name(ResetRule rule) => rule.Topic is null ? "all topics" : rule.Partition is { } index ? $"{rule.Topic}-{index}" : rule.Topic;

    private static ResetScope Refuse(ErrorCode error, string message) => new(error, message, []);
}
