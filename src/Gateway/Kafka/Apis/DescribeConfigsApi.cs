// DescribeConfigs, key 32, versions 1-4.
// KIP-133, KIP-226 (sources and synonyms), KIP-569 (types and documentation, version 3).
// Other than Kafka:
// - The cluster-wide broker resource (empty name) lists nothing: it holds what was changed while brokers run, and nothing can be.
// - Broker loggers, client metrics and groups have no configs here; those resource types are refused with INVALID_REQUEST.
using System.Globalization;
using Granary.Abstractions.Topics;
using Granary.Gateway.Kafka.Wire;

namespace Granary.Gateway.Kafka.Apis;

internal sealed class DescribeConfigsApi(ClusterView cluster, TopicDirectory directory, TopicLookup lookup, ConfigListing listing)
{
    public const short LowestVersion = 1;
    public const short HighestVersion = 4;

    public async ValueTask<DescribeConfigsResponse> HandleAsync(RequestContext context, DescribeConfigsRequest request)
    {
        var response = new DescribeConfigsResponse();
        var found = await lookup.FindAsync(
            request.Resources
                .Where(resource => resource.ResourceType == (sbyte)ConfigResourceType.Topic && TopicNames.IsValid(resource.ResourceName))
                .Select(resource => resource.ResourceName));
        // A resource named twice is described once, as in Kafka: a short question must not make a long answer.
        foreach (var resource in request.Resources.DistinctBy(resource => (resource.ResourceType, resource.ResourceName)))
        {
            var (configs, error, message) = List(resource.ResourceType, resource.ResourceName, found);
            var result = new DescribeConfigsResponse.DescribeConfigsResult
            {
                ResourceType = resource.ResourceType,
                ResourceName = resource.ResourceName,
                ErrorCode = (short)error,
                ErrorMessage = message,
            };
            result.Configs.AddRange(
                Choose(configs, resource.ConfigurationKeys)
                    .Select(config => Describe(config, request.IncludeSynonyms, request.IncludeDocumentation)));
            response.Results.Add(result);
        }

        return response;
    }

    /// <summary>Null or empty keys choose all; names that do not exist choose nothing, without an error.</summary>
    internal static IEnumerable<ListedConfig> Choose(IEnumerable<ListedConfig> configs, IReadOnlyCollection<string>? keys) =>
        keys is null || keys.Count == 0 ? configs : configs.Where(config => keys.Contains(config.Name));

    /// <summary>What is wrong with the name of a broker resource; null: it is this broker, or all of them (empty).</summary>
    internal static string? RefuseBroker(string name, int self)
    {
        if (name.Length == 0)
            return null;
        if (!int.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var nodeId))
            return $"Broker id '{name}' is not a number.";
        return nodeId == self ? null : $"Broker id {nodeId} is not this broker's, which is {self}: ask that broker.";
    }

    private (IEnumerable<ListedConfig> Configs, ErrorCode Error, string? Message) List(sbyte type, string name, TopicLookup.Found found)
    {
        switch (type)
        {
            case (sbyte)ConfigResourceType.Topic when !TopicNames.IsValid(name):
                return ([], ErrorCode.InvalidTopicException, TopicNames.Rule);
            case (sbyte)ConfigResourceType.Topic:
                return found.Topic(name) is { } topic
                    ? (listing.OfTopic(topic.Overrides), ErrorCode.None, null)
                    : ([], found.UnknownName, $"Topic '{name}' is not known.");
            case (sbyte)ConfigResourceType.Broker:
                if (RefuseBroker(name, cluster.NodeId) is { } refusal)
                    return ([], ErrorCode.InvalidRequest, refusal);
                return (name.Length == 0 ? [] : listing.OfBroker(directory.DefaultPartitionCount), ErrorCode.None, null);
            default:
                return ([], ErrorCode.InvalidRequest, $"Resource type {type} has no configs here; 2 (topic) and 4 (broker) have.");
        }
    }

    private static DescribeConfigsResponse.DescribeConfigsResourceResult Describe(
        ListedConfig config,
        bool withSynonyms,
        bool withDocumentation)
    {
        var described = new DescribeConfigsResponse.DescribeConfigsResourceResult
        {
            Name = config.Name,
            Value = config.Value,
            ReadOnly = config.IsReadOnly,
            ConfigSource = (sbyte)config.Source,
            IsSensitive = false,
            ConfigType = (sbyte)config.Type,
            Documentation = withDocumentation ? config.Documentation : null,
        };
        if (withSynonyms)
        {
            described.Synonyms.AddRange(
                config.Synonyms.Select(synonym => new DescribeConfigsResponse.DescribeConfigsSynonym
                {
                    Name = synonym.Name,
                    Value = synonym.Value,
                    Source = (sbyte)synonym.Source,
                }));
        }

        return described;
    }
}
