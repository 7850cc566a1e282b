using Granary.Abstractions.Cluster;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Topics;
using Granary.Grains.Storage;

namespace Granary.Grains.Partitions;

/// <summary>
/// Opens a partition's log, keeps it open, and settles writes. Runs on its grain's thread only. Transitions: Missing -> Opening -> Open; Opening -> Missing
/// (no such topic or partition) and Deleted; Open -> Opening (a write under this ownership failed, or nobody can tell) and Fenced; any -> Deleted
/// (the topic was deleted) and Closed. Nothing leaves Fenced but Deleted and Closed, nothing leaves Deleted but Closed.
/// </summary>
internal sealed class PartitionOwnership(IPartitionStore store, TopicDirectory topics, SiloPartitions silo, Action endActivation)
{
    private readonly CancellationTokenSource _ending = new();
    private OwnershipState _state;
    private OpenLog? _log;
    private TailView? _tail;
    private TopicDescription? _topic;
    private long _producersSavedAt;
    private Task<bool> _savingProducers = Task.FromResult(true);
    private long _openingSince;
    private PartitionLuggage? _luggage;

    public PartitionId Partition { get; private set; }

    /// <summary>The log, where it can be appended to. None while the silo cannot be sure that it is a member: so too for reading.</summary>
    public OpenLog? Writable => _state == OwnershipState.Open && silo.Placement.Lease.IsValid ? _log : null;

    /// <summary>The log, where it is open, or as it was known before it is opened anew.</summary>
    public OpenLog? Readable => MayBecomeReadable && silo.Placement.Lease.IsValid ? _log : null;

    public bool MayBecomeReadable => _state is OwnershipState.Open or OwnershipState.Opening;

    public TailView? Tail => _tail;

    public PartitionReaders Readers { get; } = new(silo);

    /// <summary>The topic's configs as they are now; as they were, where the topic has just been deleted.</summary>
    public TopicSettings Settings
    {
        get
        {
            _topic = topics.Find(Partition.TopicId) ?? _topic;
            return topics.SettingsOf(_topic!);
        }
    }

    /// <summary>What to tell a caller while there is no log for it. Ends the activation of a partition that does not exist.</summary>
    public ErrorCode Refuse()
    {
        if (_state is not (OwnershipState.Missing or OwnershipState.Deleted))
            return ErrorCode.NotLeaderOrFollower;
        endActivation();
        return ErrorCode.UnknownTopicOrPartition;
    }

    /// <summary>Opens the log; returns when it is open, or when <see cref="PartitionOptions.OpenPatience"/> is over and it is tried in the background.</summary>
    public async Task StartAsync(PartitionId partition, PartitionLuggage? luggage, CancellationToken cancellation)
    {
        (Partition, _luggage) = (partition, luggage);
        try
        {
            await OpenAsync().WaitAsync(silo.Options.OpenPatience, silo.Time, cancellation);
        }
        catch (TimeoutException)
        {
            // Callers are told to try again until it is open.
        }

        // It may have opened at the same moment; an activation that is given up begins nothing.
        cancellation.ThrowIfCancellationRequested();
    }

    /// <summary>The newest batches, at most so many bytes, for the next activation's tail; and the producers, where none of their batches is in doubt.</summary>
    public PartitionLuggage Pack(int maxBytes) => PartitionLuggage.Of(
        _tail?.Newest(maxBytes) ?? [],
        Writable is { LastStaged: null } log ? new CarriedProducers(log.Offsets.HighWatermark, ProducerSnapshot.Write(log.Producers), log.UnsavedBatches) : null);

    public HostedPartition Describe() => _log is { } log
        ? new HostedPartition(Partition, _state == OwnershipState.Open ? log.Offsets.LeaderEpoch : -1, log.Offsets.LogStartOffset, log.Offsets.HighWatermark)
        : new HostedPartition(Partition, -1, -1, -1);

