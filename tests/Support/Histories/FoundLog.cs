using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// One partition's log as it was found when all was over: offset by offset, and for each producer where its records lie. Finds holes and
/// repeats of offsets, records that lie there twice or in a foreign partition, and a producer's records out of order. Below its start, where nothing
/// is found any more, the log is what readers were given while it was there: the first that was given an offset says which record lay there.
/// </summary>
internal sealed class FoundLog(int partition, Anomalies anomalies)
{
    private const long Absent = -1;

    /// <summary>What lies behind a larger one is not looked at: it would take memory to no purpose.</summary>
    private const long LargestKeptHole = 1_000_000;

    private readonly List<(int Producer, int Partition, long Number)> _records = [];
    private readonly Dictionary<int, ProducersPlaces> _producers = [];

    /// <summary>What was read below the start.</summary>
    private readonly SortedDictionary<long, SentRecord> _trimmed = [];
    private long _start;
    private bool _hasRecords;

    /// <summary>The first offset (inclusive).</summary>
    public long Start => _start;

    /// <summary>The offset after the last record (exclusive).</summary>
    public long End => _start + _records.Count;

    public void StartAt(long offset)
    {
        if (!_hasRecords)
            _start = offset;
    }

    /// <summary>The next record, in the order of offsets.</summary>
    public void Append(long offset, SentRecord record)
    {
        if (!_hasRecords && offset != _start)
        {
            if (_start > 0 || offset < _start)
                anomalies.Add($"partition {partition} starts at offset {_start}, and its first record lies at {offset}");
            else if (offset > 0)
                anomalies.Add($"partition {partition} has a hole between offsets {_start - 1} and {offset}");
            _start = offset;
        }

        _hasRecords = true;
        if (offset < End)
        {
            anomalies.Add($"offset {offset} of partition {partition} was read twice");
            return;
        }

        if (offset > End)
            anomalies.Add($"partition {partition} has a hole between offsets {End - 1} and {offset}");
        if (offset - End > LargestKeptHole)
            return;
        while (End < offset)
            _records.Add((-1, -1, -1));
        _records.Add((record.Producer, record.Partition, record.Number));
    }

    /// <summary>A reader was given this: below the start it says what lay there, unless another reader has said so before.</summary>
    public void Learn(long offset, SentRecord record)
    {
        if (offset >= 0 && offset < _start)
            _trimmed.TryAdd(offset, record);
    }

    /// <summary>All is found and learned: looks for records that lie in two places or out of order.</summary>
    public void Close()
    {
        foreach (var (offset, record) in _trimmed)
            Place(offset, record);
        for (var offset = _start; offset < End; offset++)
        {
            if (At(offset) is { } record)
                Place(offset, record);
        }
    }

    /// <summary>Whether it is known what lies at an offset, or that nothing does; not where it was trimmed before anybody read it.</summary>
    public bool Knows(long offset) => offset >= _start || _trimmed.ContainsKey(offset);

    /// <summary>What lies at an offset, or lay there; null where nothing does.</summary>
    public SentRecord? At(long offset)
    {
        if (offset < _start)
            return _trimmed.TryGetValue(offset, out var trimmed) ? trimmed : null;
        if (offset >= End)
            return null;
        var (producer, home, number) = _records[(int)(offset - _start)];
        return producer == -1 && number == -1 ? null : new SentRecord(producer, home, number);
    }

    /// <summary>Where a record lies, or lay when it was read; null where neither is known.</summary>
    public long? PlaceOf(SentRecord record) =>
        _producers.TryGetValue(record.Producer, out var places) && record.Number < places.Offsets.Count && record.Number >= 0 && places.Offsets[(int)record.Number] != Absent
            ? places.Offsets[(int)record.Number]
            : null;

    /// <summary>Whether the record may have lain before the log's start: it comes before all that are left of its producer.</summary>
    public bool MayBeTrimmed(SentRecord record) => _start > 0 && (!_producers.TryGetValue(record.Producer, out var places) || record.Number < places.FirstLeft);

    /// <summary>All records, in the order of offsets.</summary>
    public IEnumerable<SentRecord> Records => _records.Where(record => record.Number >= 0).Select(record => new SentRecord(record.Producer, record.Partition, record.Number));

    private void Place(long offset, SentRecord record)
    {
        if (record.Partition != partition)
        {
            anomalies.Add($"{record} lies in partition {partition}");
            return;
        }

        if (record.Number is < 0 or > int.MaxValue)
            return;
        ref var places = ref CollectionsMarshal.GetValueRefOrAddDefault(_producers, record.Producer, out _);
        places ??= new ProducersPlaces();
        if (offset >= _start)
            places.FirstLeft = Math.Min(places.FirstLeft, record.Number);
        if (PlaceOf(record) is { } former)
            anomalies.Add($"{record} lies at offsets {former}, {offset}");
        else if (record.Number < places.Offsets.Count)
            anomalies.Add($"producer {record.Producer} on partition {partition}: {record.Number} lies behind {places.Offsets.Count - 1}");
        while (places.Offsets.Count <= record.Number)
            places.Offsets.Add(Absent);
        places.Offsets[(int)record.Number] = offset;
    }

    private sealed class ProducersPlaces
    {
        /// <summary>The lowest number that is left: what came before it was trimmed, or never arrived.</summary>
        public long FirstLeft { get; set; } = long.MaxValue;

        /// <summary>By number.</summary>
        public List<long> Offsets { get; } = [];
    }
}
