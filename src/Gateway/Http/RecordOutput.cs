using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
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
    private static readonly JsonDocumentOptions s_json = new() { MaxDepth = 64 };

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
            return new { json };
        if (Utf8.IsValid(bytes.Span) && !HasControls(bytes.Span))
            return new { text = Encoding.UTF8.GetString(bytes.Span) };
        return new { base64 = Convert.ToBase64String(bytes.Span) };
    }

    /// <summary>Numbers, strings and the like are shown as the text that they are: only what cannot be meant otherwise is taken for JSON.</summary>
    private static JsonNode? TryJson(ReadOnlyMemory<byte> bytes)
    {
        if (bytes.Length < 2 || bytes.Span[0] is not ((byte)'{' or (byte)'['))
            return null;
        try
        {
            return JsonNode.Parse(bytes.Span, documentOptions: s_json);
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
}