    /// <summary>Waits for a staged batch's fate: None where it is on disk, else what to tell its producer.</summary>
    public async Task<ErrorCode> SettleAsync(OpenLog log, StagedAppend append)
    {
        var outcome = await OutcomeOfAsync(append);
        switch (outcome)
        {
            case AppendOutcome.Committed:
                Commit(log, append);
                return ErrorCode.None;
            case AppendOutcome.Fenced:
                Fence(log);
                return Refuse();
            case AppendOutcome.Unknown:
                Break(log, outcome);
                return await DecideAsync(log, append);
            default:
                // Overloaded too: by now later batches may be staged behind it, which cannot be taken back.
                Break(log, outcome);
                return Refuse();
        }
    }

    /// <summary>
    /// Moves the log start up, within the high watermark. None, or what to tell the caller. The producers are saved first: who opens the log next
    /// cannot learn from batches that are gone what came last of each.
    /// </summary>
    public async Task<ErrorCode> MoveStartAsync(OpenLog log, long logStartOffset)
    {
        if (!await SaveProducersAsync(log))
            return Refuse();
        var former = log.Offsets.LogStartOffset;
        var outcome = await store.AdvanceLogStartAsync(log.Owned, logStartOffset, CancellationToken.None);
        if (!Survives(log, outcome))
            return Refuse();

        // The log may have been opened anew meanwhile: it was read before or after, so it is told in any case.
        foreach (var current in log == _log ? [log] : new[] { log, _log })
        {
            if (current is not null && current.Offsets.AdvanceStart(logStartOffset))
                current.Epochs.TruncateStart(logStartOffset);
        }

        _tail?.DropBefore(logStartOffset);
        silo.Diagnostics.LogStartMoved(Partition, former, logStartOffset);
        return ErrorCode.None;
    }

    /// <summary>Asks the store whether this is the partition's owner still.</summary>
    public async Task<bool> IsOwnerAsync(OpenLog log) => Survives(log, await store.ConfirmAsync(log.Owned, CancellationToken.None));

    /// <summary>Deletes the log for ever; whoever waits or comes is told so. Safe to repeat.</summary>
    public async Task DeleteAsync()
    {
        End(OwnershipState.Deleted);
        if (Partition.TopicId == default)
            return;
        await store.DeleteAsync(Partition, CancellationToken.None);
        silo.Diagnostics.Deleted(Partition);
        endActivation();
    }

    /// <summary>Ends in order: appends that wait are settled and the producers saved, as far as <paramref name="cancellation"/> leaves time.</summary>
    /// <param name="carried">The producers go to the next owner as they are: saving them would only keep it waiting.</param>
    public async Task CloseAsync(bool carried, CancellationToken cancellation)
    {
        var log = Writable;
        End(OwnershipState.Closed);
        // Where no time is left, the next opening reads more headers.
        if (!carried && log is { UnsavedBatches: > 0 })
            await ((Task)SaveProducersAsync(log)).WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        log?.SucceedBy(null);
    }

    /// <summary>Ends at once, whatever is under way: nothing is settled and nothing saved. Safe to repeat.</summary>
    public void Abandon()
    {
        End(OwnershipState.Closed);
        _log?.SucceedBy(null);
    }

