namespace Granary.Gateway.Kafka.Apis;

/// <summary>What a request names more than once: Kafka refuses such entries rather than choose between them.</summary>
internal static class Duplicates
{
    /// <summary>The values that occur at least twice, each once.</summary>
    public static HashSet<T> Of<T>(IEnumerable<T> values, IEqualityComparer<T>? comparer = null)
    {
        var seen = new HashSet<T>(comparer);
        var twice = new HashSet<T>(comparer);
        foreach (var value in values)
        {
            if (!seen.Add(value))
                twice.Add(value);
        }

        return twice;
    }
}
