using System.Runtime.InteropServices;
using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Granary.Grains.Placement;
using Granary.Grains.Storage;
using Orleans.Concurrency;
using Orleans.Runtime;

namespace Granary.Grains.Partitions;

/// <summary>
/// One partition's log. Key: <see cref="PartitionId.ToKey"/>. Persisted: everything that was acknowledged, by <see cref="IPartitionStore"/>; a restart
/// loses the tail cache and waiting readers, nothing else. Concurrency: reentrant, because appends wait for one group commit together and readers wait
/// for appends; whatever changes offsets or producers runs between two awaits, so calls take effect in the order in which they arrive.
/// States: see <see cref="PartitionOwnership"/>, which holds the log; this class decides what callers are told.
/// Refusals: while the log is not open, or a write certainly did not happen, NOT_LEADER_OR_FOLLOWER, which every client takes for "not written, refresh
/// metadata, try again" (KAFKA_STORAGE_ERROR is final for kafka-python); REQUEST_TIMED_OUT where nobody can tell; NOT_ENOUGH_REPLICAS where the writer
/// is full, or where an earlier batch of a new producer is to come first, which clients retry without asking for metadata.
/// </summary>
[Reentrant, KeepAlive, PlacedByMap]
internal sealed class PartitionGrain(IPartitionStore store, TopicDirectory topics, SiloPartitions silo) : Grain, IPartitionGrain, IGrainMigrationParticipant
{
    private PartitionOwnership _ownership = null!;
    private SegmentLimits? _limits;
    private TopicSettings? _limitsOf;
    private bool _retaining;
    private readonly RefusedBatches _refused = silo.NewRefusedBatches();
    private RecentReaders? _readers;
    private OldestUnread? _unread;
    private Func<HostedPartition>? _describe;
    private PartitionLuggage? _luggage;

    public override async Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _ownership = new PartitionOwnership(store, topics, silo, DeactivateOnIdle);
        if (!PartitionId.TryParse(this.GetPrimaryKeyString(), out var partition))
            return;
        if (!silo.Rehearsal.Holds(partition))
        {
            _describe = _ownership.Describe;
            silo.Placement.Hosted.Add(partition, _describe);
        }

