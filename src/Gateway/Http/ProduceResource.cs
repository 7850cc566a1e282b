using System.Globalization;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Net.Http.Headers;

namespace Granary.Gateway.Http;

/// <summary>POST of records to a topic, or to one of its partitions. The answer comes when they are durable.</summary>
internal static class ProduceResource
{
    private const string IdempotencyKey = "Idempotency-Key: a request that is repeated with it appends once";
    private const string Key = "Granary-Key: the record's key, where the body is its value";
    private const string Timestamp = "Granary-Timestamp: the record's time, in milliseconds since 1970 or as RFC 3339 writes it, where the body is its value";
    private const string Header = "Granary-Header-<name>: a header of the record, where the body is its value";

    public static void MapProduce(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapPost("/topics/{topic}/records", (HttpRequest request, HttpParts parts, RecordSender sender, string topic) => ProduceAsync(request, parts, sender, topic, null))
            .WithTags("Records").WithSummary("Append records; each goes to the partition of its key. Makes the topic where auto.create.topics.enable is true").Accepts<object>("application/json", "application/octet-stream", "text/plain").TakesRecords()
            .Produces<ProduceAnswer>(StatusCodes.Status201Created).TakesHeaders(IdempotencyKey, Key, Timestamp, Header);
        endpoints.MapPost("/topics/{topic}/partitions/{partition:int}/records", (HttpRequest request, HttpParts parts, RecordSender sender, string topic, int partition) => ProduceAsync(request, parts, sender, topic, partition))
            .WithTags("Records").WithSummary("Append records to one partition; with If-Match only where the log ends there").Accepts<object>("application/json", "application/octet-stream", "text/plain").TakesRecords()
            .Produces<ProduceAnswer>(StatusCodes.Status201Created).TakesHeaders(IdempotencyKey, Key, Timestamp, Header, "If-Match: the offset that the first record is to have, in quotes");
    }

    private static async Task<IResult> ProduceAsync(HttpRequest request, HttpParts parts, RecordSender sender, string topic, int? partition)
    {
        _ = new QueryReader(request);
        var key = IdempotencyKeyOf(request, parts.Options);
        var expected = ExpectedOffsetOf(request, partition);
        var (records, isList, body) = await ReadAsync(request, parts.Options);
        var described = partition is null ? await parts.FindOrCreateTopicAsync(topic) : await parts.FindTopicAsync(topic);
        if (partition is { } asked)
            TopicResource.PartitionOf(described, asked);
        Check(records, described, partition);
        var written = key is not null || expected is not null
            ? await sender.SendOnceAsync(described, records, partition, new OnceOptions(key, expected, request, body))
            : await sender.SendAsync(described, records, partition, index => isList ? $"records[{index}].timestamp" : JsonBody.IsJson(request.ContentType) ? "timestamp" : "Granary-Timestamp");
        var places = written.Select(one => new RecordPlaceAnswer(one.Partition.Partition, one.Offset, Times.Show(one.Timestamp))).ToList();
        return Results.Json<ProduceAnswer>(isList ? new RecordPlacesAnswer(places) : places[0], statusCode: StatusCodes.Status201Created);
    }

    private static async Task<(IReadOnlyList<RecordInput> Records, bool IsList, ReadOnlyMemory<byte> Body)> ReadAsync(HttpRequest request, HttpOptions options)
    {
        if (JsonBody.IsJson(request.ContentType))
        {
            var (document, body) = await JsonBody.ReadDocumentAsync(request, options);
            using (document)
            {
                var (records, isList) = RecordInput.OfJson(document.RootElement, options);
                return (records, isList, body);
            }
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

    /// <summary>The path's partition counts for all records; a record may only say the same.</summary>
    private static void Check(IReadOnlyList<RecordInput> records, TopicDescription topic, int? partition)
    {
        for (var i = 0; i < records.Count; i++)
        {
            if (records[i].Partition is not { } own)
                continue;
            TopicResource.PartitionOf(topic, own);
            if (partition is { } all && own != all)
                throw Problem.BadRequest($"records[{i}].partition", $"The record says partition {own}, the path says {all}.");
        }
    }

    private static string? IdempotencyKeyOf(HttpRequest request, HttpOptions options)
    {
        if (QueryReader.Header(request, "Idempotency-Key") is not { } key)
            return null;
        if (key.Length == 0 || key.Length > options.MaxIdempotencyKeyLength)
            throw Problem.BadRequest("Idempotency-Key", $"The Idempotency-Key has {key.Length} characters, 1 to {options.MaxIdempotencyKeyLength} are allowed.", options.MaxIdempotencyKeyLength);
        return key;
    }

    private static long? ExpectedOffsetOf(HttpRequest request, int? partition)
    {
        if (QueryReader.Header(request, "If-Match") is not { } tag)
            return null;
        if (partition is null)
            throw Problem.BadRequest("If-Match", "If-Match speaks of one partition's end: use /topics/{topic}/partitions/{partition}/records.");
        return long.TryParse(tag.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            ? offset
            : throw Problem.BadRequest("If-Match", $"If-Match is '{tag}': the offset that the next record shall have, in quotes, is wanted.");
    }
}
