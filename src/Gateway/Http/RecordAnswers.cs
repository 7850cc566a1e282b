using System.Text.Json.Serialization;

namespace Granary.Gateway.Http;

/// <summary>To one record its place, to a list the places in its order.</summary>
[JsonDerivedType(typeof(RecordPlaceAnswer))]
[JsonDerivedType(typeof(RecordPlacesAnswer))]
internal abstract record ProduceAnswer;

internal sealed record RecordPlaceAnswer(int Partition, long Offset, string? Timestamp) : ProduceAnswer;

internal sealed record RecordPlacesAnswer(IReadOnlyList<RecordPlaceAnswer> Records) : ProduceAnswer;

/// <param name="NextOffset">Where to go on.</param>
internal sealed record FetchAnswer(string Topic, int Partition, long LogStartOffset, long HighWatermark, long NextOffset, IEnumerable<RecordAnswer> Records);

/// <param name="Key">Null: there is none.</param>
/// <param name="Value">Null: there is none, which deletes the key where a topic is compacted.</param>
/// <param name="KeyBytes">-1: there is none.</param>
/// <param name="ValueBytes">-1: there is none.</param>
internal sealed record RecordAnswer(
    int Partition, long Offset, string? Timestamp, ContentAnswer? Key, ContentAnswer? Value, IReadOnlyList<HeaderAnswer> Headers, int KeyBytes, int ValueBytes);

internal sealed record HeaderAnswer(string Name, ContentAnswer? Value);

/// <summary>One member says what it is: a JSON object or list, UTF-8, or neither.</summary>
internal sealed record ContentAnswer
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public RawJson? Json { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Text { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Base64 { get; init; }
}
