using System.Diagnostics;
using Granary.Support.Histories;

namespace Granary.Chaos.Clients;

/// <summary>Where one reader is in each partition, written into the history as it goes.</summary>
internal sealed class ReaderPlaces(int reader, int partitions, HistoryFile history)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan s_step = TimeSpan.FromMilliseconds(20);

    private readonly long[] _next = new long[partitions];
    private readonly long[] _watermarks = [.. Enumerable.Repeat(-1L, partitions)];

    /// <summary>The offset to go on at.</summary>
    public long Next(int partition) => Volatile.Read(ref _next[partition]);

    /// <summary>It begins to read there.</summary>
    public void Position(int partition) => history.Add(new HistoryEvent(HistoryEventKind.Positioned, 0, reader, partition, Next(partition)));

    /// <summary>Goes on there, where the log starts now.</summary>
    public void Skip(int partition, long offset) => Volatile.Write(ref _next[partition], offset);

    public void Read(int partition, long offset, ReadOnlySpan<byte> value)
    {
        history.Add(new HistoryEvent(HistoryEventKind.Read, 0, reader, partition, offset, SentRecord.Parse(value)));
        Volatile.Write(ref _next[partition], offset + 1);
    }

    /// <summary>A watermark that came with records, asked for at that time or later. Written where it changed.</summary>
    public void Watermark(int partition, long watermark, long began)
    {
        if (watermark < 0 || watermark == _watermarks[partition])
            return;
        _watermarks[partition] = watermark;
        history.Add(new HistoryEvent(HistoryEventKind.Watermark, 0, reader, partition, watermark, Began: began));
    }

    /// <summary>Waits until all ends are reached; what is missing where they are not within a minute.</summary>
    public async Task<string?> AwaitAsync(IReadOnlyList<long> ends)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            var behind = Enumerable.Range(0, partitions).Where(partition => Next(partition) < ends[partition]).ToArray();
            if (behind.Length == 0)
                return null;
            if (clock.Elapsed > s_patience)
                return $"reader {reader} stands still: " + string.Join(", ", behind.Select(partition => $"partition {partition} at {Next(partition)} of {ends[partition]}"));
            await Task.Delay(s_step);
        }
    }
}
