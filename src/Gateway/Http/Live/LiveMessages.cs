using System.Text.Json;
using System.Text.Json.Serialization;

namespace Granary.Gateway.Http.Live;

/// <param name="State">active, draining, silent (it does not answer this process), suspected, dead, left.</param>
/// <param name="Partitions">In a snapshot alone.</param>
internal sealed record LiveSilo(
    int NodeId, string Name, string Address, string State, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<LiveOffsets>? Partitions = null);

internal sealed record LiveOffsets(string Topic, int Partition, int LeaderEpoch, long LogStartOffset, long HighWatermark);

/// <param name="NodeId">Who has it open, or is to open it; null: nobody is known to.</param>
/// <param name="State">open; moving (handed over); away (its silo is gone, or it is opened anew); deleted.</param>
/// <param name="GapMs">How long it was open nowhere; with open alone, and null where that is not known.</param>
internal sealed record LivePartition(string Topic, int Partition, int? NodeId, int LeaderEpoch, string State, double? GapMs);

internal sealed record LiveGroup(string GroupId, string State, int Generation, int Members, int? NodeId, string? Cause);

/// <param name="Entry">An event with the entry of a former one takes its place: more has happened of the same.</param>
/// <param name="At">By the clock of the process that serves the stream.</param>
/// <param name="Count">How many of the same it stands for.</param>
internal sealed record LiveEntry
{
    public required long Entry { get; init; }

    public required DateTimeOffset At { get; init; }

    public required string Kind { get; init; }

    public required string Text { get; init; }

    public int Count { get; init; } = 1;

    public string? Silo { get; init; }

    public int? NodeId { get; init; }

    public string? Topic { get; init; }

    public int? Partition { get; init; }

    public int? LeaderEpoch { get; init; }

    public double? GapMs { get; init; }

    /// <summary>With silo-suspected and silo-dead: when that silo answered this process last; null where it was not asked then.</summary>
    public DateTimeOffset? LastHeardAt { get; init; }

    public string? GroupId { get; init; }
}

/// <summary>Per second.</summary>
internal sealed record LiveTopicRate(long RecordsIn, long BytesIn, long BytesOut);

/// <param name="Successes">Of the last second, oldest 100 ms first.</param>
internal sealed record LiveRates(DateTimeOffset At, IReadOnlyDictionary<string, LiveTopicRate> Topics, IReadOnlyList<long> Errors, IReadOnlyList<long> Successes);

internal sealed record LiveSnapshot(
    DateTimeOffset Now,
    IReadOnlyList<LiveSilo> Silos,
    IReadOnlyList<LivePartition> Partitions,
    IReadOnlyDictionary<string, LiveTopicRate> Topics,
    IReadOnlyList<LiveGroup> Groups,
    IReadOnlyList<LiveEntry> Timeline);

/// <summary>An event of the stream, written once for all readers.</summary>
/// <param name="Id">Rises by one; 0: a snapshot, which counts as what came before it.</param>
internal readonly record struct LiveEvent(long Id, string Name, byte[] Data);

/// <summary>How the stream's messages are written: camel case, times in UTC with milliseconds.</summary>
internal static class LiveJson
{
    private static readonly JsonSerializerOptions s_options = new(JsonSerializerDefaults.Web) { Converters = { new UtcMilliseconds() } };

    public static byte[] Write(object message) => JsonSerializer.SerializeToUtf8Bytes(message, message.GetType(), s_options);

    private sealed class UtcMilliseconds : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", System.Globalization.CultureInfo.InvariantCulture));
    }
}
