using System.Collections;
using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>What a group's members were given: at each offset the record that lies there in the end, and all of them together every record at least once.</summary>
internal sealed class GroupReadCheck(Anomalies anomalies)
{
    private readonly Dictionary<(int Group, int Partition), BitArray> _processed = [];
    private readonly HashSet<int> _groups = [];

    public void Look(in HistoryEvent one, FoundLog log)
    {
        if (one.Kind == HistoryEventKind.Assigned)
            _groups.Add(one.Group);
        if (one.Kind != HistoryEventKind.Processed)
            return;
        if (log.Knows(one.Offset) && log.At(one.Offset) != one.Record)
            anomalies.Add($"member {one.Client} of group {one.Group} was given {one.Record} at offset {one.Offset} of partition {one.Partition}, where {(log.At(one.Offset) is { } other ? other.ToString() : "nothing")} lies");
        if (one.Offset < 0 || one.Offset >= log.End)
            return;
        _groups.Add(one.Group);
        ref var processed = ref CollectionsMarshal.GetValueRefOrAddDefault(_processed, (one.Group, one.Partition), out _);
        processed ??= new BitArray((int)log.End);
        processed[(int)one.Offset] = true;
    }

    public void Finish(int partition, FoundLog log)
    {
        foreach (var group in _groups)
        {
            var processed = _processed.GetValueOrDefault((group, partition));
            for (var offset = log.Start; offset < log.End; offset++)
            {
                if (processed is null || !processed[(int)offset])
                    anomalies.Add($"group {group} never processed offset {offset} of partition {partition}");
            }
        }
    }
}
