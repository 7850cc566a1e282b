using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Granary.Gateway.Http;

/// <summary>Reads the parameters of a query, each within its bounds, and refuses those that nobody asked for: a misspelt one must not be passed over.</summary>
internal sealed class QueryReader
{
    private readonly IQueryCollection _query;

    /// <param name="known">The names there are.</param>
    public QueryReader(HttpRequest request, params string[] known)
    {
        _query = request.Query;
        foreach (var (name, values) in _query)
        {
            if (!known.Contains(name, StringComparer.Ordinal))
                throw Problem.BadRequest(name, $"There is no parameter '{name}' here; there are: {(known.Length == 0 ? "none" : string.Join(", ", known))}.");
            if (values.Count > 1)
                throw Problem.BadRequest(name, $"'{name}' is given {values.Count} times, once is enough.");
        }
    }

    public string? Text(string name) => _query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Both bounds are inclusive.</summary>
    public long? Number(string name, long smallest, long largest)
    {
        if (Text(name) is not { } text)
            return null;
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) || number < smallest || number > largest)
            throw Problem.BadRequest(name, $"'{name}' is '{text}': a number from {smallest} to {largest} is wanted.", largest);
        return number;
    }

    public bool Flag(string name) => Text(name) switch
    {
        null or "false" => false,
        "true" or "" => true,
        var other => throw Problem.BadRequest(name, $"'{name}' is '{other}': true or false is wanted."),
    };

    /// <summary>Milliseconds since 1970, or a time as RFC 3339 writes it; in ms since 1970.</summary>
    public long? Time(string name) => Text(name) is { } text ? Times.Parse(text, name) : null;
}

/// <summary>Times of requests and answers.</summary>
internal static class Times
{
    public static long Parse(string text, string field)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())
            return milliseconds;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) && time >= DateTimeOffset.UnixEpoch)
            return time.ToUnixTimeMilliseconds();
        throw Problem.BadRequest(field, $"'{field}' is '{text}': milliseconds since 1970 or a time such as 2026-01-31T12:00:00Z is wanted.");
    }

    /// <summary>RFC 3339 with milliseconds; null where there is no time.</summary>
    public static string? Show(long milliseconds) =>
        milliseconds < 0 || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? null
            : DateTimeOffset.FromUnixTimeMilliseconds(milliseconds).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
