using System.Globalization;
using Granary.Abstractions.Partitions;

namespace Granary.Gateway.Http;

/// <summary>Where to begin, by a query's <c>offset</c>, <c>timestamp</c> or <c>from</c>: earliest, latest, or -N, the last N records.</summary>
internal static class StartOffset
{
    /// <param name="otherwise">What counts where the query says nothing: earliest or latest.</param>
    public static async Task<long> ResolveAsync(QueryReader query, PartitionAsk calls, PartitionId partition, string otherwise, CancellationToken cancellation)
    {
        if (query.Number("offset", 0, long.MaxValue) is { } offset)
            return offset;
        if (query.Time("timestamp") is { } milliseconds)
        {
            var found = await calls.FindOffsetAsync(partition, new OffsetQuery(milliseconds), cancellation);
            return found >= 0 ? found : await FindAsync(OffsetQuery.Latest);
        }

        switch (query.Text("from") ?? otherwise)
        {
            case "earliest":
                return await FindAsync(OffsetQuery.Earliest);
            case "latest":
                return await FindAsync(OffsetQuery.Latest);
            default:
                var back = BackOf(query.Text("from")!);
                return Math.Max(await FindAsync(OffsetQuery.Earliest), await FindAsync(OffsetQuery.Latest) + back);
        }

        Task<long> FindAsync(long which) => calls.FindOffsetAsync(partition, new OffsetQuery(which), cancellation);
    }

    private static long BackOf(string text) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var back) && back is < 0 and >= long.MinValue / 2
        ? back
        : throw Problem.BadRequest("from", $"'from' is '{text}': earliest, latest or -N (the last N records) is wanted; 'timestamp' starts at a time.");
}
