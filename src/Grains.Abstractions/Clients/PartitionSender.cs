using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;
using Microsoft.Extensions.Logging;

namespace Granary.Abstractions.Clients;

/// <summary>What the senders of one producer share.</summary>
internal sealed record ProducerParts(
    IGrainFactory Grains,
    TopicDirectory Topics,
    LogProducerOptions Options,
    ClientClock Clock,
    ILogger Logger,
    Action<long> ReleaseMemory)
{
    public required SendTally Tally { get; init; }

    public ProducerIds Ids { get; } = new(Grains);

    public Backoff Backoff => new(Options.RetryBackoff, Options.MaxRetryBackoff);
}

/// <summary>
/// Sends one partition's records: a loop that wakes when something may be sent, makes the calls in order, and lets each answer find its
/// way back by itself. Parked while there is nothing to do.
/// </summary>
internal sealed class PartitionSender
{
    private readonly TopicPartition _name;
    private readonly PartitionId _id;
    private readonly ProducerParts _parts;
    private readonly IPartitionGrain _partition;
    private readonly Lock _gate = new();
    private readonly BatchAccumulator _accumulator;
    private readonly PartitionOutbox _outbox;
    private readonly Wakeup _wakeup = new();
    private readonly ITimer _timer;
    private readonly Task _sending;
    private bool _hadProducerId;
    private Exception? _lastFailure;

    public PartitionSender(TopicPartition name, PartitionId id, ProducerParts parts)
    {
        _name = name;
        _id = id;
        _parts = parts;
        _partition = parts.Grains.GetGrain<IPartitionGrain>(id.ToKey());
        _accumulator = new BatchAccumulator(parts.Options);
        _outbox = new PartitionOutbox(parts.Options.MaxInFlight);
        _timer = parts.Clock.CreateTimer(_wakeup.Set);

        // The loop outlives whichever request made the first send: it must not carry that one's context along.
        using (ExecutionContext.SuppressFlow())
            _sending = Task.Run(SendAsync);
    }

    /// <summary>Takes a record; its answer comes by its own task.</summary>
    public void Add(PendingSend send, int maxBatchBytes)
    {
        bool wake;
        lock (_gate)
        {
            var wasEmpty = _accumulator.IsEmpty;
            var full = _accumulator.Add(send, maxBatchBytes, _parts.Clock.Now);
            if (full is not null)
                _outbox.Enqueue(full);

            // Part of the flush where it waited for memory or for its topic when that began.
            if (_parts.Tally.IsFlushing)
                _accumulator.Flush();
            wake = wasEmpty || full is not null || _accumulator.RipeAt <= _parts.Clock.Now;
        }

        if (wake)
            _wakeup.Set();
    }

    /// <summary>Sends what was gathered without lingering on.</summary>
    public void Flush()
    {
        lock (_gate)
            _accumulator.Flush();
        _wakeup.Set();
    }

    /// <summary>Ends the loop. What is unanswered by then never will be.</summary>
    public async ValueTask StopAsync()
    {
        _wakeup.Close();
        await _sending;
        await _timer.DisposeAsync();
    }

    private async Task SendAsync()
    {
        do
        {
            while (TakeNext() is { } next)
                _ = DeliverAsync(next);
            if (MustGetProducerId())
                await GetProducerIdAsync();
        }
        while (await _wakeup.WaitAsync());
    }

    private OutgoingBatch? TakeNext()
    {
        IReadOnlyList<OutgoingBatch> givenUp;
        OutgoingBatch? next;
        lock (_gate)
        {
            var now = _parts.Clock.Now;
            if ((_outbox.WantsMore || _accumulator.Deadline <= now) && _accumulator.TakeRipe(now) is { } ripe)
                _outbox.Enqueue(ripe);
            givenUp = _outbox.TakeGivenUp(now);
            next = _outbox.TakeNext(now);
            if (_outbox.TakeGivenUp(now) is { Count: > 0 } lost)
                givenUp = [.. givenUp, .. lost];
            if (next is null && Earliest(_outbox.WakeAfter(now), _outbox.WantsMore ? _accumulator.RipeAt : _accumulator.Deadline) is { } wakeAt)
                _parts.Clock.Arm(_timer, wakeAt);
        }

        foreach (var batch in givenUp)
            GiveUp(batch);
        return next;
    }

