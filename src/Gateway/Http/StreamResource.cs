using System.Globalization;
using System.Text;
using System.Text.Json;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;

namespace Granary.Gateway.Http;

/// <summary>
/// GET of a topic as it grows: Server-Sent Events, one for each record. An event's id is the place after it in every partition, so that a client that
/// reconnects with Last-Event-ID, to whatever gateway, goes on exactly there.
/// </summary>
internal static class StreamResource
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Records that retention has taken before the client read them: from (inclusive) to (exclusive).</summary>
    private sealed record Gap(int Partition, long From, long To);

    public static void MapStream(this IEndpointRouteBuilder endpoints) => endpoints
        .MapGet("/topics/{topic}/stream", StreamAsync)
        .WithTags("Records")
        .WithSummary("Records as they come (text/event-stream); resumes by Last-Event-ID")
        .ProducesEvents()
        .TakesQuery("partition: one; else all", "from: earliest, latest (the default), or -N for the newest N", "timestamp: of the first record, or a later one's", "lastEventId: where no header can be sent")
        .TakesHeaders("Last-Event-ID: goes on after that event");

    private static async Task StreamAsync(HttpContext context, HttpParts parts, StreamPlaces places, LogConsumers consumers, TimeProvider time, string topic)
    {
        var query = new QueryReader(context.Request, "partition", "from", "timestamp", "lastEventId");
        var described = await parts.FindTopicAsync(topic);
        var only = (int?)query.Number("partition", 0, int.MaxValue);
        if (only is { } asked)
            TopicResource.PartitionOf(described, asked);
        var (positions, gaps) = await PositionsAsync(context, query, parts, described, only);
        using var place = places.Take();
        await using var consumer = consumers.Open(new LogConsumerOptions
        {
            PrefetchBytes = parts.Options.StreamPrefetchBytes,
            PartitionReadBytes = Math.Min(parts.Options.StreamPrefetchBytes, 256 * 1024),
            OffsetReset = OffsetReset.Throw,
            ClientId = FetchResource.ReaderOf(context),
        });
        consumer.Assign([.. positions.Select(one => new TopicPartitionOffset(topic, one.Key, LogPosition.At(one.Value)))]);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.WriteAsync($"retry: 1000\nid: {IdOf(positions)}\n\n", context.RequestAborted);
        foreach (var gap in gaps)
            await context.Response.WriteAsync($"event: gap\ndata: {JsonSerializer.Serialize(gap, s_json)}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);

        // With more partitions than it began with a stream ends: the client comes back with its places, and reads the new ones from their beginning.
        bool IsWhole() => only is not null || parts.Topics.Find(topic) is { } now && now.TopicId == described.TopicId && now.PartitionCount == described.PartitionCount;
        await SendAsync(context, consumer, positions, IsWhole, parts.Options.StreamHeartbeat, time);
    }

    private static async Task SendAsync(HttpContext context, LogConsumer consumer, SortedDictionary<int, long> positions, Func<bool> isWhole, TimeSpan heartbeat, TimeProvider time)
    {
        var records = consumer.ReadAsync(context.RequestAborted).GetAsyncEnumerator(context.RequestAborted);
        var next = records.MoveNextAsync().AsTask();
        try
        {
            while (!context.RequestAborted.IsCancellationRequested && isWhole())
            {
                if (!next.IsCompleted)
                {
                    // Quiet for now: what was written goes out, and so does a sign of life now and then.
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                    await Task.WhenAny(next, Task.Delay(heartbeat, time, context.RequestAborted));
                    if (!next.IsCompleted)
                    {
                        await context.Response.WriteAsync(":\n\n", context.RequestAborted);
                        continue;
                    }
                }

                if (!await next)
                    return;
                var record = records.Current;
                positions[record.Partition.Partition] = record.Offset + 1;

                // A value that is JSON goes out as it is, with its line ends: each line is a line of data, and the client puts them together again.
                var shown = JsonSerializer.Serialize(RecordOutput.Show(record.Partition.Partition, record.Record), s_json).Replace("\r", "", StringComparison.Ordinal).Replace("\n", "\ndata: ", StringComparison.Ordinal);
                await context.Response.WriteAsync($"id: {IdOf(positions)}\nevent: record\ndata: {shown}\n\n", context.RequestAborted);
                next = records.MoveNextAsync().AsTask();
            }
        }
        catch (LogException lost) when (lost.Error == ErrorCode.OffsetOutOfRange)
        {
            // Retention went past the reader: it comes back, and is told of the gap.
        }
        finally
        {
            await consumer.DisposeAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await records.DisposeAsync();
        }
    }

    /// <summary>Where to begin, and what is not there any more of what a client that comes back has not seen.</summary>
    private static async Task<(SortedDictionary<int, long> Positions, IReadOnlyList<Gap> Gaps)> PositionsAsync(HttpContext context, QueryReader query, HttpParts parts, TopicDescription topic, int? only)
    {
        if (query.Text("from") is not null && query.Text("timestamp") is not null)
            throw Problem.BadRequest("timestamp", "'from' and 'timestamp' are both given: one says where to begin.");

        // A reconnection by the browser itself still has the address of the first one: what its header says is newer.
        var id = QueryReader.Header(context.Request, "Last-Event-ID") ?? query.Text("lastEventId");
        var resumed = string.IsNullOrEmpty(id) ? null : Parse(id, topic);
        var wanted = only is { } one ? [one] : Enumerable.Range(0, topic.PartitionCount);
        var found = await Task.WhenAll(wanted.Select(async partition =>
        {
            var asked = TopicResource.PartitionOf(topic, partition);
            if (resumed is null)
                return (partition, offset: await StartOffset.ResolveAsync(query, parts.Calls, asked, "latest", context.RequestAborted), gap: null);
            var earliest = await parts.Calls.FindOffsetAsync(asked, new OffsetQuery(OffsetQuery.Earliest), context.RequestAborted);

            // A partition that the client has no place in was not there when it was here last.
            var place = resumed.GetValueOrDefault(partition, earliest);
            return (partition, offset: Math.Max(place, earliest), gap: place < earliest ? new Gap(partition, place, earliest) : null);
        }));
        return (new SortedDictionary<int, long>(found.ToDictionary(each => each.partition, each => each.offset)), [.. found.Select(each => each.gap).OfType<Gap>()]);
    }

    /// <summary>"0:41,1:17": partition and the offset to go on at.</summary>
    private static string IdOf(SortedDictionary<int, long> positions)
    {
        var id = new StringBuilder();
        foreach (var (partition, offset) in positions)
            id.Append(id.Length == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{partition}:{offset}");
        return id.ToString();
    }

    private static Dictionary<int, long> Parse(string id, TopicDescription topic)
    {
        var positions = new Dictionary<int, long>();
        foreach (var part in id.Split(','))
        {
            var pair = part.Split(':');
            if (pair.Length != 2
                || !int.TryParse(pair[0], NumberStyles.None, CultureInfo.InvariantCulture, out var partition) || partition >= topic.PartitionCount
                || !long.TryParse(pair[1], NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
                || !positions.TryAdd(partition, offset))
                throw Problem.BadRequest("Last-Event-ID", $"Last-Event-ID has '{part[..Math.Min(part.Length, 40)]}': the id of an event of this stream is wanted, such as 0:41,1:17.");
        }

        return positions;
    }
}

/// <summary>How many streams there may be at once.</summary>
internal sealed class StreamPlaces(Microsoft.Extensions.Options.IOptions<HttpOptions> options)
{
    private int _taken;

    /// <summary>A place, given back when it is disposed; a refusal where none is left.</summary>
    public IDisposable Take()
    {
        if (Interlocked.Increment(ref _taken) <= options.Value.MaxStreams)
            return new Place(this);
        Interlocked.Decrement(ref _taken);
        throw new Problem(StatusCodes.Status503ServiceUnavailable, $"{options.Value.MaxStreams} streams are open, which is the most (Granary__Http__MaxStreams).") { Limit = options.Value.MaxStreams };
    }

    private sealed class Place(StreamPlaces places) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref places._taken);
    }
}
