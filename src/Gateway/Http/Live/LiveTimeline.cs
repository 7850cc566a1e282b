namespace Granary.Gateway.Http.Live;

/// <summary>
/// The newest entries by their time. What many partitions of one silo do within a second is one entry that grows; what several silos tell of
/// one silo is told once. Pure.
/// </summary>
internal sealed class LiveTimeline(int maxEntries)
{
    private static readonly TimeSpan s_burst = TimeSpan.FromSeconds(1);

    private readonly List<(LiveEntry Entry, string? OnceFor, string First)> _entries = [];
    private long _lastEntry;

    public IReadOnlyList<LiveEntry> Entries => [.. _entries.Select(one => one.Entry)];

    /// <summary>Adds it, or lets a former one grow by it; null where it was told before.</summary>
    /// <param name="entry">Its number is given here.</param>
    /// <param name="onceFor">Not null: what has the same kind and this is the same.</param>
    /// <param name="more">Not null: how to tell of several like this one, by their number and the first one's text.</param>
    public LiveEntry? Add(LiveEntry entry, string? onceFor = null, Func<int, string, string>? more = null)
    {
        if (onceFor is not null && _entries.Any(one => one.Entry.Kind == entry.Kind && one.OnceFor == onceFor))
            return null;
        if (more is not null)
        {
            var index = _entries.FindLastIndex(one => one.Entry.Kind == entry.Kind && one.Entry.Silo == entry.Silo && (entry.At - one.Entry.At).Duration() < s_burst);
            if (index >= 0)
            {
                var (former, _, first) = _entries[index];
                var count = former.Count + 1;
                var grown = former with { Count = count, Text = more(count, first), Topic = null, Partition = null, LeaderEpoch = null, GapMs = Longer(former.GapMs, entry.GapMs) };
                _entries[index] = (grown, null, first);
                return grown;
            }
        }

        var added = entry with { Entry = ++_lastEntry };
        var place = _entries.FindLastIndex(one => one.Entry.At <= entry.At) + 1;
        _entries.Insert(place, (added, onceFor, entry.Text));
        if (_entries.Count > maxEntries)
            _entries.RemoveAt(0);
        return added;
    }

    private static double? Longer(double? one, double? other) => one is null ? other : other is null ? one : Math.Max(one.Value, other.Value);
}