    private async Task DeliverAsync(OutgoingBatch batch)
    {
        AppendResult result;
        try
        {
            ProducerStamp stamp;
            lock (_gate)
                stamp = _outbox.StampOf(batch);
            var left = batch.Deadline - _parts.Clock.Now;
            var timeout = left < _parts.Options.RequestTimeout ? left : _parts.Options.RequestTimeout;
            result = await _partition
                .AppendAsync(new AppendRequest(new RecordBytes(batch.Encode(stamp))))
                .WaitAsync(timeout > TimeSpan.Zero ? timeout : TimeSpan.Zero, _parts.Clock.Provider);
        }
        catch (TimeoutException late)
        {
            _lastFailure = late;
            result = AppendResult.Refused(ErrorCode.RequestTimedOut, $"no answer within RequestTimeout, {_parts.Options.RequestTimeout}");
        }
        catch (Exception failed)
        {
            // The call itself failed, so nobody knows what became of the batch: as when the network breaks.
            _lastFailure = failed;
            result = AppendResult.Refused(ErrorCode.NetworkException, failed.Message);
        }

        var verdict = DeliveryVerdicts.Of(result.Error);
        if (verdict == DeliveryVerdict.Retriable && result.Error == ErrorCode.UnknownTopicOrPartition && await IsGoneAsync())
            verdict = DeliveryVerdict.Refused;
        lock (_gate)
            verdict = _outbox.Answer(batch, verdict, _parts.Clock.Now, _parts.Backoff.After(batch.Attempts));
        if (verdict == DeliveryVerdict.Delivered)
            Complete(batch, result);
        else if (verdict == DeliveryVerdict.Refused)
            Fail(batch, result.Error, result.Message ?? "the log refused the batch");
        else if (result.Error != ErrorCode.OutOfOrderSequenceNumber || batch.WasSentFirst)
            ClientDiagnostics.Retried(_parts.Logger, _name.ToString(), batch.Attempts, $"{result.Error} {result.Message}", _lastFailure);
        _wakeup.Set();
    }

    private async Task<bool> IsGoneAsync()
    {
        try
        {
            await _parts.Topics.RefreshAsync();
            return _parts.Topics.Find(_id.TopicId) is not { } topic || topic.PartitionCount <= _id.Index;
        }
        catch (Exception failed)
        {
            // The catalog does not answer: the topic's fate is unknown, and the batch is tried again.
            _lastFailure = failed;
            return false;
        }
    }

    private bool MustGetProducerId()
    {
        lock (_gate)
            return _outbox.NeedsProducerId && !_outbox.IsEmpty;
    }

    private async Task GetProducerIdAsync()
    {
        try
        {
            var producerId = await _parts.Ids.GetAsync(isFirst: !_hadProducerId).WaitAsync(_parts.Options.RequestTimeout, _parts.Clock.Provider);
            _hadProducerId = true;
            lock (_gate)
                _outbox.UseProducerId(producerId);
        }
        catch (Exception failed)
        {
            _lastFailure = failed;
            ClientDiagnostics.Retried(_parts.Logger, _name.ToString(), 1, "no producer id", failed);
            await Task.Delay(_parts.Backoff.After(attempts: 1), _parts.Clock.Provider);
        }

        _wakeup.Set();
    }

    private void Complete(OutgoingBatch batch, AppendResult result)
    {
        _lastFailure = null;
        _parts.ReleaseMemory(batch.ReservedBytes);
        for (var i = 0; i < batch.Sends.Count; i++)
        {
            var send = batch.Sends[i];
            var offset = result.BaseOffset < 0 ? -1 : result.BaseOffset + i;
            send.Answer(new RecordMetadata(_name, offset, result.LogAppendTime < 0 ? send.Timestamp : result.LogAppendTime));
        }
    }

    private void GiveUp(OutgoingBatch batch)
    {
        if (batch.Deadline <= _parts.Clock.Now)
        {
            Fail(batch, ErrorCode.RequestTimedOut, $"not answered within DeliveryTimeout, {_parts.Options.DeliveryTimeout}, in {batch.Attempts} attempts");
            return;
        }

        Fail(
            batch,
            ErrorCode.OutOfOrderSequenceNumber,
            $"a batch before it is lost, and it may or may not be in the log itself: a call with it was not answered, in {batch.Attempts} attempts");
    }

    private void Fail(OutgoingBatch batch, ErrorCode error, string why)
    {
        ClientDiagnostics.GivenUp(_parts.Logger, _name.ToString(), $"{batch.RecordCount} records: {error} {why}", _lastFailure);
        _parts.ReleaseMemory(batch.ReservedBytes);
        foreach (var send in batch.Sends)
            send.Refuse(new LogException(error, $"{_name}: {why}", _lastFailure));
    }

    private static TimeSpan? Earliest(TimeSpan? one, TimeSpan? other) => one is null || other < one ? other : one;
}
