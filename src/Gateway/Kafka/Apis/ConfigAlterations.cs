using System.Collections.Immutable;
using Granary.Abstractions.Topics;

namespace Granary.Gateway.Kafka.Apis;

/// <summary>Kafka's numbers for what has configs.</summary>
internal enum ConfigResourceType : sbyte
{
    Topic = 2,
    Broker = 4,
}

/// <summary>One resource of AlterConfigs or IncrementalAlterConfigs.</summary>
internal sealed record ResourceChanges(sbyte Type, string Name, ImmutableArray<ConfigChange> Changes);

/// <summary>What became of one resource.</summary>
internal readonly record struct ResourceAnswer(sbyte Type, string Name, ErrorCode Error, string? Message);

/// <summary>
/// The part that AlterConfigs and IncrementalAlterConfigs have in common. Only topics' configs can be changed: the brokers' are options
/// of the process and change with a restart.
/// </summary>
internal sealed class ConfigAlterations(CatalogCalls catalog)
{
    /// <summary>Changes each resource on its own; answers each once, in the order of the question.</summary>
    public async Task<IReadOnlyList<ResourceAnswer>> ApplyAsync(IReadOnlyList<ResourceChanges> resources, bool replaceAll, bool validateOnly)
    {
        var checkedResources = Check(resources);
        var wanted = checkedResources
            .Where(resource => resource.Refusal is null)
            .Select(resource => new TopicConfigChanges(resource.Resource.Name, resource.Resource.Changes, replaceAll))
            .ToImmutableArray();
        var results = (await catalog.AlterConfigsAsync(wanted, validateOnly)).GetEnumerator();

        // The catalog answers in the order of its question, which is the order of what was not refused here.
        return checkedResources.ConvertAll(resource =>
        {
            var (type, name) = (resource.Resource.Type, resource.Resource.Name);
            if (resource.Refusal is { } refusal)
                return new ResourceAnswer(type, name, ErrorCode.InvalidRequest, refusal);
            if (!results.MoveNext())
                throw new InvalidOperationException($"The catalog gave fewer answers than the {wanted.Length} it was asked for.");
            return new ResourceAnswer(type, name, results.Current.Error, results.Current.Message);
        });
    }

    /// <summary>Each resource once, with what makes the request itself wrong (null: nothing).</summary>
    internal static List<(ResourceChanges Resource, string? Refusal)> Check(IReadOnlyList<ResourceChanges> resources)
    {
        var twice = Duplicates.Of(resources.Select(resource => (resource.Type, resource.Name)));
        return
        [
            .. resources.DistinctBy(resource => (resource.Type, resource.Name)).Select(resource =>
                (resource, twice.Contains((resource.Type, resource.Name))
                    ? "The resource is named more than once in the request."
                    : Refuse(resource))),
        ];
    }

    private static string? Refuse(ResourceChanges resource)
    {
        if (resource.Type == (sbyte)ConfigResourceType.Broker)
            return "The brokers' configs are options of their processes and cannot be changed by request.";
        if (resource.Type != (sbyte)ConfigResourceType.Topic)
            return $"Resource type {resource.Type} has no configs that could be changed; 2 (topic) has.";
        var twice = Duplicates.Of(resource.Changes.Select(change => change.Name));
        if (twice.Count > 0)
            return $"Named more than once: {string.Join(", ", twice.Order(StringComparer.Ordinal))}.";
        foreach (var change in resource.Changes)
        {
            if (change.Operation is < ConfigOperation.Set or > ConfigOperation.Subtract)
                return $"Operation {(sbyte)change.Operation} on {change.Name} is not known; 0 (set) to 3 (subtract) are.";
            if (change.Value is null && change.Operation != ConfigOperation.Delete)
                return $"{change.Name} has no value.";
        }

        return null;
    }
}
