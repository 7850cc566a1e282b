using System.Globalization;
using System.Text.Json;

namespace Granary.KafkaClients;

/// <summary>A record as the scripts of other languages print it, and the same series of records that they all write.</summary>
internal sealed record ForeignRecord(long Offset, string? Key, string? Value, long Timestamp, string? Trace)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static List<ForeignRecord> Parse(string json) => JsonSerializer.Deserialize<List<ForeignRecord>>(json, s_json)!;

    public static IEnumerable<ForeignRecord> Series(int count) => Enumerable.Range(0, count).Select(index => new ForeignRecord(
        index,
        index % 3 == 0 ? null : $"key-{index % 5}",
        index % 4 == 0 ? null : $"value {index} {new string('z', index)}",
        1_700_000_000_000 + index,
        index % 2 == 0 ? index.ToString(CultureInfo.InvariantCulture) : null));

    /// <summary>The folder of the scripts, copied beside the test program.</summary>
    public static string Folder(string name) => Path.Combine(AppContext.BaseDirectory, name);
}
