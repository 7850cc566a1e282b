using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

/// <summary>What the partition readers of one consumer share.</summary>
/// <param name="Ready">Takes what was read, in order per partition.</param>
internal sealed record ConsumerParts(
    IGrainFactory Grains,
    TopicDirectory Topics,
    LogConsumerOptions Options,
    ClientClock Clock,
    ILogger Logger,
    Action<ReadAhead> Ready)
{
    public Backoff Backoff => new(Options.RetryBackoff, Options.MaxRetryBackoff);
}

/// <summary>Batches that one partition reader got, or the error that ended it.</summary>
/// <param name="FromOffset">The first offset wanted: a batch comes whole, even where that lies in its middle.</param>
internal sealed record ReadAhead(PartitionReader Reader, ReadOnlyMemory<byte> Batches, long FromOffset, LogException? Error = null);

/// <summary>
/// Reads one partition ahead from one position on, two reads deep, until it is stopped. A seek stops it and starts another, so that
/// what it still had ready is recognised as stale. Ends by itself after an error that retrying cannot mend.
/// </summary>
internal sealed class PartitionReader
{
    private const int ReadsAhead = 2;

    /// <summary>How much later than it promised a wait may end before it is taken for lost.</summary>
    private static readonly TimeSpan s_waitMargin = TimeSpan.FromSeconds(1);

    private readonly ConsumerParts _parts;
    private readonly string _clientId;
    private readonly int _readBytes;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _room = new(ReadsAhead, ReadsAhead);
    private readonly Guid _readerId = Guid.NewGuid();
    private readonly Lock _gate = new();
    private readonly Retries _retries;
    private LogPosition _position;

    /// <param name="parts">What it shares with others.</param>
    /// <param name="partition">Which partition.</param>
    /// <param name="position">Where to start.</param>
    /// <param name="clientId">Who reads, for people.</param>
    /// <param name="readBytes">How much to ask for at a time; twice as much lies ready at the most, larger batches apart.</param>
    public PartitionReader(ConsumerParts parts, TopicPartition partition, LogPosition position, string clientId, int readBytes)
    {
        _parts = parts;
        Partition = partition;
        _position = position;
        _clientId = clientId;
        _readBytes = readBytes;
        _retries = new Retries(partition.ToString(), parts.Backoff, parts.Clock, giveUpAfter: null, parts.Logger, _stopping.Token);
    }

    public TopicPartition Partition { get; }

    /// <summary>Where its consumer is: the position it started at, then the offset after the last record handed out.</summary>
    public LogPosition Position
    {
        get
        {
            lock (_gate)
                return _position;
        }
    }

    public bool IsStopped => _stopping.IsCancellationRequested;

    public void Start()
    {
        // It outlives whichever request assigned it: it must not carry that one's context along.
        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(RunAsync);
    }

    /// <summary>Reads no more, and makes what lies ready stale.</summary>
    public void Stop() => _stopping.Cancel();

    /// <summary>Notes that the consumer has got everything below this offset.</summary>
    public void MoveTo(LogPosition position)
    {
        lock (_gate)
            _position = position;
    }

    /// <summary>Notes that one read-ahead was used up.</summary>
    public void MakeRoom() => _room.Release();

    private async Task RunAsync()
    {
        try
        {
            var id = await PartitionLookup.FindAsync(_parts.Topics, Partition, _retries);
            var grain = _parts.Grains.GetGrain<IPartitionGrain>(id.ToKey());
            var offset = await ResolveAsync(grain, id, Position);
            while (true)
            {
                await _room.WaitAsync(_stopping.Token);
                offset = await ReadOnceAsync(grain, id, offset);
            }
        }
        catch (OperationCanceledException) when (IsStopped)
        {
            // Stopped: nobody waits for more.
        }
        catch (Exception ended)
        {
            var error = ended as LogException ?? new LogException(ErrorCode.UnknownServerError, $"{Partition}: {ended.Message}", ended);
            ClientDiagnostics.GivenUp(_parts.Logger, Partition.ToString(), error.Message, ended);
            _parts.Ready(new ReadAhead(this, default, 0, error));
        }
    }

