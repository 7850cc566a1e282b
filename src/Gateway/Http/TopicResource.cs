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
    /// <summary>Partitions that one request asks at a time.</summary>
    private static readonly ParallelOptions s_few = new() { MaxDegreeOfParallelism = 16 };

    public static void MapTopics(this IEndpointRouteBuilder endpoints)
    {
        var topics = endpoints.MapGroup("/topics").WithTags("Topics");
        topics.MapGet("", ListAsync).WithSummary("All topics, by name").Produces<TopicListAnswer>()
            .TakesQuery("prefix: of the names", "after: the last name of the page before").TakesNumber("limit: topics in a page; with details fewer", 1, options => options.MaxPageSize)
            .TakesFlag("details: true adds sizeBytes and retentionMs");
        topics.MapPost("", CreateAsync).WithSummary("Create a topic").Accepts<NewTopicBody>("application/json").Produces<TopicSummary>(StatusCodes.Status201Created)
            .TakesFlag("validateOnly: true changes nothing, and answers with 200");
        topics.MapGet("/{topic}", DescribeAsync).WithSummary("A topic with its partitions and configs").Produces<TopicAnswer>();
        topics.MapPatch("/{topic}", GrowAsync).WithSummary("Raise a topic's number of partitions").Accepts<GrowthBody>("application/json").Produces<TopicSummary>()
            .TakesFlag("validateOnly: true changes nothing");
        topics.MapPatch("/{topic}/config", AlterAsync).WithSummary("Change configs; null puts one back to its default").Accepts<Dictionary<string, JsonElement>>("application/json").Produces(StatusCodes.Status204NoContent)
            .TakesFlag("validateOnly: true changes nothing");
        topics.MapDelete("/{topic}", DeleteAsync).WithSummary("Delete a topic and all of its records").Produces(StatusCodes.Status204NoContent);
        topics.MapGet("/{topic}/partitions/{partition:int}", DescribePartitionAsync).WithSummary("One partition: epochs, segments, producers, readers").Produces<PartitionAnswer>();
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
        return Results.Json(new TopicListAnswer(
            isDetailed ? await DetailsAsync(parts, page.Take(limit)) : [.. page.Take(limit).Select(Summary)],
            page.Count > limit ? page[limit - 1].Name : null));
    }

    private static async Task<IResult> CreateAsync(HttpRequest request, HttpParts parts, SavedChanges saved)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<NewTopicBody>(request, parts.Options);
        if (TopicNames.Check(body.Name) is { } wrong)
            throw new Problem(StatusCodes.Status400BadRequest, wrong) { Field = "name", Error = ErrorCode.InvalidTopicException };
        var asked = new NewTopic(body.Name!, body.PartitionCount ?? -1, body.Config?.ToImmutableDictionary(one => one.Key, one => TextOf(one.Key, one.Value)) ?? ImmutableDictionary<string, string?>.Empty);
        var topic = Taken(await parts.Catalog.CreateAsync([asked], validateOnly));
        if (validateOnly)
            return Results.Json(Summary(topic));
        await saved.ShowAsync();
        return Results.Json(Summary(topic), statusCode: StatusCodes.Status201Created).WithLocation($"/topics/{topic.Name}");
    }

    private static async Task<IResult> DescribeAsync(HttpRequest request, HttpParts parts, string topic)
    {
        _ = new QueryReader(request);
        var described = await parts.FindTopicAsync(topic);
        var partitions = new PartitionDescription?[described.PartitionCount];
        await Parallel.ForEachAsync(Enumerable.Range(0, described.PartitionCount), s_few, async (index, _) =>
            partitions[index] = await parts.Calls.TryDescribeAsync(new PartitionId(described.TopicId, index)));
        return Results.Json(new TopicAnswer(
            described.Name,
            described.TopicId,
            described.IsInternal,
            described.PartitionCount,
            partitions.Sum(one => one?.SizeBytes ?? 0),
            [.. partitions.Select((one, index) => new PartitionSummary(index, parts.LeaderOf(described, index), one?.LeaderEpoch, one?.LogStartOffset, one?.HighWatermark, one?.SizeBytes))],
            [
                .. TopicConfigs.Definitions.Select(definition => new ConfigAnswer(
                    definition.Name,
                    described.Overrides.GetValueOrDefault(definition.Name) ?? definition.Default,
                    described.Overrides.ContainsKey(definition.Name) ? "topic" : "default",
                    definition.Default,
                    definition.Type.ToString().ToLowerInvariant(),
                    definition.Documentation,
                    ReadOnly: false)),
            ]));
    }

    private static async Task<IResult> GrowAsync(HttpRequest request, HttpParts parts, SavedChanges saved, string topic)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<GrowthBody>(request, parts.Options);
        var count = body.PartitionCount ?? throw Problem.BadRequest("partitionCount", "'partitionCount' is missing: how many there shall be in all.");
        await parts.FindTopicAsync(topic);
        var grown = Taken(await parts.Catalog.CreatePartitionsAsync([new NewPartitions(topic, count)], validateOnly));
        if (!validateOnly)
            await saved.ShowAsync();
        return Results.Json(Summary(grown));
    }

    private static async Task<IResult> AlterAsync(HttpRequest request, HttpParts parts, SavedChanges saved, string topic)
    {
        var validateOnly = new QueryReader(request, "validateOnly").Flag("validateOnly");
        var body = await JsonBody.ReadAsync<Dictionary<string, JsonElement>>(request, parts.Options);
        await parts.FindTopicAsync(topic);
        var changes = body.Select(one => TextOf(one.Key, one.Value) is { } value
            ? new ConfigChange(one.Key, ConfigOperation.Set, value)
            : new ConfigChange(one.Key, ConfigOperation.Delete, null));
        Taken(await parts.Catalog.AlterConfigsAsync([new TopicConfigChanges(topic, [.. changes], ReplaceAll: false)], validateOnly));
        if (!validateOnly)
            await saved.ShowAsync();
        return Results.NoContent();
    }

    private static async Task<IResult> DeleteAsync(HttpRequest request, HttpParts parts, SavedChanges saved, string topic)
    {
        _ = new QueryReader(request);
        await parts.FindTopicAsync(topic);
        Taken(await parts.Catalog.DeleteAsync([new TopicName(topic)]));
        await saved.ShowAsync();
        return Results.NoContent();
    }

    private static async Task<IResult> DescribePartitionAsync(HttpRequest request, HttpParts parts, string topic, int partition)
    {
        _ = new QueryReader(request);
        var described = await parts.FindTopicAsync(topic);
        var one = await parts.Calls.DescribeAsync(PartitionOf(described, partition));
        var most = parts.Options.MaxPartitionDetails;
        return Results.Json(new PartitionAnswer(
            topic,
            partition,
            parts.LeaderOf(described, partition),
            one.LeaderEpoch,
            one.LeaderEpochs.Length,
            [.. one.LeaderEpochs.TakeLast(most).Select(epoch => new LeaderEpochAnswer(epoch.Epoch, epoch.StartOffset))],
            one.LogStartOffset,
            one.HighWatermark,
            one.LastStableOffset,
            one.SizeBytes,
            one.Segments.Length,
            [.. one.Segments.TakeLast(most).Select(segment => new SegmentAnswer(segment.BaseOffset, segment.EndOffset, segment.SizeBytes, Times.Show(segment.MaxTimestamp), Times.Show(segment.CreatedAt), segment.Active))],
            one.Producers.Length,
            [.. one.Producers.OrderByDescending(producer => producer.LastTimestamp).Take(most).Select(producer => new ProducerAnswer(producer.ProducerId, producer.Epoch, producer.LastSequence, producer.LastOffset, Times.Show(producer.LastTimestamp)))],
            [.. one.Readers.Select(reader => new ReaderAnswer(reader.ClientId, reader.Offset, Times.Show(reader.LastFetchAt)))],
            one.WaitingReaders));
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
    private static async Task<IReadOnlyList<TopicSummary>> DetailsAsync(HttpParts parts, IEnumerable<TopicDescription> topics)
    {
        var shown = topics.ToList();
        var sizes = new long[shown.Count];
        var all = shown.SelectMany((topic, place) => Enumerable.Range(0, topic.PartitionCount).Select(index => (place, id: new PartitionId(topic.TopicId, index))));
        await Parallel.ForEachAsync(all, s_few, async (one, _) =>
            Interlocked.Add(ref sizes[one.place], (await parts.Calls.TryDescribeAsync(one.id))?.SizeBytes ?? 0));
        return [.. shown.Select((topic, place) => Summary(topic) with { SizeBytes = sizes[place], RetentionMs = (long)(parts.Topics.SettingsOf(topic).Retention?.TotalMilliseconds ?? -1) })];
    }

    private static TopicSummary Summary(TopicDescription topic) => new(topic.Name, topic.TopicId, topic.PartitionCount, topic.IsInternal);

    private static TopicDescription Taken(ImmutableArray<TopicResult> results) => results is [{ Error: ErrorCode.None, Topic: { } topic }]
        ? topic
        : throw Problem.Of(results is [var refused, ..] ? refused.Error : ErrorCode.UnknownServerError, results is [{ Message: { } message }, ..] ? message : null);

    /// <summary>Configs are text in Kafka; a JSON number or truth value is its text.</summary>
    private static string? TextOf(string name, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => JsonTexts.TextOf(value, name),
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
        _ => throw Problem.BadRequest(name, $"Config '{name}' is no text, number, true, false or null."),
    };

    /// <param name="PartitionCount">Null: the cluster's default.</param>
    internal sealed record NewTopicBody(string? Name, int? PartitionCount, Dictionary<string, JsonElement>? Config);

    internal sealed record GrowthBody(int? PartitionCount);
}
