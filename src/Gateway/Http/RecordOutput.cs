using System.Text;
using System.Text.Json;
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

    public static RecordAnswer Show(int partition, in Record record) => new(
        partition,
        record.Offset,
        Times.Show(record.Timestamp),
        Show(record.Key),
        Show(record.Value),
        [.. record.Headers.Select(header => new HeaderAnswer(header.Key, Show(header.Value)))],
        record.Key?.Length ?? -1,
        record.Value?.Length ?? -1);

    private static ContentAnswer? Show(ReadOnlyMemory<byte>? content)
    {
        if (content is not { } bytes)
            return null;

        // First of all: a reader of JSON takes bytes in a text that are no UTF-8, and an answer that had them would be no JSON.
        if (!Utf8.IsValid(bytes.Span))
            return new ContentAnswer { Base64 = Convert.ToBase64String(bytes.Span) };
        if (TryJson(bytes) is { } json)
            return new ContentAnswer { Json = json };
        return HasControls(bytes.Span)
            ? new ContentAnswer { Base64 = Convert.ToBase64String(bytes.Span) }
            : new ContentAnswer { Text = Encoding.UTF8.GetString(bytes.Span) };
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
}
