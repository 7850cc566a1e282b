using System.Globalization;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Granary.Gateway.Http;

/// <summary>POST of records to a topic, or to one of its partitions. The answer comes when they are durable.</summary>
internal static class ProduceResource
{
    public static void MapProduce(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/topics/{topic}/records", (HttpRequest request, HttpParts parts, RecordSender sender, string topic) => ProduceAsync(request, parts, sender, topic, null))
            .WithTags("Records").WithSummary("Append records; each goes to the partition of its key").Accepts<object>("application/json", "application/octet-stream", "text/plain");
        endpoints.MapPost("/topics/{topic}/partitions/{partition:int}/records", (HttpRequest request, HttpParts parts, RecordSender sender, string topic, int partition) => ProduceAsync(request, parts, sender, topic, partition))
            .WithTags("Records").WithSummary("Append records to one partition; with If-Match only where the log ends there").Accepts<object>("application/json", "application/octet-stream", "text/plain");
    }

    private static async Task<IResult> ProduceAsync(HttpRequest request, HttpParts parts, RecordSender sender, string topic, int? partition)
    {
        _ = new QueryReader(request);
        var described = await parts.FindTopicAsync(topic);
        if (partition is { } asked)
            TopicResource.PartitionOf(described, asked);
        var key = IdempotencyKeyOf(request, parts.Options);
        var expected = ExpectedOffsetOf(request, partition);
        var (records, isList, body) = await ReadAsync(request, parts.Options);
        var placed = Place(records, described, partition, key);
        var written = key is not null || expected is not null
            ? await sender.SendOnceAsync(described, placed, new OnceOptions(key, expected, request, body))
            : await sender.SendAsync(described, placed);
        var shown = written.Select(one => new { partition = one.Partition.Partition, one.Offset, timestamp = Times.Show(one.Timestamp) }).ToList();
        return Results.Json(isList ? new { records = shown } : shown[0], statusCode: StatusCodes.Status201Created);
    }

    private static async Task<(IReadOnlyList<RecordInput> Records, bool IsList, ReadOnlyMemory<byte> Body)> ReadAsync(HttpRequest request, HttpOptions options)
    {
        if (JsonBody.IsJson(request.ContentType))
        {
            using var document = await JsonBody.ReadDocumentAsync(request, options);
            var (records, isList) = RecordInput.OfJson(document.RootElement, options);
            return (records, isList, System.Text.Encoding.UTF8.GetBytes(document.RootElement.GetRawText()));
        }

        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || type.MediaType.Value is not ("application/octet-stream" or "text/plain"))
        {
            throw new Problem(StatusCodes.Status415UnsupportedMediaType, $"The body's Content-Type is '{request.ContentType}': application/json (records), application/octet-stream or text/plain (a value) is wanted.")
            {
                Field = "Content-Type",
            };
        }

        var bytes = await JsonBody.ReadBytesAsync(request, options);
        return ([RecordInput.OfBytes(request, bytes, options)], false, bytes);
    }

    /// <summary>The path's partition counts for all records; a record may only say the same. With an idempotency key a record without a key always goes to the same partition.</summary>
    private static IReadOnlyList<RecordInput> Place(IReadOnlyList<RecordInput> records, TopicDescription topic, int? partition, string? idempotencyKey)
    {
        var placed = new RecordInput[records.Count];
        for (var i = 0; i < placed.Length; i++)
        {
            var own = records[i].Partition;
            if (own is { } number)
                TopicResource.PartitionOf(topic, number);
            if (partition is { } all && own is { } other && other != all)
                throw Problem.BadRequest($"records[{i}].partition", $"The record says partition {other}, the path says {all}.");
            var to = partition ?? own;
            if (to is null && idempotencyKey is not null)
                to = Murmur2.PartitionOf(records[i].Key is { } key ? key.Span : System.Text.Encoding.UTF8.GetBytes(idempotencyKey), topic.PartitionCount);
            placed[i] = records[i] with { Partition = to };
        }

        return placed;
    }

    private static string? IdempotencyKeyOf(HttpRequest request, HttpOptions options)
    {
        if (request.Headers["Idempotency-Key"] is not [{ } key])
            return null;
        if (key.Length == 0 || key.Length > options.MaxIdempotencyKeyLength)
            throw Problem.BadRequest("Idempotency-Key", $"The Idempotency-Key has {key.Length} characters, 1 to {options.MaxIdempotencyKeyLength} are allowed.", options.MaxIdempotencyKeyLength);
        return key;
    }

    private static long? ExpectedOffsetOf(HttpRequest request, int? partition)
    {
        if (request.Headers.IfMatch is not [{ } tag])
            return null;
        if (partition is null)
            throw Problem.BadRequest("If-Match", "If-Match speaks of one partition's end: use /topics/{topic}/partitions/{partition}/records.");
        return long.TryParse(tag.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw Problem.BadRequest("If-Match", $"If-Match is '{tag}': the offset that the next record shall have, in quotes, is wanted.");
    }
}
