using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;

namespace Granary.Abstractions.Topics;

/// <summary>
/// The configs a topic knows, with Kafka 4.0's names, types, defaults and limits (source: Kafka's documentation, "Topic Configs").
/// Configs that clients commonly set and that have nothing to act on here are checked, kept and reported, and documented as without effect.
/// </summary>
public static class TopicConfigs
{
    /// <summary>The longest value that is taken, in characters: none of them needs more, and every change of the catalog writes them all.</summary>
    public const int MaxValueLength = 1_000;

    private const int MaxQuotedLength = 100;
    private const string NoEffect = "Kept and reported; without effect here: ";

    /// <summary>All of them, by name in alphabetical order.</summary>
    public static ImmutableArray<TopicConfigDefinition> Definitions { get; } =
    [
        new("cleanup.policy", ConfigType.List, "delete", "log.cleanup.policy", CheckCleanupPolicy, "What happens to old segments: delete drops them by retention.ms and retention.bytes."),
        new("compression.type", ConfigType.String, "producer", "compression.type", CheckCompression, "producer: batches are kept as the producer compressed them."),
        new("delete.retention.ms", ConfigType.Long, "86400000", "log.cleaner.delete.retention.ms", AtLeast(0), NoEffect + "there is no compaction yet."),
        new("file.delete.delay.ms", ConfigType.Long, "60000", "log.segment.delete.delay.ms", AtLeast(0), NoEffect + "segments are rows and tables, not files."),
        new("flush.messages", ConfigType.Long, "9223372036854775807", "log.flush.interval.messages", AtLeast(1), NoEffect + "every acknowledged record is on disk."),
        new("flush.ms", ConfigType.Long, "9223372036854775807", "log.flush.interval.ms", AtLeast(0), NoEffect + "every acknowledged record is on disk."),
        new("index.interval.bytes", ConfigType.Int, "4096", "log.index.interval.bytes", Between(0, int.MaxValue), NoEffect + "PostgreSQL keeps the index."),
        new("max.compaction.lag.ms", ConfigType.Long, "9223372036854775807", "log.cleaner.max.compaction.lag.ms", AtLeast(1), NoEffect + "there is no compaction yet."),
        new("max.message.bytes", ConfigType.Int, "1048588", "message.max.bytes", Between(0, int.MaxValue), "The largest record batch in bytes, as it lies on the wire (compressed)."),
        new("message.timestamp.after.max.ms", ConfigType.Long, "3600000", "log.message.timestamp.after.max.ms", AtLeast(0), "How far in the future a record's time may lie when the producer sets it."),
        new("message.timestamp.before.max.ms", ConfigType.Long, "9223372036854775807", "log.message.timestamp.before.max.ms", AtLeast(0), "How far in the past a record's time may lie when the producer sets it."),
        new("message.timestamp.type", ConfigType.String, "CreateTime", "log.message.timestamp.type", OneOf("CreateTime", "LogAppendTime"), "Who sets a record's time: its producer, or the log when it appends."),
        new("min.cleanable.dirty.ratio", ConfigType.Double, "0.5", "log.cleaner.min.cleanable.ratio", CheckRatio, NoEffect + "there is no compaction yet."),
        new("min.compaction.lag.ms", ConfigType.Long, "0", "log.cleaner.min.compaction.lag.ms", AtLeast(0), NoEffect + "there is no compaction yet."),
        new("min.insync.replicas", ConfigType.Int, "1", "min.insync.replicas", Between(1, int.MaxValue), "Accepted for clients' sake: PostgreSQL's commit is what acknowledges a record, and its synchronous replicas are set there (synchronous_standby_names)."),
        new("preallocate", ConfigType.Boolean, "false", "log.preallocate", CheckBoolean, NoEffect + "segments are rows and tables, not files."),
        new("retention.bytes", ConfigType.Long, "-1", "log.retention.bytes", AtLeast(-1), "How large a partition may grow before its oldest segments are dropped; -1: no bound."),
        new("retention.ms", ConfigType.Long, "604800000", "log.retention.ms", AtLeast(-1), "How long a segment is kept after its newest record; -1: for ever."),
        new("segment.bytes", ConfigType.Int, "1073741824", "log.segment.bytes", Between(14, int.MaxValue), "The size at which a segment is closed and the next one begins. Retention drops whole segments."),
        new("segment.index.bytes", ConfigType.Int, "10485760", "log.index.size.max.bytes", Between(4, int.MaxValue), NoEffect + "PostgreSQL keeps the index."),
        new("segment.jitter.ms", ConfigType.Long, "0", "log.roll.jitter.ms", AtLeast(0), NoEffect + "closing a segment costs one row."),
        new("segment.ms", ConfigType.Long, "604800000", "log.roll.ms", AtLeast(1), "The age at which a segment is closed at the next append."),
        new("unclean.leader.election.enable", ConfigType.Boolean, "false", "unclean.leader.election.enable", CheckBoolean, NoEffect + "a leader is never elected without the whole log."),
    ];

