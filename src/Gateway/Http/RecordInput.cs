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
        var (records, other) = RecordsOf(body);
        if (records is not { } list)
            return ([OfRecord(body, "", options)], false);
        if (other is not null)
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

    /// <summary>The member 'records' and the name of one beside it, where there are.</summary>
    private static (JsonElement? Records, string? Other) RecordsOf(JsonElement body)
    {
        JsonElement? records = null;
        string? other = null;
        foreach (var member in body.EnumerateObject())
        {
            var name = JsonTexts.NameOf(member, "body");
            if (name == "records")
                records = member.Value;
            else
                other ??= name;
        }

        return (records, other);
    }

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
            var name = JsonTexts.NameOf(member, where.Length > 0 ? where.TrimEnd('.') : "body");
            switch (name)
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
                    timestamp = member.Value.ValueKind == JsonValueKind.Null ? null : TimeOf(member.Value, where + "timestamp");
                    break;
                default:
                    throw Problem.BadRequest(where + name, $"A record has no member '{name}': there are key, value, headers, partition, timestamp.");
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
        return [.. list.EnumerateArray().Select((header, index) => HeaderOf(header, $"{where}[{index}]"))];
    }

    private static RecordHeader HeaderOf(JsonElement header, string where)
    {
        if (header.ValueKind != JsonValueKind.Object)
            throw Problem.BadRequest(where, $"'{where}' has no text 'name'.");
        string? name = null;
        ReadOnlyMemory<byte>? value = null;
        foreach (var member in header.EnumerateObject())
        {
            switch (JsonTexts.NameOf(member, where))
            {
                case "name" when member.Value.ValueKind == JsonValueKind.String:
                    name = JsonTexts.TextOf(member.Value, where + ".name");
                    break;
                case "value":
                    value = BytesOf(member.Value, where + ".value");
                    break;
            }
        }

        return new RecordHeader(name ?? throw Problem.BadRequest(where, $"'{where}' has no text 'name'."), value);
    }

    private static long TimeOf(JsonElement time, string where) =>
        Times.Parse(time.ValueKind == JsonValueKind.String ? JsonTexts.TextOf(time, where) : time.GetRawText(), where);

    private static ReadOnlyMemory<byte>? BytesOf(JsonElement element, string where)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Null:
                return null;
            case JsonValueKind.String:
                return Encoding.UTF8.GetBytes(JsonTexts.TextOf(element, where));
            case JsonValueKind.Object when JsonTexts.Base64Of(element, where) is { } bytes:
                return bytes;
            default:
                return JsonMarshal.GetRawUtf8Value(element).ToArray();
        }
    }
}