    private async Task OpenAsync()
    {
        (_state, _openingSince) = (OwnershipState.Opening, silo.Time.GetTimestamp());
        var delay = silo.Options.ReopenDelay;
        for (var attempt = 1; _state == OwnershipState.Opening; attempt++)
        {
            try
            {
                if (await TryOpenAsync())
                    return;
            }
            catch (PartitionDeletedException)
            {
                End(OwnershipState.Deleted);
                return;
            }
            catch (OperationCanceledException) when (_ending.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                PartitionMetrics.Opening("failed");
                silo.Diagnostics.CannotOpen(failure, Partition, attempt);
            }

            // Many partitions lose PostgreSQL at the same moment; they need not all come back at the same moment.
            await Task.Delay(delay * (0.5 + (Random.Shared.NextDouble() / 2)), silo.Time, _ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            delay = delay * 2 < silo.Options.ReopenDelayMax ? delay * 2 : silo.Options.ReopenDelayMax;
        }
    }

    /// <summary>True when there is nothing more to try.</summary>
    private async Task<bool> TryOpenAsync()
    {
        if (!await ExistsAsync())
        {
            if (_state == OwnershipState.Opening)
                End(OwnershipState.Missing);
            PartitionMetrics.Opening("missing");
            silo.Diagnostics.Missing(Partition);
            return true;
        }

        var opened = await store.OpenAsync(Partition, _luggage?.Producers, _ending.Token);
        if (_state != OwnershipState.Opening)
            return true;
        var log = OpenLog.From(opened, silo);
        var former = _log;

        // The tail ends at the high watermark always: what was in doubt, or somebody else's, is not in it.
        if (former is not null && former.Offsets.HighWatermark != log.Offsets.HighWatermark)
            _tail?.Clear();
        _tail?.DropBefore(log.Offsets.LogStartOffset);
        (_log, _state) = (log, OwnershipState.Open);
        silo.Happenings.Opened(Partition, log, silo.Time.GetElapsedTime(_openingSince), PartitionHappenings.CauseOf(former is not null, _luggage is not null));
        if (!silo.Rehearsal.Holds(Partition))
            silo.Placement.Hosted.TellOpened(Partition, log.Offsets.LeaderEpoch);
        Unpack(log);
        if (former is null)
            PartitionMetrics.Open(1);
        former?.SucceedBy(log);
        Readers.Wake(log.Offsets.HighWatermark);
        PartitionMetrics.Opening("opened");
        silo.Diagnostics.Opened(Partition, log.Offsets.LeaderEpoch, log.Offsets.LogStartOffset, log.Offsets.HighWatermark, log.Producers.Count);
        return true;
    }

    /// <summary>What came along is used where it ends at the log's end: nobody has written in between.</summary>
    private void Unpack(OpenLog log)
    {
        (var luggage, _luggage) = (_luggage, null);
        if (luggage is { LeftAt: > 0 })
            PartitionHappenings.MovedIn(TimeSpan.FromMilliseconds(silo.NowMs - luggage.LeftAt));
        if (luggage is null || luggage.EndOffset != log.Offsets.HighWatermark || _tail is not null)
            return;
        _tail = silo.Tail.NewView();
        foreach (var batch in luggage.Batches)
            _tail.Add(batch.BaseOffset, batch.EndOffset, batch.Bytes.ToContiguous());
        _tail.DropBefore(log.Offsets.LogStartOffset);
    }

    private async Task<bool> ExistsAsync()
    {
        _topic = silo.Rehearsal.Holds(Partition) ? silo.Rehearsal.Topic : await topics.FindOrAskAsync(Partition.TopicId);
        if (_topic is not null && Partition.Index >= _topic.PartitionCount)
        {
            // It may have got more partitions a moment ago.
            await topics.RefreshAsync();
            _topic = topics.Find(Partition.TopicId);
        }

        return _topic is not null && Partition.Index < _topic.PartitionCount;
    }

    private async Task<AppendOutcome> OutcomeOfAsync(StagedAppend append)
    {
        try
        {
            return await append.Outcome;
        }
        catch (Exception defect)
        {
            // The store promises not to throw, so nothing is known.
            silo.Diagnostics.StoreDefect(defect, Partition);
            return AppendOutcome.Unknown;
        }
    }

    private void Commit(OpenLog log, StagedAppend append)
    {
        var isCurrent = log == _log && MayBecomeReadable;
        var tail = isCurrent ? _tail ??= silo.Tail.NewView() : null;
        if (!log.Commit(append, tail) || !isCurrent)
            return;
        Readers.Wake(log.Offsets.HighWatermark);
        if (log.UnsavedBatches >= silo.Options.ProducerSaveBatches && _savingProducers.IsCompleted && !log.IsBroken
            && silo.NowMs - _producersSavedAt >= silo.Options.ProducerSaveInterval.TotalMilliseconds)
            SaveProducersAsync(log).Ignore();
    }

    /// <summary>What became of an append whose commit gave no answer: the log is opened anew, and tells.</summary>
    private async Task<ErrorCode> DecideAsync(OpenLog log, StagedAppend append)
    {
        OpenLog? found = null;
        try
        {
            found = await log.Successor.WaitAsync(silo.Options.InDoubtPatience, silo.Time);
        }
        catch (TimeoutException)
        {
            // PostgreSQL is still away.
        }

        var verdict = found is null
            ? InDoubtVerdict.Unknown
            : InDoubt.Decide(log.Offsets.LeaderEpoch, append.Header.BaseOffset, found.Offsets, found.Epochs);
        PartitionMetrics.InDoubt(verdict.ToString());
        silo.Diagnostics.InDoubtDecided(Partition, log.Offsets.LeaderEpoch, append.Header.BaseOffset, verdict);
        return verdict switch
        {
            InDoubtVerdict.Committed => ErrorCode.None,
            InDoubtVerdict.NotWritten => ErrorCode.NotLeaderOrFollower,
            _ => ErrorCode.RequestTimedOut,
        };
    }

    /// <summary>Saves the producers, staged batches included: so it waits until those are on disk. False where they do not get there. One at a time.</summary>
    private Task<bool> SaveProducersAsync(OpenLog log) => _savingProducers = SaveProducersAsync(log, _savingProducers);

    private async Task<bool> SaveProducersAsync(OpenLog log, Task former)
    {
        await former;
        if (log.UnsavedBatches == 0)
            return true;
        _producersSavedAt = silo.NowMs;
        var (asOf, batches) = (log.Offsets.StagedEndOffset, log.UnsavedBatches);
        var snapshot = ProducerSnapshot.Write(log.Producers);
        try
        {
            if (log.LastStaged is { } last && await OutcomeOfAsync(last) != AppendOutcome.Committed)
                return false;
            if (!Survives(log, await store.SaveProducersAsync(log.Owned, asOf, snapshot, CancellationToken.None)))
                return false;
            log.UnsavedBatches -= batches;
            return true;
        }
        catch (Exception failure)
        {
            silo.Diagnostics.ProducersNotSaved(failure, Partition);
            return false;
        }
    }

    /// <summary>True where a write beside appends went well; otherwise the ownership is lost.</summary>
    private bool Survives(OpenLog log, AppendOutcome outcome)
    {
        if (outcome == AppendOutcome.Committed)
            return true;
        if (outcome == AppendOutcome.Fenced)
            Fence(log);
        else
            Break(log, outcome);
        return false;
    }

    private void Break(OpenLog log, AppendOutcome outcome)
    {
        if (!log.Break() || log != _log || _state != OwnershipState.Open)
            return;
        PartitionMetrics.Lost(outcome.ToString());
        silo.Diagnostics.Broken(Partition, log.Offsets.LeaderEpoch, outcome);
        OpenAsync().Ignore();
    }

    private void Fence(OpenLog log)
    {
        if (log != _log || !MayBecomeReadable)
            return;
        PartitionMetrics.Lost("Fenced");
        silo.Diagnostics.Fenced(Partition, log.Offsets.LeaderEpoch);
        End(OwnershipState.Fenced);
        endActivation();
    }

    /// <summary>Leaves the open states, for good: whoever waits is answered. A closing log may still settle what was staged.</summary>
    private void End(OwnershipState state)
    {
        if (MayBecomeReadable && _log is not null)
            PartitionMetrics.Open(-1);
        _state = state;
        _ending.Cancel();
        _tail?.Clear();
        Readers.SendAway();
        if (state != OwnershipState.Closed)
            _log?.SucceedBy(null);
    }
}
