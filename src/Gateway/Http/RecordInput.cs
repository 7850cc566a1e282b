using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Granary.Abstractions.Records;
using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>A record as a request brings it.</summary>
/// <param name="Partition">Null: by the key, as Kafka's default partitioner has it; without a key any.</param>
/// <param name="Timestamp">Milliseconds since 1970; null: now.</param>
internal sealed record RecordInput(ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte>? Value, IReadOnlyList<RecordHeader> Headers, int? Partition, long? Timestamp)
{
    private const string HeaderPrefix = "Granary-Header-";

    /// <summary>
    /// The records of a JSON body: one record, or an object with a list of <c>records</c>. Keys and values: a string is its UTF-8 bytes,
    /// <c>{"base64": "…"}</c> those bytes, null none, and everything else its own JSON text.
    /// </summary>
    /// <returns>The records, and whether they came as a list.</returns>
    public static (IReadOnlyList<RecordInput> Records, bool IsList) OfJson(JsonElement body, HttpOptions options)
    {
        if (body.ValueKind != JsonValueKind.Object)
            throw Problem.BadRequest("body", "The body is no object: a record, or {\"records\": [ … ]}, is wanted.");
        if (!body.TryGetProperty("records", out var list))
            return ([OfRecord(body, "", options)], false);
        if (body.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => name != "records") is { } other)
            throw Problem.BadRequest(other, $"There is no member '{other}' beside 'records'.");
        if (list.ValueKind != JsonValueKind.Array)
            throw Problem.BadRequest("records", "'records' is no list.");
        var count = list.GetArrayLength();
        if (count == 0)
            throw Problem.BadRequest("records", "'records' is empty.");
        if (count > options.MaxRecordsPerRequest)
        {
            throw new Problem(StatusCodes.Status413PayloadTooLarge, $"'records' has {count} records, {options.MaxRecordsPerRequest} is the most (Granary__Http__MaxRecordsPerRequest).")
            {
                Field = "records",
                Limit = options.MaxRecordsPerRequest,
                Error = ErrorCode.RecordListTooLarge,
            };
        }

        return ([.. list.EnumerateArray().Select((record, index) => OfRecord(record, $"records[{index}].", options))], true);
    }

    /// <summary>A body that is the value itself; key, headers and time stand in the request's headers.</summary>
    public static RecordInput OfBytes(HttpRequest request, ReadOnlyMemory<byte> value, HttpOptions options)
    {
        var headers = request.Headers
            .Where(header => header.Key.StartsWith(HeaderPrefix, StringComparison.OrdinalIgnoreCase))
            .SelectMany(header => header.Value.Select(text => new RecordHeader(header.Key[HeaderPrefix.Length..], Encoding.UTF8.GetBytes(text ?? ""))))
            .ToList();
        if (headers.Count > options.MaxHeadersPerRecord)
            throw Problem.BadRequest(HeaderPrefix, $"The record has {headers.Count} headers, {options.MaxHeadersPerRecord} is the most.", options.MaxHeadersPerRecord);
        return new RecordInput(
            QueryReader.Header(request, "Granary-Key") is { } key ? Encoding.UTF8.GetBytes(key) : null,
            value,
            headers,
            null,
            QueryReader.Header(request, "Granary-Timestamp") is { } time ? Times.Parse(time, "Granary-Timestamp") : null);
    }

    /// <summary>The request's headers that say something of the record.</summary>
    public static IEnumerable<string> HeadersThatCount(HttpRequest request) => request.Headers
        .Where(header => header.Key.StartsWith("Granary-", StringComparison.OrdinalIgnoreCase))
        .OrderBy(header => header.Key, StringComparer.OrdinalIgnoreCase)
        .Select(header => $"{header.Key.ToUpperInvariant()}: {header.Value}");

    private static RecordInput OfRecord(JsonElement record, string where, HttpOptions options)
    {
        if (record.ValueKind != JsonValueKind.Object)
            throw Problem.BadRequest(where.TrimEnd('.'), "A record is an object with key, value, headers, partition and timestamp, each of which may be left out.");
        ReadOnlyMemory<byte>? key = null, value = null;
        IReadOnlyList<RecordHeader> headers = [];
        int? partition = null;
        long? timestamp = null;
        foreach (var member in record.EnumerateObject())
        {
            switch (member.Name)
            {
                case "key":
                    key = BytesOf(member.Value, where + "key");
                    break;
                case "value":
                    value = BytesOf(member.Value, where + "value");
                    break;
                case "headers":
                    headers = HeadersOf(member.Value, where + "headers", options);
                    break;
                case "partition":
                    partition = member.Value.ValueKind == JsonValueKind.Null ? null : member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt32(out var number) && number >= 0
                        ? number
                        : throw Problem.BadRequest(where + "partition", $"'{where}partition' is {member.Value.GetRawText()}: a number from 0 on is wanted.");
                    break;
                case "timestamp":
                    timestamp = member.Value.ValueKind == JsonValueKind.Null ? null : Times.Parse(member.Value.ToString(), where + "timestamp");
                    break;
                default:
                    throw Problem.BadRequest(where + member.Name, $"A record has no member '{member.Name}': there are key, value, headers, partition, timestamp.");
            }
        }

        return new RecordInput(key, value, headers, partition, timestamp);
    }

    private static IReadOnlyList<RecordHeader> HeadersOf(JsonElement list, string where, HttpOptions options)
    {
        if (list.ValueKind == JsonValueKind.Null)
            return [];
        if (list.ValueKind != JsonValueKind.Array)
            throw Problem.BadRequest(where, $"'{where}' is no list of {{name, value}}.");
        if (list.GetArrayLength() > options.MaxHeadersPerRecord)
            throw Problem.BadRequest(where, $"'{where}' has {list.GetArrayLength()} headers, {options.MaxHeadersPerRecord} is the most.", options.MaxHeadersPerRecord);
        return [.. list.EnumerateArray().Select((header, index) => header.ValueKind == JsonValueKind.Object && header.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String
            ? new RecordHeader(name.GetString()!, header.TryGetProperty("value", out var value) ? BytesOf(value, $"{where}[{index}].value") : null)
            : throw Problem.BadRequest($"{where}[{index}]", $"'{where}[{index}]' has no text 'name'."))];
    }

    /// <summary>A JSON text may name half of a surrogate pair, which is no character and has no bytes.</summary>
    private static ReadOnlyMemory<byte> TextOf(JsonElement element, string where)
    {
        try
        {
            return Encoding.UTF8.GetBytes(element.GetString()!);
        }
        catch (InvalidOperationException)
        {
            throw Problem.BadRequest(where, $"'{where}' is no text that can be written: it names half of a surrogate pair.");
        }
    }

    private static ReadOnlyMemory<byte>? BytesOf(JsonElement element, string where)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return TextOf(element, where);
            case JsonValueKind.Object when element.GetPropertyCount() == 1 && element.TryGetProperty("base64", out var base64) && base64.ValueKind == JsonValueKind.String:
                return base64.TryGetBytesFromBase64(out var bytes) ? bytes : throw Problem.BadRequest(where, $"'{where}.base64' is not base64.");
            default:
                return JsonMarshal.GetRawUtf8Value(element).ToArray();
        }
    }
}
