using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Granary.Abstractions.Records;

namespace Granary.Gateway.Http;

/// <summary>
/// A record as answers show it. Key, value and headers are null, or an object with one member that says what it is: <c>json</c> (the bytes are a JSON object or
/// list), <c>text</c> (they are UTF-8), <c>base64</c>.
/// </summary>
internal static class RecordOutput
{
    // Text that no screen and no parser takes for anything but text goes as it is; what has control characters goes as bytes.
    private static readonly JsonReaderOptions s_json = new() { MaxDepth = 32 };

    public static object Show(int partition, in Record record) => new
    {
        partition,
        record.Offset,
        timestamp = Times.Show(record.Timestamp),
        key = Show(record.Key),
        value = Show(record.Value),
        headers = record.Headers.Select(header => new { name = header.Key, value = Show(header.Value) }),
        keyBytes = record.Key?.Length ?? -1,
        valueBytes = record.Value?.Length ?? -1,
    };

    private static object? Show(ReadOnlyMemory<byte>? content)
    {
        if (content is not { } bytes)
            return null;
        if (TryJson(bytes) is { } json)
            return new JsonContent(json);
        if (Utf8.IsValid(bytes.Span) && !HasControls(bytes.Span))
            return new { text = Encoding.UTF8.GetString(bytes.Span) };
        return new { base64 = Convert.ToBase64String(bytes.Span) };
    }

    /// <summary>Numbers, strings and the like are shown as the text that they are: only what cannot be meant otherwise is taken for JSON.</summary>
    private static RawJson? TryJson(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 2 || bytes.Span[0] is not ((byte)'{' or (byte)'['))
            return null;
        try
        {
            var reader = new Utf8JsonReader(bytes.Span, s_json);
            while (reader.Read())
            {
                // Only whether it can be read to its end.
            }

            return new RawJson(bytes);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool HasControls(ReadOnlySpan<byte> text)
    {
        foreach (var one in text)
        {
            if (one < 0x20 && one is not ((byte)'\t' or (byte)'\n' or (byte)'\r'))
                return true;
        }

        return false;
    }

    private sealed record JsonContent(RawJson Json);

    /// <summary>JSON that goes out as it came in: no digit and no escape is written anew.</summary>
    [JsonConverter(typeof(Converter))]
    private sealed record RawJson(ReadOnlyMemory<byte> Bytes)
    {
        private sealed class Converter : JsonConverter<RawJson>
        {
            public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => throw new NotSupportedException("records are only shown");

            public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) => writer.WriteRawValue(value.Bytes.Span, skipInputValidation: true);
        }
    }
}