    private static readonly FrozenDictionary<string, TopicConfigDefinition> s_byName = Definitions.ToFrozenDictionary(config => config.Name);

    /// <summary>The definition of that name, or null.</summary>
    public static TopicConfigDefinition? Find(string name) => s_byName.GetValueOrDefault(name);

    /// <summary>What is wrong with setting that config to that value: names the config, the value and the limit. Null: nothing.</summary>
    public static string? Check(string name, string? value)
    {
        if (Find(name) is not { } definition)
            return $"Unknown topic config name: {Quote(name)}";
        if (value is null)
            return $"Null value not supported for topic config {name}";
        var wrong = value.Length > MaxValueLength ? $"Value must have at most {MaxValueLength} characters, not {value.Length}" : definition.Check(value);
        return wrong is not null ? $"Invalid value {Quote(value)} for configuration {name}: {wrong}" : null;
    }

    /// <summary>Typed values of overrides that were checked when they were set.</summary>
    public static TopicSettings Parse(ImmutableDictionary<string, string> overrides) => new()
    {
        Retention = Duration(Long(overrides, "retention.ms")),
        RetentionBytes = Long(overrides, "retention.bytes") is var bytes and >= 0 ? bytes : null,
        SegmentBytes = Long(overrides, "segment.bytes"),
        SegmentAge = Duration(Long(overrides, "segment.ms")) ?? TimeSpan.MaxValue,
        MaxMessageBytes = (int)Long(overrides, "max.message.bytes"),
        TimestampType = Value(overrides, "message.timestamp.type") == "LogAppendTime" ? TimestampType.LogAppendTime : TimestampType.CreateTime,
        TimestampBeforeMaxMs = Long(overrides, "message.timestamp.before.max.ms"),
        TimestampAfterMaxMs = Long(overrides, "message.timestamp.after.max.ms"),
        CleanupPolicy = CleanupPolicy.Delete,
    };

    private static string Quote(string text) => text.Length <= MaxQuotedLength ? text : $"{text[..MaxQuotedLength]}…";

    private static string Value(ImmutableDictionary<string, string> overrides, string name) => overrides.GetValueOrDefault(name) ?? s_byName[name].Default;

    private static long Long(ImmutableDictionary<string, string> overrides, string name) => long.Parse(Value(overrides, name), CultureInfo.InvariantCulture);

    /// <summary>Null for -1 and for what is longer than a TimeSpan can say: 29,000 years are for ever.</summary>
    private static TimeSpan? Duration(long milliseconds) =>
        milliseconds < 0 || milliseconds > TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMillisecond ? null : TimeSpan.FromMilliseconds(milliseconds);

    private static Func<string, string?> AtLeast(long least) => Between(least, long.MaxValue);

    /// <summary>As Kafka (ConfigDef.parseType) takes a number: with spaces around it too.</summary>
    private static Func<string, string?> Between(long least, long most) => value =>
    {
        if (!long.TryParse(value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number))
            return "Not a number";
        if (number < least)
            return $"Value must be at least {least}";
        return number > most ? $"Value must be at most {most}" : null;
    };

    private static Func<string, string?> OneOf(params string[] allowed) => value =>
        allowed.Contains(value) ? null : $"String must be one of: {string.Join(", ", allowed)}";

    /// <summary>As Kafka (ConfigDef.parseType) takes one: in any case, with spaces around it too.</summary>
    private static string? CheckBoolean(string value) =>
        bool.TryParse(value, out _) ? null : "Expected value to be either true or false";

    private static string? CheckRatio(string value) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var ratio) && ratio is >= 0 and <= 1 ? null : "Value must be between 0 and 1";

    private static string? CheckCompression(string value) => value switch
    {
        "producer" => null,
        "uncompressed" or "gzip" or "snappy" or "lz4" or "zstd" => "only producer is supported: batches are kept as their producer compressed them",
        _ => "String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer",
    };

    private static string? CheckCleanupPolicy(string value) => value.Split(',', StringSplitOptions.TrimEntries) switch
    {
        var policies when policies.All(policy => policy == "delete") => null,
        var policies when policies.Contains("compact") => "compact is not supported yet: the log would not be compacted, so it is refused",
        _ => "Entry must be one of: delete",
    };
}
