namespace Granary.Gateway.Kafka.Apis;

/// <param name="FirstPartition">Inclusive.</param>
/// <param name="EndPartition">Exclusive.</param>
/// <param name="Exists">False: there is no such topic, and no partition to show.</param>
internal readonly record struct TopicSlice(string Topic, int FirstPartition, int EndPartition, bool Exists);

/// <summary>Where the next page starts.</summary>
internal readonly record struct PageCursor(string Topic, int Partition);

/// <summary>
/// Cuts topics, in the order of their names, into pages of at most so many partitions (KIP-966). A page is cut inside of a topic where
/// need be; a cursor whose topic was deleted since goes on with the next name.
/// </summary>
internal static class TopicPages
{
    /// <param name="names">Topics to show; each is shown once, whatever their order here.</param>
    /// <param name="partitionCountOf">How many partitions a topic has; null: it does not exist.</param>
    /// <param name="limit">Partitions on this page, 1 or more. Topics that do not exist take no room.</param>
    public static (List<TopicSlice> Page, PageCursor? Next) Cut(
        IEnumerable<string> names,
        Func<string, int?> partitionCountOf,
        PageCursor? from,
        int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        var page = new List<TopicSlice>();
        var room = limit;
        foreach (var name in names.Distinct().Order(StringComparer.Ordinal))
        {
            if (from is { } start && string.CompareOrdinal(name, start.Topic) < 0)
                continue;
            if (partitionCountOf(name) is not { } count)
            {
                page.Add(new TopicSlice(name, 0, 0, Exists: false));
                continue;
            }

            // A topic may have fewer partitions than when the cursor was made: it was deleted and created again.
            var first = from is { } cursor && cursor.Topic == name ? Math.Min(cursor.Partition, count) : 0;
            if (room == 0)
                return (page, new PageCursor(name, first));
            var end = first + Math.Min(count - first, room);
            page.Add(new TopicSlice(name, first, end, Exists: true));
            room -= end - first;
            if (end < count)
                return (page, new PageCursor(name, end));
        }

        return (page, null);
    }
}
