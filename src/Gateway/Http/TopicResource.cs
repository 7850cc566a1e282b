using System.Collections.Immutable;
using System.Text.Json;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http;

/// <summary>/topics and /topics/{topic}: list, create, describe, change, delete.</summary>
internal static class TopicResource
{
    private const int DescribedAtATime = 16;

    public static void MapTopics(this IEndpointRouteBuilder endpoints)
    {
        var topics = endpoints.MapGroup("/topics").WithTags("Topics");
        topics.MapGet("", ListAsync).WithSummary("All topics, by name; details=true adds sizeBytes and retentionMs");
        topics.MapPost("", CreateAsync).WithSummary("Create a topic").Accepts<NewTopicBody>("application/json");
        topics.MapGet("/{topic}", DescribeAsync).WithSummary("A topic with its partitions and configs");
        topics.MapPatch("/{topic}", GrowAsync).WithSummary("Raise a topic's number of partitions").Accepts<GrowthBody>("application/json");
        topics.MapPatch("/{topic}/config", AlterAsync).WithSummary("Change configs; null puts one back to its default");
        topics.MapDelete("/{topic}", DeleteAsync).WithSummary("Delete a topic and all of its records");
        topics.MapGet("/{topic}/partitions/{partition:int}", DescribePartitionAsync).WithSummary("One partition: epochs, segments, producers, readers");
    }

    private static async Task<IResult> ListAsync(HttpRequest request, HttpParts parts)
    {
        var query = new QueryReader(request, "prefix", "after", "limit", "details");
        var isDetailed = query.Flag("details");
        var most = isDetailed ? parts.Options.MaxDetailedTopics : parts.Options.MaxPageSize;
        var limit = (int)(query.Number("limit", 1, most) ?? most);
        var prefix = query.Text("prefix") ?? "";
        var after = query.Text("after");
        var page = parts.Topics.ByName.Values
            .Where(topic => topic.Name.StartsWith(prefix, StringComparison.Ordinal) && (after is null || string.CompareOrdinal(topic.Name, after) > 0))
            .OrderBy(topic => topic.Name, StringComparer.Ordinal)
            .Take(limit + 1)
            .ToList();
        return Results.Json(new
        {
            topics = isDetailed ? await DetailsAsync(parts, page.Take(limit)) : page.Take(limit).Select(Summary),
            next = page.Count > limit ? page[limit - 1].Name : null,
        });
    }

