using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>What a producer was told: this record is on disk, at this offset.</summary>
public readonly record struct AcknowledgedRecord(SentRecord Record, long Offset);

/// <summary>What was found in a log when all was over.</summary>
public readonly record struct FoundRecord(int Partition, long Offset, SentRecord Record);

/// <summary>
/// Compares what clients were told while a cluster was tormented with what lies in its logs when all is over. Producers are idempotent,
/// and number their records. Finds: acknowledged records that are lost or lie elsewhere than told, offsets told twice, holes and repeats
/// of offsets, records that lie there twice or though they failed, records nobody sent, a producer's records out of their order, records
/// that were sent after another's answer and lie before it; readers that skip, go back, or are given what is not there; high watermarks
/// that go back; logs that start where nobody asked; and of consumer groups what <see cref="OwnershipCheck"/>, <see cref="CommitCheck"/> and
/// <see cref="GroupReadCheck"/> say. The list of tolerated anomalies is empty.
/// <para>The history is read three times; what is kept are the logs as found, about 24 bytes a record, and what was read below their starts.</para>
/// </summary>
public static class HistoryChecker
{
    /// <summary>The session timeout of all groups' members in a history: how long one may hold a partition that is another's is measured by it.</summary>
    public static TimeSpan SessionTimeout => OwnershipCheck.SessionTimeout;

    public static List<string> Check(IEnumerable<HistoryEvent> history)
    {
        var anomalies = new Anomalies();
        var logs = FindLogs(history, anomalies);
        var producers = new ProducerCheck(anomalies);
        var readers = new ReaderCheck(anomalies);
        var watermarks = new WatermarkCheck(anomalies);
        var owners = new OwnershipCheck(anomalies);
        var commits = new CommitCheck(anomalies, owners);
        var groups = new GroupReadCheck(anomalies);
        var last = 0L;
        foreach (var one in history)
        {
            var log = LogOf(logs, one.Partition, anomalies);
            producers.Look(one, log);
            readers.Look(one, log, producers);
            watermarks.Look(one, log);
            owners.Look(one);
            commits.Look(one);
            groups.Look(one, log);
            last = Math.Max(last, one.Time);
        }

        foreach (var (partition, log) in logs)
        {
            producers.Finish(log);
            readers.Finish(partition, log);
            groups.Finish(partition, log);
        }

        owners.Finish(last);
        commits.Finish();

        return anomalies.ToList();
    }

    /// <summary>The same without times and readers, where only this is known.</summary>
    public static List<string> Check(
        IReadOnlyCollection<SentRecord> sent,
        IReadOnlyCollection<AcknowledgedRecord> acknowledged,
        IReadOnlyCollection<FoundRecord> found) =>
        Check([
            .. sent.Select(record => new HistoryEvent(HistoryEventKind.Sent, Partition: record.Partition, Record: record)),
            .. acknowledged.Select(told => new HistoryEvent(
                HistoryEventKind.Acknowledged, Partition: told.Record.Partition, Offset: told.Offset, Record: told.Record)),
            .. found.OrderBy(record => record.Offset).Select(record => new HistoryEvent(
                HistoryEventKind.Found, Partition: record.Partition, Offset: record.Offset, Record: record.Record)),
        ]);

    /// <summary>The starts first: what was read is of use below them only.</summary>
    private static Dictionary<int, FoundLog> FindLogs(IEnumerable<HistoryEvent> history, Anomalies anomalies)
    {
        var logs = new Dictionary<int, FoundLog>();
        foreach (var one in history.Where(one => one.Kind == HistoryEventKind.FoundStart))
            LogOf(logs, one.Partition, anomalies).StartAt(one.Offset);
        foreach (var one in history)
        {
            if (one.Kind == HistoryEventKind.Found)
                LogOf(logs, one.Partition, anomalies).Append(one.Offset, one.Record);
            else if (one.Kind is HistoryEventKind.Read or HistoryEventKind.Processed)
                LogOf(logs, one.Partition, anomalies).Learn(one.Offset, one.Record);
        }

        foreach (var log in logs.Values)
            log.Close();
        return logs;
    }

    private static FoundLog LogOf(Dictionary<int, FoundLog> logs, int partition, Anomalies anomalies)
    {
        ref var log = ref CollectionsMarshal.GetValueRefOrAddDefault(logs, partition, out _);
        return log ??= new FoundLog(partition, anomalies);
    }
}
