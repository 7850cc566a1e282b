namespace Granary.Support.Histories;

/// <summary>What producers sent and were told, beside what was found.</summary>
internal sealed class ProducerCheck(Anomalies anomalies)
{
    /// <summary>How many records a producer sent to a partition so far: they are numbered from 0.</summary>
    private readonly Dictionary<(int Producer, int Partition), long> _sent = [];

    /// <summary>The highest offset that anybody was told so far, by partition.</summary>
    private readonly Dictionary<int, long> _highest = [];

    /// <summary>Offsets told for records that do not lie there; those that do are told apart by their places.</summary>
    private readonly Dictionary<(int Partition, long Offset), SentRecord> _toldWrongly = [];

    /// <summary>Offsets told that were trimmed before anybody read them: nothing else says what lay there.</summary>
    private readonly Dictionary<(int Partition, long Offset), SentRecord> _toldBelow = [];

    public bool WasSent(SentRecord record) => _sent.TryGetValue((record.Producer, record.Partition), out var count) && record.Number >= 0 && record.Number < count;

    public void Look(in HistoryEvent one, FoundLog log)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Sent:
                Send(one.Record, log);
                break;
            case HistoryEventKind.Acknowledged:
                Acknowledge(one.Record, one.Offset, log);
                break;
            case HistoryEventKind.Failed when log.PlaceOf(one.Record) is { } place:
                anomalies.Add($"{one.Record} failed for good and lies at offset {place}");
                break;
        }
    }

    public void Finish(FoundLog log)
    {
        foreach (var record in log.Records)
        {
            if (!WasSent(record))
                anomalies.Add($"{record} was never sent");
        }
    }

    /// <summary>Whoever sends after another's answer lies behind that other one: the offsets of a log grow with time.</summary>
    private void Send(SentRecord record, FoundLog log)
    {
        var key = (record.Producer, record.Partition);
        _sent[key] = Math.Max(_sent.GetValueOrDefault(key), record.Number + 1);
        if (log.PlaceOf(record) is { } place && _highest.TryGetValue(record.Partition, out var highest) && place <= highest)
            anomalies.Add($"{record} was sent after offset {highest} was acknowledged and lies at offset {place}");
    }

    private void Acknowledge(SentRecord record, long offset, FoundLog log)
    {
        if (offset < 0)
        {
            if (log.PlaceOf(record) is null && !log.MayBeTrimmed(record))
                anomalies.Add($"{record} was acknowledged and is not there");
            return;
        }

        _highest[record.Partition] = Math.Max(_highest.GetValueOrDefault(record.Partition, -1), offset);
        if (log.At(offset) == record)
            return;
        if (!log.Knows(offset))
        {
            if (!_toldBelow.TryAdd((record.Partition, offset), record) && _toldBelow[(record.Partition, offset)] is var former && former != record)
                anomalies.Add($"offset {offset} of partition {record.Partition} was told to 2 records: {record}, and {former}; it was trimmed unread");
            return;
        }

        anomalies.Add($"{record} was acknowledged at offset {offset} and is not there");
        if (log.At(offset) is { } other)
            anomalies.Add($"offset {offset} of partition {record.Partition} was told to 2 records: {record}, and {other} {(offset < log.Start ? "was read" : "lies")} there");
        else if (!_toldWrongly.TryAdd((record.Partition, offset), record))
            anomalies.Add($"offset {offset} of partition {record.Partition} was told to 2 records: {record}, and {_toldWrongly[(record.Partition, offset)]}; neither lies there");
    }
}