    /// <summary>Reads until there is something, hands it on, and returns the offset after it.</summary>
    private async Task<long> ReadOnceAsync(IPartitionGrain grain, PartitionId id, long offset)
    {
        while (true)
        {
            var result = await _retries.AskAsync(() => grain.ReadAsync(new ReadRequest(offset, _readBytes, ClientId: _clientId)), _parts.Options.RequestTimeout);
            switch (result.Error)
            {
                case ErrorCode.None when !result.Records.IsEmpty:
                    _retries.Reset();
                    return HandOn(result.Records.ToContiguous(), offset);
                case ErrorCode.None:
                    _retries.Reset();
                    await WaitAsync(grain, Math.Max(result.HighWatermark, offset));
                    break;
                case ErrorCode.OffsetOutOfRange:
                    offset = await ResetAsync(grain, id, offset, result);
                    break;
                default:
                    await EndureAsync(id, result.Error);
                    break;
            }
        }
    }

    private long HandOn(ReadOnlyMemory<byte> batches, long offset)
    {
        var rest = batches;
        var next = offset;
        while (RecordBatchReader.TryTakeBatch(ref rest, out var batch))
        {
            if (RecordBatchHeader.TryRead(batch.Span, out var header))
                next = Math.Max(next, header.EndOffset);
        }

        _parts.Ready(new ReadAhead(this, batches, offset));
        return next;
    }

    private Task WaitAsync(IPartitionGrain grain, long bound) => _retries.AskAsync(
        () => grain.WaitAsync(new WaitRequest(_readerId, bound, _parts.Options.MaxWait, ClientId: _clientId)),
        _parts.Options.MaxWait + s_waitMargin);

    private async Task<long> ResetAsync(IPartitionGrain grain, PartitionId id, long offset, ReadResult result)
    {
        if (_parts.Options.OffsetReset == OffsetReset.Throw)
        {
            throw new LogException(
                ErrorCode.OffsetOutOfRange,
                $"{Partition}: offset {offset} is not in the log, which goes from {result.LogStartOffset} to {result.HighWatermark} (exclusive)");
        }

        // Paused as well as reset: a log that answers so for ever must not be asked without rest.
        await _retries.EndureAsync(ErrorCode.OffsetNotAvailable, $"offset {offset} is not in the log; going to {_parts.Options.OffsetReset}");
        return await ResolveAsync(grain, id, _parts.Options.OffsetReset == OffsetReset.Latest ? LogPosition.Latest : LogPosition.Earliest);
    }

    private async Task<long> ResolveAsync(IPartitionGrain grain, PartitionId id, LogPosition position)
    {
        while (position.Offset is null)
        {
            var result = await _retries.AskAsync(() => grain.FindOffsetAsync(new OffsetQuery(position.QueryTimestamp)), _parts.Options.RequestTimeout);
            if (result.Error != ErrorCode.None)
                await EndureAsync(id, result.Error);
            else
                position = result.Offset < 0 ? LogPosition.Latest : LogPosition.At(result.Offset, result.LeaderEpoch);
        }

        // From now on a pause and a resume come back to this very place. A reset in mid-reading leaves the consumer where it is: it may
        // still have records to get that were read before.
        lock (_gate)
        {
            if (_position.Offset is null)
                _position = position;
        }

        return position.Offset.Value;
    }

    private async Task EndureAsync(PartitionId id, ErrorCode error)
    {
        // Deleted, or not known to its new silo yet: the catalog tells which.
        if (error == ErrorCode.UnknownTopicOrPartition)
            await PartitionLookup.ThrowIfGoneAsync(_parts.Topics, Partition, id, _retries);
        await _retries.EndureAsync(error, message: null);
    }
}
