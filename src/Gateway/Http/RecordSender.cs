using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Granary.Abstractions.Clients;
using Granary.Abstractions.Idempotency;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Runtime;

namespace Granary.Gateway.Http;

/// <param name="Key">Idempotency-Key, or null.</param>
/// <param name="ExpectedOffset">The offset that the first record is to have, or null.</param>
/// <param name="Request">Whose path and content type belong to what the key stands for.</param>
/// <param name="Body">As it came.</param>
internal sealed record OnceOptions(string? Key, long? ExpectedOffset, HttpRequest Request, ReadOnlyMemory<byte> Body);

/// <summary>
/// Sends what requests bring. The plain way is one producer for the whole process, which gathers the records of many requests into batches. A request with a
/// condition or an Idempotency-Key sends its own batches, one for each partition, stamped with a producer id of its own that is kept before the first append:
/// whoever repeats the request, through whatever gateway, is told by the log itself where the first copy lies.
/// </summary>
internal sealed partial class RecordSender(
    IGrainFactory grains,
    TopicDirectory topics,
    PartitionAsk calls,
    IOptions<HttpOptions> options,
    TimeProvider time,
    ILogger<RecordSender> log) : IHostedService
{
    private readonly LogProducer _producer = new(
        grains,
        new LogProducerOptions { DeliveryTimeout = options.Value.RequestTimeout, MaxBlock = options.Value.RequestTimeout },
        topics);

    private IIdempotencyGrain KeysGrain => grains.GetGrain<IIdempotencyGrain>(IIdempotencyGrain.Key);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => _producer.DisposeAsync().AsTask().WaitAsync(cancellationToken);

    /// <summary>Where the records lie, in their order. Where some were refused and others not, the refusal says what became of each.</summary>
    /// <param name="timeField">What the time of a record is called in its request, for people.</param>
    public async Task<IReadOnlyList<RecordMetadata>> SendAsync(TopicDescription topic, IReadOnlyList<RecordInput> records, int? partition, Func<int, string> timeField)
    {
        RefuseTimes(topic, records, timeField);
        var sends = records.Select(record => SendAsync(topic, record, partition ?? record.Partition)).ToArray();
        await ((Task)Task.WhenAll(sends)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (Array.Find(sends, send => send.IsFaulted)?.Exception?.InnerException is not { } failure)
            return [.. sends.Select(send => send.Result)];
        if (failure is not LogException refusal)
            throw failure;
        throw sends.Length == 1
            ? Problem.Of(refusal)
            : Partly(refusal, sends.Select(send => send.IsCompletedSuccessfully
                ? new { partition = send.Result.Partition.Partition, offset = send.Result.Offset, error = (string?)null }
                : new { partition = -1, offset = -1L, error = (string?)ProblemWriter.NameOf((send.Exception?.InnerException as LogException)?.Error ?? ErrorCode.UnknownServerError) }));
    }

    private Task<RecordMetadata> SendAsync(TopicDescription topic, RecordInput record, int? partition)
    {
        try
        {
            return _producer.SendAsync(
                topic.Name,
                record.Key,
                record.Value,
                record.Headers,
                record.Timestamp is { } milliseconds ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : null,
                partition);
        }
        catch (ObjectDisposedException)
        {
            // The web server stops sooner, but does not wait for its requests for ever.
            throw Problem.Of(ErrorCode.BrokerNotAvailable, "This process stops: try again, at another one where there is one.");
        }
    }

    /// <summary>Refuses the whole request before any of it is sent. The producer would refuse those records alone, without a word of where they stand.</summary>
    private void RefuseTimes(TopicDescription topic, IReadOnlyList<RecordInput> records, Func<int, string> timeField)
    {
        if (topics.SettingsOf(topic).TimestampBoundsAt(time.GetUtcNow().ToUnixTimeMilliseconds()) is not { } bounds)
            return;
        for (var index = 0; index < records.Count; index++)
        {
            if (records[index].Timestamp is not { } timestamp || RecordBatchCheck.CheckTimestamp(timestamp, bounds) is not { } wrong)
                continue;
            throw new Problem(StatusCodes.Status400BadRequest, $"'{timeField(index)}': {wrong.Message}.")
            {
                Error = wrong.Error,
                Field = timeField(index),
                Limit = timestamp > bounds.Now ? bounds.AfterMaxMs : bounds.BeforeMaxMs,
            };
        }
    }

    public async Task<IReadOnlyList<RecordMetadata>> SendOnceAsync(TopicDescription topic, IReadOnlyList<RecordInput> records, int? partition, OnceOptions once)
    {
        if (once.Key is null)
            return await AppendAllAsync(topic, Place(records, partition, "", topic.PartitionCount, time.GetUtcNow().ToUnixTimeMilliseconds()), once, ProducerStamp.None);
        var (claim, kept) = await ClaimAsync(topic, once);
        if (kept.Answer is { } answer)
            return JsonSerializer.Deserialize<KeptPlace[]>(answer)!.Select(place => place.In(topic.Name)).ToList();

        // From here on whether or not the caller waits: it will ask again, and by then the log may have forgotten the producer, which makes an answer that is not
        // kept a second append. As it was for the first try: the topic may have more partitions by now, and it is later.
        var placed = Place(records, partition, once.Key, kept.PartitionCount, kept.ClaimedAt);
        var written = await AppendAllAsync(topic, placed, once, new ProducerStamp { ProducerId = kept.ProducerId, ProducerEpoch = 0, BaseSequence = 0 });
        await KeepAsync(claim, written);
        return written;
    }

    /// <summary>Keeps the answer for repetitions. The records are on disk: what fails here must not make their sender think that they are not.</summary>
    private async Task KeepAsync(IdempotencyClaim claim, IReadOnlyList<RecordMetadata> written)
    {
        try
        {
            await KeysGrain.CompleteAsync(claim, JsonSerializer.SerializeToUtf8Bytes(written.Select(KeptPlace.Of))).WaitAsync(options.Value.RequestTimeout, time);
        }
        catch (Exception lost) when (lost is OrleansException or TimeoutException)
        {
            AnswerNotKept(log, lost.Message);
        }
    }

    private async Task<IReadOnlyList<RecordMetadata>> AppendAllAsync(TopicDescription topic, IReadOnlyList<RecordInput> records, OnceOptions once, ProducerStamp stamp)
    {
        var settings = topics.SettingsOf(topic);
        var byPartition = records.Select((record, index) => (record, index)).GroupBy(one => one.record.Partition!.Value).ToList();
        var batches = byPartition.ToDictionary(group => group.Key, group => Build(group.Select(one => one.record), stamp));
        foreach (var (partition, batch) in batches)
        {
            if (batch.Length > settings.MaxMessageBytes)
            {
                throw new Problem(StatusCodes.Status413PayloadTooLarge, $"The records for partition {partition} make a batch of {batch.Length} bytes; with a condition or an Idempotency-Key all go in one, and {settings.MaxMessageBytes} is the topic's max.message.bytes.")
                {
                    Limit = settings.MaxMessageBytes,
                    Error = ErrorCode.MessageTooLarge,
                };
            }
        }

        var written = new RecordMetadata[records.Count];
        await Task.WhenAll(byPartition.Select(async group =>
        {
            var result = await AppendAsync(new PartitionId(topic.TopicId, group.Key), batches[group.Key], once);
            var place = 0;
            foreach (var (record, index) in group)
                written[index] = new RecordMetadata(new TopicPartition(topic.Name, group.Key), result.BaseOffset + place++, result.LogAppendTime >= 0 ? result.LogAppendTime : record.Timestamp!.Value);
        }));
        return written;
    }

    /// <summary>What is kept of this key; a refusal where it was used for another request.</summary>
    private async Task<(IdempotencyClaim Claim, IdempotencyClaimed Kept)> ClaimAsync(TopicDescription topic, OnceOptions once)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{once.Request.Path}\n{once.Request.ContentType}\n{string.Join('\n', RecordInput.HeadersThatCount(once.Request))}\n"));
        hash.AppendData(once.Body.Span);
        var asked = new IdempotencyClaim(topic.TopicId, once.Key!, hash.GetHashAndReset(), topic.PartitionCount);
        var claim = await calls.AskAsync("What keeps the Idempotency-Key", () => KeysGrain.ClaimAsync(asked), answer => answer.Error, mayRepeat: true, once.Request.HttpContext.RequestAborted);
        if (claim.Error != ErrorCode.None)
            throw Problem.Of(claim.Error, "The Idempotency-Key cannot be kept now: try again.");
        if (!claim.IsSameRequest)
            throw new Problem(StatusCodes.Status422UnprocessableEntity, "This Idempotency-Key was used for another request.") { Field = "Idempotency-Key" };
        return (asked, claim);
    }

    private async Task<AppendResult> AppendAsync(PartitionId partition, byte[] batch, OnceOptions once)
    {
        // The log keeps what it is given: every try gives it a copy. Without a producer id a call whose fate is unknown must not be made again.
        var result = await calls.AskAsync(
            partition,
            grain => grain.AppendAsync(new AppendRequest(new RecordBytes(batch.ToArray()), once.ExpectedOffset ?? AppendRequest.AnyOffset)),
            answer => answer.Error,
            mayRepeat: once.Key is not null,
            once.Key is null ? once.Request.HttpContext.RequestAborted : CancellationToken.None);
        if (result.Error == ErrorCode.None)
            return result;
        if (once.ExpectedOffset is { } expected && result.Error == ErrorCode.OffsetOutOfRange)
        {
            throw new Problem(StatusCodes.Status412PreconditionFailed, $"The log does not end at offset {expected}, but at {result.BaseOffset}.")
            {
                Error = ErrorCode.OffsetOutOfRange,
                Field = "If-Match",
                More = new Dictionary<string, object?> { ["endOffset"] = result.BaseOffset },
            };
        }

        throw Problem.Of(result.Error, result.Message);
    }

    /// <summary>Every record with a partition and a time: one without either a key or a partition goes where the idempotency key does.</summary>
    private static IReadOnlyList<RecordInput> Place(IReadOnlyList<RecordInput> records, int? partition, string idempotencyKey, int partitionCount, long now) =>
    [
        .. records.Select(record => record with
        {
            Partition = partition ?? record.Partition ?? Murmur2.PartitionOf(record.Key is { } key ? key.Span : Encoding.UTF8.GetBytes(idempotencyKey), partitionCount),
            Timestamp = record.Timestamp ?? now,
        }),
    ];

    private static byte[] Build(IEnumerable<RecordInput> records, in ProducerStamp stamp)
    {
        var writer = new RecordBatchWriter();
        foreach (var record in records)
            writer.Append(record.Timestamp!.Value, record.Key, record.Value, record.Headers);
        return writer.Build(stamp);
    }

    private static Problem Partly(LogException refusal, IEnumerable<object> outcomes)
    {
        var problem = Problem.Of(refusal);
        return new Problem(problem.Status, $"Not all records were appended: {problem.Message}")
        {
            Error = problem.Error,
            More = new Dictionary<string, object?> { ["records"] = outcomes.ToList() },
        };
    }

    [LoggerMessage(1, LogLevel.Warning, "The answer to a request with an Idempotency-Key was not kept; a repetition is found by the log: {Reason}")]
    private static partial void AnswerNotKept(ILogger log, string reason);

    /// <summary>A record's place as it is kept with its request's key.</summary>
    private sealed record KeptPlace(int Partition, long Offset, long Timestamp)
    {
        public static KeptPlace Of(RecordMetadata written) => new(written.Partition.Partition, written.Offset, written.Timestamp);

        public RecordMetadata In(string topic) => new(new TopicPartition(topic, Partition), Offset, Timestamp);
    }
}
