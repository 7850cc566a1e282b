using System.Collections.Concurrent;
using Granary.Abstractions.Partitions;
using Granary.Abstractions.Records;
using Granary.Abstractions.Topics;

namespace Granary.Abstractions.Clients;

/// <summary>
/// Sends one topic's records on to their partitions. While the topic is not known yet its records wait, in order, for the catalog's
/// answer; all of them hold buffer memory, which bounds how many there are.
/// </summary>
internal sealed class TopicSender(string topic, ProducerParts parts)
{
    private readonly Lock _gate = new();
    private readonly Queue<PendingSend> _waiting = new();
    private readonly ConcurrentDictionary<PartitionId, PartitionSender> _partitions = new();
    private readonly StickyPartition _sticky = new(parts.Options.BatchSizeBytes, new Random());
    private bool _isStopped;

    public void Add(PendingSend send)
    {
        lock (_gate)
        {
            if (_waiting.Count == 0 && parts.Topics.Find(topic) is { } known)
            {
                Dispatch(send, known);
                return;
            }

            _waiting.Enqueue(send);
            if (_waiting.Count > 1)
                return;
        }

        using (ExecutionContext.SuppressFlow())
            _ = Task.Run(FindTopicAsync);
    }

    public void Flush()
    {
        foreach (var partition in _partitions.Values)
            partition.Flush();
    }

    public async ValueTask StopAsync()
    {
        lock (_gate)
            _isStopped = true;
        foreach (var partition in _partitions.Values)
            await partition.StopAsync();
    }

    private async Task FindTopicAsync()
    {
        while (true)
        {
            TopicDescription? found = null;
            Exception? failure = null;
            try
            {
                await parts.Topics.StartAsync();
                found = await parts.Topics.FindOrAskAsync(topic);
            }
            catch (Exception failed)
            {
                failure = failed;
            }

            if (Settle(found, failure))
                return;
            await Task.Delay(parts.Options.RetryBackoff, parts.Clock.Provider);
        }
    }

    /// <summary>Sends on, or fails, what waits; false where the catalog must be asked again.</summary>
    private bool Settle(TopicDescription? found, Exception? failure)
    {
        List<(PendingSend Send, LogException Error)> failed = [];
        bool isSettled;
        lock (_gate)
        {
            while (found is not null && _waiting.TryDequeue(out var send))
                Dispatch(send, found);
            while (_waiting.TryPeek(out var send) && (failure is null || send.BlockedUntil <= parts.Clock.Now || _isStopped))
            {
                _waiting.Dequeue();
                failed.Add((send, failure is null
                    ? new LogException(ErrorCode.UnknownTopicOrPartition, $"there is no topic {topic}: create it first (LogAdmin.CreateTopicAsync)")
                    : new LogException(ErrorCode.RequestTimedOut, $"topic {topic} was not found within MaxBlock, {parts.Options.MaxBlock}", failure)));
            }

            isSettled = _waiting.Count == 0;
        }

        // Outside the lock: releasing memory admits other sends, which come here.
        foreach (var (send, error) in failed)
            Fail(send, error);
        return isSettled;
    }

    private void Fail(PendingSend send, LogException error)
    {
        parts.ReleaseMemory(send.ReservedBytes);
        send.Refuse(error);
    }

    private void Dispatch(PendingSend send, TopicDescription found)
    {
        var index = send.Partition ?? (send.Record.Key is { } key
            ? Murmur2.PartitionOf(key.Span, found.PartitionCount)
            : _sticky.Choose(found.PartitionCount, send.ReservedBytes));
        if (index >= found.PartitionCount)
        {
            FailSoon(send, ErrorCode.UnknownTopicOrPartition, $"topic {topic} has {found.PartitionCount} partitions: there is no {index}");
            return;
        }

        // The log looks at a batch's times only, and refuses it whole: one record's time must not cost those their places that would lie beside it.
        var settings = parts.Topics.SettingsOf(found);
        if (settings.TimestampBoundsAt(parts.Clock.Provider.GetUtcNow().ToUnixTimeMilliseconds()) is { } bounds
            && RecordBatchCheck.CheckTimestamp(send.Timestamp, bounds) is { } refused)
        {
            FailSoon(send, refused.Error, $"{topic}: {refused.Message}");
            return;
        }

        var id = new PartitionId(found.TopicId, index);
        var sender = _partitions.GetOrAdd(
            id,
            static (id, args) => new PartitionSender(new TopicPartition(args.topic, id.Index), id, args.parts),
            (topic, parts));
        sender.Add(send, settings.MaxMessageBytes);
    }

    /// <summary>Not here: this may run while memory is being given out, and failing gives some back.</summary>
    private void FailSoon(PendingSend send, ErrorCode error, string why) => _ = Task.Run(() => Fail(send, new LogException(error, why)));
}
