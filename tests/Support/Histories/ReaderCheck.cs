using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// What readers were given: offset after offset, and at each the record that lies there in the end, or that the first was given who read it. A reader may only skip to an offset that
/// somebody asked the log to start at before.
/// </summary>
internal sealed class ReaderCheck(Anomalies anomalies)
{
    private readonly Dictionary<(int Client, int Partition), long> _next = [];
    private readonly Dictionary<int, HashSet<long>> _asked = [];

    public void Look(in HistoryEvent one, FoundLog log, ProducerCheck producers)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Positioned:
                _next[(one.Client, one.Partition)] = one.Offset;
                break;
            case HistoryEventKind.TrimAsked:
                (CollectionsMarshal.GetValueRefOrAddDefault(_asked, one.Partition, out _) ??= []).Add(one.Offset);
                break;
            case HistoryEventKind.Trimmed when log.Start < one.Offset:
                anomalies.Add($"partition {one.Partition} was said to start at offset {one.Offset} and starts at {log.Start}");
                break;
            case HistoryEventKind.Read:
                Read(one, log, producers);
                break;
        }
    }

    public void Finish(int partition, FoundLog log)
    {
        if (log.Start != 0 && !WasAsked(partition, log.Start))
            anomalies.Add($"partition {partition} starts at offset {log.Start}, and nobody asked for that");
    }

    private void Read(in HistoryEvent one, FoundLog log, ProducerCheck producers)
    {
        ref var next = ref CollectionsMarshal.GetValueRefOrAddDefault(_next, (one.Client, one.Partition), out var isKnown);
        if (isKnown && one.Offset < next)
            anomalies.Add($"reader {one.Client} of partition {one.Partition} went back from offset {next - 1} to {one.Offset}");
        else if (isKnown && one.Offset > next && !WasAsked(one.Partition, one.Offset))
            anomalies.Add($"reader {one.Client} of partition {one.Partition} skipped from offset {next - 1} to {one.Offset}");
        next = one.Offset + 1;
        if (!producers.WasSent(one.Record))
            anomalies.Add($"reader {one.Client} was given {one.Record}, which was never sent before that");
        if (log.Knows(one.Offset) && log.At(one.Offset) != one.Record)
            anomalies.Add($"reader {one.Client} was given {one.Record} at offset {one.Offset} of partition {one.Partition}, where {Name(log.At(one.Offset))} lies");
    }

    private bool WasAsked(int partition, long offset) => _asked.TryGetValue(partition, out var asked) && asked.Contains(offset);

    private static string Name(SentRecord? record) => record is { } some ? some.ToString() : "nothing";
}
