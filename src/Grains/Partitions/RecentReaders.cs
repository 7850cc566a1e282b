using System.Collections.Immutable;
using Granary.Abstractions.Partitions;

namespace Granary.Grains.Partitions;

/// <summary>Who has read a partition lately, by client id: for people. At most so many; the one that has been silent for longest makes room.</summary>
internal sealed class RecentReaders(int most)
{
    private readonly List<Entry> _entries = [];

    /// <param name="clientId">Null: the reader does not say who it is.</param>
    /// <param name="now">Milliseconds since 1970.</param>
    public void Note(string? clientId, long offset, long now)
    {
        if (string.IsNullOrEmpty(clientId) || most == 0)
            return;
        Entry? oldest = null;
        foreach (var entry in _entries)
        {
            if (entry.ClientId == clientId)
            {
                (entry.Offset, entry.At) = (offset, now);
                return;
            }

            if (oldest is null || entry.At < oldest.At)
                oldest = entry;
        }

        if (_entries.Count >= most)
            _entries.Remove(oldest!);
        _entries.Add(new Entry(clientId) { Offset = offset, At = now });
    }

    /// <summary>Those who read since then, the latest first.</summary>
    public ImmutableArray<ReaderDescription> Since(long time) =>
    [
        .. _entries.Where(entry => entry.At >= time).OrderByDescending(entry => entry.At).Select(entry => new ReaderDescription(entry.ClientId, entry.Offset, entry.At)),
    ];

    private sealed class Entry(string clientId)
    {
        public string ClientId { get; } = clientId;

        public long Offset { get; set; }

        public long At { get; set; }
    }
}
