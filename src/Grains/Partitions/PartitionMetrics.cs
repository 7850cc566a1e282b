using System.Diagnostics.Metrics;

namespace Granary.Grains.Partitions;

/// <summary>The partitions' meters: sums over the silo, never one series per partition. Sizes in bytes.</summary>
internal static class PartitionMetrics
{
    public const string MeterName = "Granary.Partitions";

    private static readonly Meter _meter = new(MeterName);

    private static readonly Counter<long> _appendedRecords = _meter.CreateCounter<long>(
        "kafka.message.count", "{message}", "Records that were appended and committed.");

    private static readonly Counter<long> _appendedBytes = _meter.CreateCounter<long>(
        "granary.partition.appended", "By", "Bytes of batches that were appended and committed.");

    private static readonly Counter<long> _refused = _meter.CreateCounter<long>(
        "granary.partition.appends.refused", "{batch}", "Batches that were refused, by error.");

    private static readonly Counter<long> _duplicates = _meter.CreateCounter<long>(
        "granary.partition.duplicates", "{batch}", "Batches that were there already.");

    private static readonly Counter<long> _readBytes = _meter.CreateCounter<long>(
        "granary.partition.read", "By", "Bytes of batches that were read, by where from.");

    private static readonly UpDownCounter<int> _waiting = _meter.CreateUpDownCounter<int>(
        "granary.partition.readers.waiting", "{reader}", "Readers that wait for more.");

    private static readonly Counter<long> _crowded = _meter.CreateCounter<long>(
        "granary.partition.readers.crowded", "{reader}", "Readers that had to poll because too many waited.");

    private static readonly UpDownCounter<int> _open = _meter.CreateUpDownCounter<int>(
        "kafka.partition.count", "{partition}", "Partitions that are open on this silo.");

    private static readonly Counter<long> _openings = _meter.CreateCounter<long>(
        "granary.partition.openings", "{opening}", "Attempts to open a log, by result.");

    private static readonly Counter<long> _lost = _meter.CreateCounter<long>(
        "granary.partition.ownerships.lost", "{ownership}", "Ownerships that ended other than by an orderly close, by reason.");

    private static readonly Counter<long> _inDoubt = _meter.CreateCounter<long>(
        "granary.partition.in_doubt", "{batch}", "Appends whose commit gave no answer, by what was found.");

    private static readonly Histogram<double> _openingDuration = _meter.CreateHistogram<double>(
        "granary.partition.opening.duration", "s", "From the beginning of an opening to the open log, by cause.");

    private static readonly Counter<long> _migrations = _meter.CreateCounter<long>(
        "granary.partition.migrations", "{partition}", "Partitions that were handed over while they lived, by direction.");

    private static readonly Histogram<double> _migrationGap = _meter.CreateHistogram<double>(
        "granary.partition.migration.gap", "s", "From the closing on the former silo to the open log here, by the two silos' clocks.");

    private static readonly KeyValuePair<string, object?> _fromTail = new("source", "tail");
    private static readonly KeyValuePair<string, object?> _fromHistory = new("source", "history");

    public static void Appended(int records, int bytes)
    {
        _appendedRecords.Add(records);
        _appendedBytes.Add(bytes);
    }

    public static void Refused(ErrorCode error) => _refused.Add(1, new KeyValuePair<string, object?>("error", error.ToString()));

    public static void Duplicate() => _duplicates.Add(1);

    public static void ReadTail(int bytes) => _readBytes.Add(bytes, _fromTail);

    public static void ReadHistory(int bytes) => _readBytes.Add(bytes, _fromHistory);

    public static void Waiting(int change) => _waiting.Add(change);

    public static void Crowded() => _crowded.Add(1);

    public static void Open(int change) => _open.Add(change);

    public static void Opening(string result) => _openings.Add(1, new KeyValuePair<string, object?>("result", result));

    public static void Lost(string reason) => _lost.Add(1, new KeyValuePair<string, object?>("reason", reason));

    public static void InDoubt(string found) => _inDoubt.Add(1, new KeyValuePair<string, object?>("found", found));

    public static void OpeningTook(TimeSpan took, string cause) => _openingDuration.Record(took.TotalSeconds, new KeyValuePair<string, object?>("cause", cause));

    /// <summary>So that "none" can be told from "not measured".</summary>
    public static void ShowNoMigrations()
    {
        foreach (var direction in (string[])["in", "out"])
            _migrations.Add(0, new KeyValuePair<string, object?>("direction", direction));
    }

    public static void Migrated(string direction) => _migrations.Add(1, new KeyValuePair<string, object?>("direction", direction));

    public static void MigrationGap(TimeSpan gap) => _migrationGap.Record(gap.TotalSeconds);

    /// <summary>Shows a silo's tail cache; in a process with several silos, each one's.</summary>
    public static void Observe(TailCache cache) =>
        _meter.CreateObservableGauge("granary.partition.tail_cache", () => cache.Bytes, "By", "Memory that the tail cache keeps alive.");
}
