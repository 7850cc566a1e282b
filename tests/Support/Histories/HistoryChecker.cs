namespace Granary.Support.Histories;

/// <summary>A record that a producer sent: who, to which partition, and its number in that producer's order on that partition.</summary>
public readonly record struct SentRecord(int Producer, int Partition, long Number);

/// <summary>What a producer was told: this record is on disk, at this offset.</summary>
public readonly record struct AcknowledgedRecord(SentRecord Record, long Offset);

/// <summary>What was found in a log when all was over.</summary>
public readonly record struct FoundRecord(int Partition, long Offset, SentRecord Record);

/// <summary>
/// Compares what producers with idempotence were told with what lies in the logs. Finds: acknowledged records that are lost or lie
/// elsewhere than told, offsets told twice, holes and repeats of offsets, records that lie there twice, records nobody sent, and a
/// producer's records out of their order. The list of tolerated anomalies is empty.
/// </summary>
public static class HistoryChecker
{
    public static List<string> Check(
        IReadOnlyCollection<SentRecord> sent,
        IReadOnlyCollection<AcknowledgedRecord> acknowledged,
        IReadOnlyCollection<FoundRecord> found)
    {
        var anomalies = new List<string>();
        CheckOffsets(found, anomalies);
        CheckRecords(sent, found, anomalies);
        CheckAcknowledged(acknowledged, found, anomalies);
        CheckOrder(found, anomalies);
        return anomalies;
    }

    private static void CheckOffsets(IReadOnlyCollection<FoundRecord> found, List<string> anomalies)
    {
        foreach (var log in found.GroupBy(record => record.Partition))
        {
            long? last = null;
            foreach (var record in log.OrderBy(record => record.Offset))
            {
                if (last == record.Offset)
                    anomalies.Add($"offset {record.Offset} of partition {log.Key} was read twice");
                else if (last is { } former && record.Offset != former + 1)
                    anomalies.Add($"partition {log.Key} has a hole between offsets {former} and {record.Offset}");
                last = record.Offset;
            }
        }
    }

    private static void CheckRecords(IReadOnlyCollection<SentRecord> sent, IReadOnlyCollection<FoundRecord> found, List<string> anomalies)
    {
        var known = sent.ToHashSet();
        foreach (var copies in found.GroupBy(record => record.Record))
        {
            if (copies.Count() > 1)
                anomalies.Add($"{copies.Key} lies at offsets {string.Join(", ", copies.Select(copy => copy.Offset))}");
            if (!known.Contains(copies.Key))
                anomalies.Add($"{copies.Key} was never sent");
            anomalies.AddRange(copies.Where(copy => copy.Partition != copies.Key.Partition).Select(copy => $"{copies.Key} lies in partition {copy.Partition}"));
        }
    }

    private static void CheckAcknowledged(
        IReadOnlyCollection<AcknowledgedRecord> acknowledged,
        IReadOnlyCollection<FoundRecord> found,
        List<string> anomalies)
    {
        var places = found.ToLookup(record => (record.Partition, record.Offset), record => record.Record);
        foreach (var told in acknowledged)
        {
            if (!places[(told.Record.Partition, told.Offset)].Contains(told.Record))
                anomalies.Add($"{told.Record} was acknowledged at offset {told.Offset} and is not there");
        }

        anomalies.AddRange(acknowledged
            .GroupBy(told => (told.Record.Partition, told.Offset))
            .Where(told => told.Select(one => one.Record).Distinct().Count() > 1)
            .Select(told => $"offset {told.Key.Offset} of partition {told.Key.Partition} was told to {told.Count()} records"));
    }

    private static void CheckOrder(IReadOnlyCollection<FoundRecord> found, List<string> anomalies)
    {
        foreach (var one in found.GroupBy(record => (record.Partition, record.Record.Producer)))
        {
            var former = -1L;
            foreach (var record in one.OrderBy(record => record.Offset))
            {
                if (record.Record.Number < former)
                    anomalies.Add($"producer {one.Key.Producer} on partition {one.Key.Partition}: {record.Record.Number} lies behind {former}");
                former = Math.Max(former, record.Record.Number);
            }
        }
    }
}