        var luggage = _luggage;
        _luggage = null;
        try
        {
            await _ownership.StartAsync(partition, luggage, cancellationToken);
        }
        catch
        {
            // Orleans ends in order only what has begun. What this one goes on opening would take the log from whoever has it next.
            if (_ownership.Describe() is { LeaderEpoch: >= 0 and var epoch })
                silo.Happenings.Closed(partition, epoch, nameof(DeactivationReasonCode.ActivationFailed));
            Leave();
            throw;
        }
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (reason.ReasonCode == DeactivationReasonCode.Migrating)
            _luggage = _ownership.Pack(silo.Placement.Options.LuggageBytes) with { LeftAt = silo.NowMs };
        if (_ownership.MayBecomeReadable || reason.ReasonCode == DeactivationReasonCode.Migrating)
            silo.Happenings.Closed(_ownership.Partition, _ownership.Describe().LeaderEpoch, CauseOf(reason));
        await _ownership.CloseAsync(_luggage?.Producers is not null, cancellationToken);
        Leave();
    }

    public Task MoveAsync(SiloAddress from, SiloAddress to)
    {
        // A call that was sent while the grain moved already finds it where it belongs.
        return from.Equals(silo.Placement.LocalSilo) && !to.Equals(from) ? silo.Placement.Departures.SendAsync(this, to, _ownership.Readers.SendAway) : Task.CompletedTask;
    }

    public void OnDehydrate(IDehydrationContext dehydrationContext) =>
        dehydrationContext.TryAddValue(PartitionLuggage.Key, _luggage ?? _ownership.Pack(silo.Placement.Options.LuggageBytes));

    public void OnRehydrate(IRehydrationContext rehydrationContext)
    {
        if (rehydrationContext.TryGetValue<PartitionLuggage>(PartitionLuggage.Key, out var luggage))
            _luggage = luggage;
    }

    public Task<AppendResult> AppendAsync(AppendRequest request)
    {
        if (_ownership.Writable is not { } log)
            return RefuseUnopened(request.Batch);
        var now = silo.NowMs;
        var settings = _ownership.Settings;
        var bytes = MemoryMarshal.AsMemory(request.Batch.ToContiguous());
        if (!RecordBatchHeader.TryRead(bytes.Span, out var header))
            return Refuse(ErrorCode.CorruptMessage, $"the batch has {bytes.Length} bytes, fewer than a header");
        if (AppendCheck.Refuse(header, bytes.Length, settings, now) is { } refusal)
            return Refuse(refusal.Error, refusal.Message, log);
        var verdict = log.Producers.Check(header);
        return verdict.Kind switch
        {
            ProducerVerdictKind.Accepted when _refused.Precede(header, log.Producers, now) =>
                Refuse(ErrorCode.NotEnoughReplicas, "a batch that was sent before it was refused a moment ago, and comes first: try again later", log),
            ProducerVerdictKind.Accepted when request.ExpectedOffset >= 0 && request.ExpectedOffset != log.Offsets.StagedEndOffset => Task.FromResult(EndsElsewhere(log, request.ExpectedOffset)),
            ProducerVerdictKind.Accepted => Write(log, bytes, header, settings, now),
            ProducerVerdictKind.Duplicate => AnswerDuplicate(log, verdict.FirstCopy, settings),
            _ => RefuseProducerAsync(log, verdict),
        };
    }

    /// <summary>
    /// Ends many a client: so only for certain. An owner that was superseded without noticing knows the producers as they were, and not what they wrote since.
    /// </summary>
    private async Task<AppendResult> RefuseProducerAsync(OpenLog log, ProducerVerdict verdict) => await _ownership.IsOwnerAsync(log)
        ? await Refuse(verdict.Error, verdict.Message!, log)
        : await Refuse(_ownership.Refuse(), "the partition is not open for writing now");

    public Task<ReadResult> ReadAsync(ReadRequest request)
    {
        if (_ownership.Readable is not { } log)
            return RefuseRead(new ReadResult(_ownership.Refuse(), -1, -1, -1, -1, RecordBytes.Empty));
        if (LogReads.Refuse(log.Offsets, request) is var error and not ErrorCode.None)
            return error == ErrorCode.OffsetOutOfRange && request.Offset > log.Offsets.HighWatermark ? RefuseBeyondAsync(log, request) : RefuseRead(LogReads.Answer(log.Offsets, error));
        NoteReader(request.ClientId, request.Offset);
        var bound = LogReads.Bound(log.Offsets, request.Isolation);
        if (request.Offset >= bound)
            return Task.FromResult(LogReads.Answer(log.Offsets));
        var maxBytes = Math.Min(request.MaxBytes, silo.Options.MaxReadBytes);
        var found = new List<ReadOnlyMemory<byte>>();
        if (_ownership.Tail is not { } tail || !tail.TryRead(request.Offset, bound, maxBytes, request.Strict, found))
            return LogReads.ReadHistoryAsync(store, log, request with { MaxBytes = maxBytes }, bound, _ownership.Readers.Leaving);
        var records = RecordBytes.Of(found);
        PartitionMetrics.ReadTail(records.Length);
        log.CountRead(records.Length);
        return Task.FromResult(LogReads.Answer(log.Offsets, ErrorCode.None, records));
    }

    public Task WaitAsync(WaitRequest request)
    {
        if (!_ownership.MayBecomeReadable || request.MaxWait <= TimeSpan.Zero)
            return Task.CompletedTask;
        NoteReader(request.ClientId, request.Offset);
        return _ownership.Readable is { } log && LogReads.Bound(log.Offsets, request.Isolation) > request.Offset
            ? Task.CompletedTask
            : _ownership.Readers.WaitAsync(request);
    }

    public async Task<OffsetResult> FindOffsetAsync(OffsetQuery query)
    {
        if (_ownership.Readable is not { } log)
            return new OffsetResult(_ownership.Refuse(), -1, -1, -1);
        if (LogReads.CheckEpoch(log.Offsets, query.CurrentLeaderEpoch) is var error and not ErrorCode.None)
            return new OffsetResult(error, -1, -1, -1);
        var start = log.Offsets.LogStartOffset;
        switch (query.Timestamp)
        {
            case OffsetQuery.Latest:
                return new OffsetResult(ErrorCode.None, LogReads.Bound(log.Offsets, query.Isolation), -1, log.Offsets.LeaderEpoch);
            case OffsetQuery.Earliest or OffsetQuery.EarliestLocal:
                return new OffsetResult(ErrorCode.None, start, -1, log.Epochs.EpochAt(start));
            case OffsetQuery.LatestTiered:
                return new OffsetResult(ErrorCode.None, -1, -1, -1);
            case < 0 and not OffsetQuery.MaxTimestamp:
                return new OffsetResult(ErrorCode.InvalidRequest, -1, -1, -1);
        }

        using var late = new CancellationTokenSource(silo.Options.SearchTimeout, silo.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(late.Token, _ownership.Readers.Leaving);
        try
        {
            var search = new OffsetSearch(store, silo.Diagnostics);
            var found = query.Timestamp == OffsetQuery.MaxTimestamp
                ? await search.FirstOfMaxAsync(log.Owned, log.Offsets, limit.Token)
                : await search.FirstAtOrAfterAsync(log.Owned, log.Offsets, query.Timestamp, limit.Token);
            return new OffsetResult(ErrorCode.None, found.Offset, found.Timestamp, found.LeaderEpoch);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            return new OffsetResult(ErrorCode.RequestTimedOut, -1, -1, -1);
        }
        catch (Exception failure) when (LogReads.IsPassing(failure))
        {
            return new OffsetResult(ErrorCode.NotLeaderOrFollower, -1, -1, -1);
        }
    }

    public Task<EpochEndResult> FindEpochEndAsync(int leaderEpoch, int currentLeaderEpoch)
    {
        if (_ownership.Readable is not { } log)
            return Task.FromResult(new EpochEndResult(_ownership.Refuse(), -1, -1));
        if (LogReads.CheckEpoch(log.Offsets, currentLeaderEpoch) is var error and not ErrorCode.None)
            return Task.FromResult(new EpochEndResult(error, -1, -1));
        var (epoch, endOffset) = log.Epochs.FindEnd(leaderEpoch, log.Offsets.HighWatermark);
        return Task.FromResult(new EpochEndResult(ErrorCode.None, epoch, endOffset));
    }

    public async Task<RangeSize> MeasureAsync(OffsetRange range)
    {
        if (_ownership.Readable is not { } log)
            return new RangeSize(_ownership.Refuse(), -1);
        var (start, end) = (Math.Max(range.StartOffset, log.Offsets.LogStartOffset), Math.Min(range.EndOffset, log.Offsets.HighWatermark));
        try
        {
            return new RangeSize(ErrorCode.None, start < end ? await store.MeasureAsync(log.Owned, start, end, _ownership.Readers.Leaving) : 0);
        }
        catch (Exception failure) when (LogReads.IsPassing(failure))
        {
            return new RangeSize(ErrorCode.NotLeaderOrFollower, -1);
        }
    }

    public async Task<LagResult> MeasureLagAsync(long offset)
    {
        if (_ownership.Readable is not { } log)
            return new LagResult(_ownership.Refuse(), -1, -1, null);
        var age = await (_unread ??= new OldestUnread(store)).AgeAsync(log, _ownership.Tail, offset, silo.NowMs, _ownership.Readers.Leaving);
        return new LagResult(ErrorCode.None, log.Offsets.LogStartOffset, log.Offsets.HighWatermark, age);
    }

    public async Task<DeleteRecordsResult> DeleteRecordsAsync(long beforeOffset)
    {
        if (_ownership.Writable is not { } log)
            return new DeleteRecordsResult(_ownership.Refuse(), -1);
        var target = beforeOffset == -1 ? log.Offsets.HighWatermark : beforeOffset;
        if (target > log.Offsets.HighWatermark && !await _ownership.IsOwnerAsync(log))
            return new DeleteRecordsResult(_ownership.Refuse(), -1);
        if (target < 0 || target > log.Offsets.HighWatermark)
            return new DeleteRecordsResult(ErrorCode.OffsetOutOfRange, -1);
        if (target > log.Offsets.LogStartOffset && await _ownership.MoveStartAsync(log, target) is var error and not ErrorCode.None)
            return new DeleteRecordsResult(error, -1);
        return new DeleteRecordsResult(ErrorCode.None, (_ownership.Readable ?? log).Offsets.LogStartOffset);
    }

    public async Task ApplyRetentionAsync()
    {
        if (_ownership.Writable is not { } log || _retaining)
            return;
        _retaining = true;
        try
        {
            log.Producers.Expire(silo.NowMs);
            var segments = await store.ListSegmentsAsync(log.Owned, _ownership.Readers.Leaving);
            var newStart = Retention.NewLogStart(segments, log.Offsets.LogStartOffset, _ownership.Settings, silo.Time.GetUtcNow());

            // A batch may be on disk before its commit is known here.
            newStart = Math.Min(newStart, log.Offsets.HighWatermark);
            if (newStart > log.Offsets.LogStartOffset && !log.IsBroken)
                await _ownership.MoveStartAsync(log, newStart);
        }
        catch (OperationCanceledException)
        {
            // It moves: it is looked after where it is next.
        }
        finally
        {
            _retaining = false;
        }
    }

    public async Task<PartitionDescription> DescribeAsync()
    {
        if (_ownership.Readable is not { } log)
            return new PartitionDescription(_ownership.Refuse(), _ownership.Partition, -1, -1, -1, -1, 0, silo.Placement.LocalName, [], [], [], _ownership.Readers.Waiting, []);
        IReadOnlyList<StoredSegment> segments = [];
        var error = ErrorCode.None;
        try
        {
            segments = await store.ListSegmentsAsync(log.Owned, _ownership.Readers.Leaving);
        }
        catch (Exception failure) when (LogReads.IsPassing(failure))
        {
            error = failure is OperationCanceledException ? ErrorCode.NotLeaderOrFollower : ErrorCode.KafkaStorageError;
        }

        var readers = _readers?.Since(silo.NowMs - (long)silo.Options.RecentReaderAge.TotalMilliseconds) ?? [];
        return LogPicture.Of(log, error, segments, silo.Placement.LocalName, _ownership.Readers.Waiting, readers);
    }

    public Task DeleteAsync()
    {
        silo.Traffic.Forget(_ownership.Partition.TopicId);
        if (_ownership.MayBecomeReadable)
            silo.Happenings.Closed(_ownership.Partition, _ownership.Describe().LeaderEpoch, HappeningCause.Deleted);
        return _ownership.DeleteAsync();
    }

    private void Leave()
    {
        _ownership.Abandon();
        if (_describe is not null)
            silo.Placement.Hosted.Remove(_ownership.Partition, _describe);
    }

    private void NoteReader(string? clientId, long offset)
    {
        if (clientId is not null)
            (_readers ??= new RecentReaders(silo.Options.MaxRecentReaders)).Note(clientId, offset, silo.NowMs);
    }

    private static string CauseOf(DeactivationReason reason) =>
        reason.ReasonCode == DeactivationReasonCode.Migrating ? HappeningCause.Moved : reason.ReasonCode.ToString();

    /// <summary>Synchronous up to the point where the store has queued the batch: that fixes its place.</summary>
    private Task<AppendResult> Write(OpenLog log, Memory<byte> bytes, in RecordBatchHeader header, TopicSettings settings, long now)
    {
        var append = log.Stage(bytes, header, settings, now);
        try
        {
            append.Outcome = store.AppendAsync(log.Owned, new StagedBatch(
                append.Header.BaseOffset, append.Header.EndOffset, append.Header.MaxTimestamp, append.Bytes, LimitsOf(settings)));
        }
        catch (Exception defect)
        {
            append.Outcome = Task.FromException<AppendOutcome>(defect);
        }

        // Nothing was staged behind it yet, so a store that is full leaves no trace.
        if (append.Outcome is { IsCompletedSuccessfully: true, Result: AppendOutcome.Overloaded })
        {
            log.Unstage(append);
            _refused.Note(header, now);
            return Refuse(ErrorCode.NotEnoughReplicas, "the silo's queue for PostgreSQL is full: try again later", log);
        }

        log.Accept(append, now);
        _refused.Forget(header.ProducerId);
        return FinishAsync(log, append);
    }

    private Task<AppendResult> AnswerDuplicate(OpenLog log, in ProducerBatch firstCopy, TopicSettings settings)
    {
        PartitionMetrics.Duplicate();
        if (log.FindStaged(firstCopy.BaseOffset) is { } inFlight)
            return FinishAsync(log, inFlight);
        var logAppendTime = settings.TimestampType == TimestampType.LogAppendTime ? firstCopy.Timestamp : -1;
        return Task.FromResult(new AppendResult(
            ErrorCode.None, firstCopy.BaseOffset, logAppendTime, log.Offsets.LogStartOffset, log.Offsets.LeaderEpoch));
    }

    private async Task<AppendResult> FinishAsync(OpenLog log, StagedAppend append)
    {
        if (await _ownership.SettleAsync(log, append) is var error and not ErrorCode.None)
        {
            _refused.Note(append.Header, silo.NowMs);
            return await Refuse(error, "the batch was not written, or nobody can tell: see the error", log);
        }

        silo.Traffic.Succeeded();
        return new AppendResult(
            ErrorCode.None, append.Header.BaseOffset, append.LogAppendTime, log.Offsets.LogStartOffset, log.Offsets.LeaderEpoch);
    }

    private SegmentLimits LimitsOf(TopicSettings settings)
    {
        if (!ReferenceEquals(settings, _limitsOf))
            (_limits, _limitsOf) = (new SegmentLimits(settings.SegmentBytes, settings.SegmentAge, settings.Retention), settings);
        return _limits!;
    }

    /// <summary>
    /// Sends a reader back to where its group or its settings say: so only for certain. An owner that was superseded without noticing knows the log's end as
    /// it was, and the reader may have read further at the new one.
    /// </summary>
    private async Task<ReadResult> RefuseBeyondAsync(OpenLog log, ReadRequest request)
    {
        if (_ownership.Writable != log || !await _ownership.IsOwnerAsync(log))
            return await RefuseRead(LogReads.Answer(log.Offsets, _ownership.Refuse()));

        // It may have got there meanwhile.
        var answer = LogReads.Answer(log.Offsets, LogReads.Refuse(log.Offsets, request));
        return answer.Error == ErrorCode.None ? answer : await RefuseRead(answer);
    }

    private Task<ReadResult> RefuseRead(ReadResult refusal)
    {
        silo.Traffic.Failed();
        return Task.FromResult(refusal);
    }

    private AppendResult EndsElsewhere(OpenLog log, long expected)
    {
        silo.Traffic.Failed();
        PartitionMetrics.Refused(ErrorCode.OffsetOutOfRange);
        return new AppendResult(
            ErrorCode.OffsetOutOfRange, log.Offsets.StagedEndOffset, -1, log.Offsets.LogStartOffset, log.Offsets.LeaderEpoch, $"the log does not end at offset {expected}");
    }

    private Task<AppendResult> RefuseUnopened(RecordBytes batch)
    {
        if (!batch.IsEmpty && RecordBatchHeader.TryRead(batch.Pieces[0].Span, out var header))
            _refused.Note(header, silo.NowMs);
        return Refuse(_ownership.Refuse(), "the partition is not open for writing now");
    }

    private Task<AppendResult> Refuse(ErrorCode error, string message, OpenLog? log = null)
    {
        silo.Traffic.Failed();
        PartitionMetrics.Refused(error);
        return Task.FromResult(AppendResult.Refused(error, message, log?.Offsets.LeaderEpoch ?? -1, log?.Offsets.LogStartOffset ?? -1));
    }
}
