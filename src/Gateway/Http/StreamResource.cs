using System.Text.Json;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Http;

/// <summary>
/// GET of a topic as it grows: Server-Sent Events, one for each record. An event's id is the place after it in every partition (<see cref="StreamPositions"/>),
/// so that a client that reconnects with Last-Event-ID, to whatever gateway, goes on exactly there. What ends it too early, and is not for the client to
/// heal by coming back, is told by an event <c>error</c> that has the problem.
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
        .TakesNumber("partition: one; else all", 0, _ => int.MaxValue)
        .TakesQuery("from: earliest, latest (the default), or -N for the newest N", "timestamp: of the first record, or a later one's", "lastEventId: where no header can be sent")
        .TakesHeaders("Last-Event-ID: goes on after that event");

    private static async Task StreamAsync(HttpContext context, HttpParts parts, StreamPlaces places, LogConsumers consumers, IHostApplicationLifetime lifetime, TimeProvider time, string topic)
    {
        var query = new QueryReader(context.Request, "partition", "from", "timestamp", "lastEventId");
        var described = await parts.FindTopicAsync(topic);
        var only = OnlyOf(query, described, parts.Options);
        using var place = places.Take();
        var (positions, gaps) = await PositionsAsync(context, query, parts, described, only);
        await using var consumer = consumers.Open(new LogConsumerOptions
        {
            PrefetchBytes = parts.Options.StreamPrefetchBytes,
            PartitionReadBytes = Math.Min(parts.Options.StreamPrefetchBytes, 256 * 1024),
            OffsetReset = OffsetReset.Throw,
            ClientId = FetchResource.ReaderOf(context),
        });
        consumer.Assign([.. positions.Offsets.Select(one => new TopicPartitionOffset(topic, one.Key, LogPosition.At(one.Value)))]);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        await context.Response.WriteAsync($"retry: 1000\nid: {positions.ToId()}\n\n", context.RequestAborted);
        foreach (var gap in gaps)
            await context.Response.WriteAsync($"event: gap\ndata: {JsonSerializer.Serialize(gap, s_json)}\n\n", context.RequestAborted);
        await context.Response.Body.FlushAsync(context.RequestAborted);

        // With more partitions than it began with a stream ends: the client comes back with its places, and reads the new ones from their beginning.
        bool IsWhole() => only is not null || parts.Topics.Find(topic) is { } now && now.TopicId == described.TopicId && now.PartitionCount == described.PartitionCount;

        // It ends when this process stops, which would wait for it: the client comes back to another one.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await SendAsync(context, consumer, positions, IsWhole, new PeriodicTimer(parts.Options.StreamHeartbeat, time), ending.Token);
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // Not a failure.
        }
        catch (LogException lost) when (lost.Error == ErrorCode.OffsetOutOfRange)
        {
            // Retention went past the reader: it comes back, and is told of the gap.
        }
        catch (LogException lost)
        {
            // Too late for a status.
            await context.Response.WriteAsync($"event: error\ndata: {JsonSerializer.Serialize(ProblemWriter.DetailsOf(context, Problem.Of(lost)), s_json)}\n\n", context.RequestAborted);
        }
    }

    /// <summary>The one partition that is wanted; null: all.</summary>
    private static int? OnlyOf(QueryReader query, TopicDescription topic, HttpOptions options)
    {
        if (query.Number("partition", 0, int.MaxValue) is { } asked)
            return TopicResource.PartitionOf(topic, (int)asked).Index;
        return topic.PartitionCount <= options.MaxStreamPartitions ? null : throw Problem.BadRequest(
            "partition",
            $"Topic '{topic.Name}' has {topic.PartitionCount} partitions, a stream reads {options.MaxStreamPartitions} at the most (Granary__Http__MaxStreamPartitions): name a partition.",
            options.MaxStreamPartitions);
    }

    private static async Task SendAsync(HttpContext context, LogConsumer consumer, StreamPositions positions, Func<bool> isWhole, PeriodicTimer heartbeat, CancellationToken ending)
    {
        var records = consumer.ReadAsync(ending).GetAsyncEnumerator(ending);
        var next = records.MoveNextAsync().AsTask();
        using var beats = heartbeat;
        var beat = beats.WaitForNextTickAsync(ending).AsTask();
        try
        {
            while (!ending.IsCancellationRequested && isWhole())
            {
                if (!next.IsCompleted)
                {
                    // Quiet for now: what was written goes out, and so does a sign of life now and then.
                    await context.Response.Body.FlushAsync(context.RequestAborted);
                    await await Task.WhenAny(next, beat);
                    if (!next.IsCompleted)
                    {
                        await context.Response.WriteAsync(":\n\n", context.RequestAborted);
                        beat = beats.WaitForNextTickAsync(ending).AsTask();
                        continue;
                    }
                }

                if (!await next)
                    return;
                var record = records.Current;
                positions.Offsets[record.Partition.Partition] = record.Offset + 1;

                // A value that is JSON goes out as it is, with its line ends: each line is a line of data, and the client puts them together again.
                var shown = JsonSerializer.Serialize(RecordOutput.Show(record.Partition.Partition, record.Record), s_json).Replace("\r", "", StringComparison.Ordinal).Replace("\n", "\ndata: ", StringComparison.Ordinal);
                await context.Response.WriteAsync($"id: {positions.ToId()}\nevent: record\ndata: {shown}\n\n", context.RequestAborted);
                next = records.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            await consumer.DisposeAsync();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await records.DisposeAsync();
        }
    }

    /// <summary>Where to begin, and what is not there any more of what a client that comes back has not seen.</summary>
    private static async Task<(StreamPositions Positions, IReadOnlyList<Gap> Gaps)> PositionsAsync(HttpContext context, QueryReader query, HttpParts parts, TopicDescription topic, int? only)
    {
        if (query.Text("from") is not null && query.Text("timestamp") is not null)
            throw Problem.BadRequest("timestamp", "'from' and 'timestamp' are both given: one says where to begin.");

        // A reconnection by the browser itself still has the address of the first one: what its header says is newer.
        var id = QueryReader.Header(context.Request, StreamPositions.Header) ?? query.Text("lastEventId");
        var resumed = string.IsNullOrEmpty(id) ? null : StreamPositions.Parse(id, topic);
        var wanted = only is { } one ? [one] : Enumerable.Range(0, topic.PartitionCount);
        var found = await Task.WhenAll(wanted.Select(async partition =>
        {
            var asked = TopicResource.PartitionOf(topic, partition);
            if (resumed is null)
                return (partition, offset: await StartOffset.ResolveAsync(query, parts.Calls, asked, "latest", context.RequestAborted), gap: null);
            var ends = await Task.WhenAll(
                parts.Calls.FindOffsetAsync(asked, new OffsetQuery(OffsetQuery.Earliest), context.RequestAborted),
                parts.Calls.FindOffsetAsync(asked, new OffsetQuery(OffsetQuery.Latest), context.RequestAborted));

            // A partition that the client has no place in was not there when it was here last.
            var place = resumed.Offsets.GetValueOrDefault(partition, ends[0]);
            if (place > ends[1])
                throw StreamPositions.BeyondTheEnd(partition, place, ends[1]);
            return (partition, offset: Math.Max(place, ends[0]), gap: place < ends[0] ? new Gap(partition, place, ends[0]) : null);
        }));
        return (
            new StreamPositions(topic.TopicId, new SortedDictionary<int, long>(found.ToDictionary(each => each.partition, each => each.offset))),
            [.. found.Select(each => each.gap).OfType<Gap>()]);
    }
}
