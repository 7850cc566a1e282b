using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Granary.Gateway.Http;

/// <summary>Reads bodies, within their bound.</summary>
internal static class JsonBody
{
    private const int MaxDepth = 64;

    private static readonly JsonSerializerOptions s_strict = new(JsonSerializerDefaults.Web)
    {
        MaxDepth = MaxDepth,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    /// <summary>The body as that type; members that it does not have are refused.</summary>
    public static async Task<T> ReadAsync<T>(HttpRequest request, HttpOptions options)
    {
        var bytes = await ReadJsonAsync(request, options);
        try
        {
            return JsonSerializer.Deserialize<T>(bytes.Span, s_strict) ?? throw Problem.BadRequest("body", "The body is null; an object is wanted.");
        }
        catch (JsonException wrong)
        {
            throw Malformed(wrong);
        }
    }

    /// <summary>The body as a document, to be disposed; it is over these bytes.</summary>
    public static async Task<(JsonDocument Document, ReadOnlyMemory<byte> Bytes)> ReadDocumentAsync(HttpRequest request, HttpOptions options)
    {
        var bytes = await ReadJsonAsync(request, options);
        try
        {
            return (JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = MaxDepth }), bytes);
        }
        catch (JsonException wrong)
        {
            throw Malformed(wrong);
        }
    }

    /// <summary>The body's bytes.</summary>
    public static async Task<ReadOnlyMemory<byte>> ReadBytesAsync(HttpRequest request, HttpOptions options)
    {
        if (request.ContentLength > options.MaxBodyBytes)
            throw TooLarge(options);
        var memory = RequestMemory.Of(request.HttpContext);
        memory.Hold(request.ContentLength ?? 0);
        using var body = new MemoryStream((int)(request.ContentLength ?? 0));
        var piece = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(piece, request.HttpContext.RequestAborted)) > 0)
        {
            if (body.Length + read > options.MaxBodyBytes)
                throw TooLarge(options);
            memory.Hold(Math.Max(body.Length + read, request.ContentLength ?? 0));
            body.Write(piece, 0, read);
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    /// <summary>True for application/json and for what ends in +json.</summary>
    public static bool IsJson(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) || StringSegment.Equals(type.Suffix, "json", StringComparison.OrdinalIgnoreCase));

    /// <summary>JSON is UTF-8 (RFC 8259), and its reader does not look at what stands in texts.</summary>
    private static async Task<ReadOnlyMemory<byte>> ReadJsonAsync(HttpRequest request, HttpOptions options)
    {
        if (!IsJson(request.ContentType))
            throw new Problem(StatusCodes.Status415UnsupportedMediaType, $"The body's Content-Type is '{request.ContentType}': application/json is wanted.") { Field = "Content-Type" };
        var bytes = await ReadBytesAsync(request, options);
        return Utf8.IsValid(bytes.Span) ? bytes : throw Problem.BadRequest("body", "The body is not UTF-8, as JSON is.");
    }

    private static Problem TooLarge(HttpOptions options) => new(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {options.MaxBodyBytes} bytes (Granary__Http__MaxBodyBytes).")
    {
        Limit = options.MaxBodyBytes,
        Error = ErrorCode.MessageTooLarge,
    };

    private static Problem Malformed(JsonException wrong) => new(StatusCodes.Status400BadRequest, $"The body is not the JSON that is wanted: {wrong.Message}")
    {
        Field = wrong.Path is { Length: > 2 } path ? path[2..] : "body",
        Error = ErrorCode.InvalidRequest,
    };
}
