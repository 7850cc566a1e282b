using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;

namespace Granary.Gateway.Http;

/// <summary>GET of records from one partition, from an offset, a time, or one of its ends on; waits for new ones where that is asked for.</summary>
internal static class FetchResource
{
    private const int DefaultLimit = 100;
    private const int DefaultMaxBytes = 1024 * 1024;

    public static void MapFetch(this IEndpointRouteBuilder endpoints) => endpoints
        .MapGet("/topics/{topic}/partitions/{partition:int}/records", FetchAsync)
        .WithTags("Records")
        .WithSummary("Records of a partition, from an offset, a time or one of its ends on")
        .Produces<FetchAnswer>()
        .TakesNumber("offset: of the first record (inclusive)", 0)
        .TakesQuery("timestamp: of the first record, or a later one's", "from: earliest (the default), latest, or -N for the newest N")
        .TakesNumber("limit: records", 1, options => options.MaxRecordsPerFetch)
        .TakesNumber("maxBytes: of batches, as they are stored; the first comes whole", 1, options => options.MaxFetchBytes)
        .TakesNumber("waitMs: for records that are not there yet", 0, options => (long)options.MaxWait.TotalMilliseconds);

    private static async Task<IResult> FetchAsync(HttpRequest request, HttpParts parts, IHostApplicationLifetime lifetime, TimeProvider time, string topic, int partition)
    {
        var query = new QueryReader(request, "offset", "timestamp", "from", "limit", "maxBytes", "waitMs");
        var limit = (int)(query.Number("limit", 1, parts.Options.MaxRecordsPerFetch) ?? Math.Min(DefaultLimit, parts.Options.MaxRecordsPerFetch));
        var maxBytes = (int)(query.Number("maxBytes", 1, parts.Options.MaxFetchBytes) ?? Math.Min(DefaultMaxBytes, parts.Options.MaxFetchBytes));
        var wait = TimeSpan.FromMilliseconds(query.Number("waitMs", 0, (long)parts.Options.MaxWait.TotalMilliseconds) ?? 0);
        var id = TopicResource.PartitionOf(await parts.FindTopicAsync(topic), partition);
        var offset = await ResolveAsync(query, parts, id, request.HttpContext.RequestAborted);
        var reader = ReaderOf(request.HttpContext);
        var started = time.GetTimestamp();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(request.HttpContext.RequestAborted, lifetime.ApplicationStopping);
        var memory = RequestMemory.Of(request.HttpContext);
        while (true)
        {
            memory.Hold(maxBytes);
            var page = await ReadAsync(parts, reader, id, offset, limit, maxBytes, request.HttpContext.RequestAborted);
            memory.Hold(page.KeptBytes);
            var left = wait - time.GetElapsedTime(started);
            if (page.Records.Count > 0 || page.NextOffset > offset || left <= TimeSpan.Zero)
                return Answer(topic, partition, page);
            try
            {
                await parts.Calls.WaitAsync(id, offset, left, reader, ending.Token);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                // The stop of this process would wait for it.
                return Answer(topic, partition, page);
            }
        }
    }

    /// <summary>Each record is shown when it is its turn to be written: as texts they take several times their bytes.</summary>
    private static IResult Answer(string topic, int partition, Page page) => Results.Json(new FetchAnswer(
        topic, partition, page.LogStartOffset, page.HighWatermark, page.NextOffset, page.Records.Select(record => RecordOutput.Show(partition, record))));

    /// <summary>The first offset that is wanted, by whichever parameter says it.</summary>
    private static Task<long> ResolveAsync(QueryReader query, HttpParts parts, PartitionId partition, CancellationToken cancellation)
    {
        string[] ways = [.. new[] { "offset", "timestamp", "from" }.Where(name => query.Text(name) is not null)];
        if (ways.Length > 1)
            throw Problem.BadRequest(ways[1], $"'{ways[0]}' and '{ways[1]}' are both given: one says where to begin.");
        return StartOffset.ResolveAsync(query, parts.Calls, partition, "earliest", cancellation);
    }

    /// <summary>How a reader by HTTP is called where people look at a partition: by its address.</summary>
    public static string ReaderOf(HttpContext http) => $"http {http.Connection.RemoteIpAddress}";

    private static async Task<Page> ReadAsync(HttpParts parts, string reader, PartitionId partition, long offset, int limit, int maxBytes, CancellationToken cancellation)
    {
        var read = await parts.Calls.AskAsync(partition, grain => grain.ReadAsync(new ReadRequest(offset, maxBytes, ClientId: reader)), answer => answer.Error, mayRepeat: true, cancellation);
        if (read.Error == ErrorCode.OffsetOutOfRange)
        {
            throw new Problem(StatusCodes.Status416RangeNotSatisfiable, $"Offset {offset} is not in the log: it holds {read.LogStartOffset} (inclusive) to {read.HighWatermark} (exclusive).")
            {
                Error = read.Error,
                Field = "offset",
                More = new Dictionary<string, object?> { ["logStartOffset"] = read.LogStartOffset, ["highWatermark"] = read.HighWatermark },
            };
        }

        if (read.Error != ErrorCode.None)
            throw Problem.Of(read.Error, $"Partition {partition.Index} cannot be read now.");
        var (records, next, kept) = FetchedRecords.Take(read.Records.ToContiguous(), offset, limit, parts.Options.MaxFetchBytes);
        return new Page(read.LogStartOffset, read.HighWatermark, next, records, kept);
    }

    /// <param name="NextOffset">Where to go on.</param>
    /// <param name="KeptBytes">Of memory, for the records.</param>
    private sealed record Page(long LogStartOffset, long HighWatermark, long NextOffset, IReadOnlyList<Record> Records, long KeptBytes);
}