    private static async Task<IResult> CreateAsync(HttpRequest request, HttpParts parts)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<NewTopicBody>(request, parts.Options);
        if (TopicNames.Check(body.Name) is { } wrong)
            throw new Problem(StatusCodes.Status400BadRequest, wrong) { Field = "name", Error = ErrorCode.InvalidTopicException };
        var asked = new NewTopic(body.Name!, body.Partitions ?? -1, body.Config?.ToImmutableDictionary(one => one.Key, one => TextOf(one.Key, one.Value)) ?? ImmutableDictionary<string, string?>.Empty);
        var topic = Taken(await parts.Catalog.CreateAsync([asked], validateOnly));
        if (validateOnly)
            return Results.Json(Summary(topic));
        await parts.Topics.RefreshAsync();
        return Results.Json(Summary(topic), statusCode: StatusCodes.Status201Created).WithLocation($"/topics/{topic.Name}");
    }

    private static async Task<IResult> DescribeAsync(HttpRequest request, HttpParts parts, string topic)
    {
        _ = new QueryReader(request);
        var described = await parts.FindTopicAsync(topic);
        var partitions = await Task.WhenAll(Enumerable.Range(0, described.PartitionCount)
            .Select(index => parts.Calls.TryDescribeAsync(new PartitionId(described.TopicId, index))));
        return Results.Json(new
        {
            described.Name,
            described.TopicId,
            isInternal = described.IsInternal,
            sizeBytes = partitions.Sum(one => one?.SizeBytes ?? 0),
            partitions = partitions.Select((one, index) => new
            {
                partition = index,
                leader = parts.LeaderOf(described, index),
                leaderEpoch = one?.LeaderEpoch ?? -1,
                logStartOffset = one?.LogStartOffset ?? -1,
                highWatermark = one?.HighWatermark ?? -1,
                sizeBytes = one?.SizeBytes ?? 0,
            }),
            config = TopicConfigs.Definitions.Select(definition => new
            {
                definition.Name,
                value = described.Overrides.GetValueOrDefault(definition.Name) ?? definition.Default,
                source = described.Overrides.ContainsKey(definition.Name) ? "topic" : "default",
                definition.Default,
                type = definition.Type.ToString().ToLowerInvariant(),
                definition.Documentation,
                readOnly = false,
            }),
        });
    }

    private static async Task<IResult> GrowAsync(HttpRequest request, HttpParts parts, string topic)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<GrowthBody>(request, parts.Options);
        var count = body.Partitions ?? throw Problem.BadRequest("partitions", "'partitions' is missing: how many there shall be in all.");
        await parts.FindTopicAsync(topic);
        var grown = Taken(await parts.Catalog.CreatePartitionsAsync([new NewPartitions(topic, count)], validateOnly));
        await parts.Topics.RefreshAsync();
        return Results.Json(Summary(grown));
    }

    private static async Task<IResult> AlterAsync(HttpRequest request, HttpParts parts, string topic)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<Dictionary<string, JsonElement>>(request, parts.Options);
        await parts.FindTopicAsync(topic);
        var changes = body.Select(one => TextOf(one.Key, one.Value) is { } value
            ? new ConfigChange(one.Key, ConfigOperation.Set, value)
            : new ConfigChange(one.Key, ConfigOperation.Delete, null));
        Taken(await parts.Catalog.AlterConfigsAsync([new TopicConfigChanges(topic, [.. changes], ReplaceAll: false)], validateOnly));
        await parts.Topics.RefreshAsync();
        return Results.NoContent();
    }

    private static async Task<IResult> DeleteAsync(HttpRequest request, HttpParts parts, string topic)
    {
        _ = new QueryReader(request);
        await parts.FindTopicAsync(topic);
        Taken(await parts.Catalog.DeleteAsync([new TopicName(topic)]));
        await parts.Topics.RefreshAsync();
        return Results.NoContent();
    }

    private static async Task<IResult> DescribePartitionAsync(HttpRequest request, HttpParts parts, string topic, int partition)
    {
        _ = new QueryReader(request);
        var described = await parts.FindTopicAsync(topic);
        var one = await parts.Calls.DescribeAsync(PartitionOf(described, partition));
        return Results.Json(new
        {
            topic,
            partition,
            leader = parts.LeaderOf(described, partition),
            one.LeaderEpoch,
            leaderEpochs = one.LeaderEpochs.Select(epoch => new { epoch.Epoch, epoch.StartOffset }),
            one.LogStartOffset,
            one.HighWatermark,
            one.LastStableOffset,
            one.SizeBytes,
            segments = one.Segments.Select(segment => new
            {
                firstOffset = segment.BaseOffset,
                segment.EndOffset,
                segment.SizeBytes,
                maxTimestamp = Times.Show(segment.MaxTimestamp),
                createdAt = Times.Show(segment.CreatedAt),
                segment.Active,
            }),
            producers = one.Producers.Select(producer => new
            {
                producer.ProducerId,
                producer.Epoch,
                producer.LastSequence,
                producer.LastOffset,
                lastTimestamp = Times.Show(producer.LastTimestamp),
            }),
            readers = one.Readers.Select(reader => new { reader.ClientId, reader.Offset, lastFetchAt = Times.Show(reader.LastFetchAt) }),
            one.WaitingReaders,
        });
    }

    /// <summary>Refuses a partition that the topic does not have.</summary>
    public static PartitionId PartitionOf(TopicDescription topic, int partition) => partition >= 0 && partition < topic.PartitionCount
        ? new PartitionId(topic.TopicId, partition)
        : throw new Problem(StatusCodes.Status404NotFound, $"Topic '{topic.Name}' has no partition {partition}: its partitions are 0 to {topic.PartitionCount - 1}.")
        {
            Error = ErrorCode.UnknownTopicOrPartition,
            Field = "partition",
            Limit = topic.PartitionCount - 1,
        };

    /// <summary>Sizes come from every partition: a few are asked at a time.</summary>
    private static async Task<IEnumerable<object>> DetailsAsync(HttpParts parts, IEnumerable<TopicDescription> topics)
    {
        var shown = topics.ToList();
        var sizes = new long[shown.Count];
        var all = shown.SelectMany((topic, place) => Enumerable.Range(0, topic.PartitionCount).Select(index => (place, id: new PartitionId(topic.TopicId, index))));
        await Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = DescribedAtATime }, async (one, _) =>
            Interlocked.Add(ref sizes[one.place], (await parts.Calls.TryDescribeAsync(one.id))?.SizeBytes ?? 0));
        return shown.Select((topic, place) => new
        {
            topic.Name,
            topic.TopicId,
            partitions = topic.PartitionCount,
            topic.IsInternal,
            sizeBytes = sizes[place],
            retentionMs = (long)(parts.Topics.SettingsOf(topic).Retention?.TotalMilliseconds ?? -1),
        });
    }

    private static object Summary(TopicDescription topic) => new { topic.Name, topic.TopicId, partitions = topic.PartitionCount, topic.IsInternal };

    private static TopicDescription Taken(ImmutableArray<TopicResult> results) => results is [{ Error: ErrorCode.None, Topic: { } topic }]
        ? topic
        : throw Problem.Of(results is [var refused, ..] ? refused.Error : ErrorCode.UnknownServerError, results is [{ Message: { } message }, ..] ? message : null);

    /// <summary>Configs are text in Kafka; a JSON number or truth value is its text.</summary>
    private static string? TextOf(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw Problem.BadRequest(name, $"Config '{name}' is no text, number, true, false or null."),
    };

    internal sealed record NewTopicBody(string? Name, int? Partitions, Dictionary<string, JsonElement>? Config);

    internal sealed record GrowthBody(int? Partitions);
}
