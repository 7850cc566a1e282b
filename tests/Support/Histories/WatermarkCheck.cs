using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// High watermarks only go forward: whatever was there (a watermark, an acknowledgement or a record that was read) before a question was asked, its answer
/// is not lower. An answer may be lower than one that came before it where both were on their way at the same time: the questions were asked at once, and
/// nothing says which of them the log took first. That is no anomaly, and by <see cref="HistoryEvent.Began"/> the only case of it; who does not tell
/// when it asked is told no lower one ever. None lies beyond the end that was found.
/// </summary>
internal sealed class WatermarkCheck(Anomalies anomalies)
{
    private readonly Dictionary<(int Client, int Partition), long> _byReader = [];
    private readonly Dictionary<int, KnownSince> _byPartition = [];

    public void Look(in HistoryEvent one, FoundLog log)
    {
        switch (one.Kind)
        {
            case HistoryEventKind.Acknowledged when one.Offset >= 0:
            case HistoryEventKind.Read:
                KnownOf(one.Partition).Learn(one.Time, one.Offset + 1);
                break;
            case HistoryEventKind.Watermark:
                Compare(one, log);
                KnownOf(one.Partition).Learn(one.Time, one.Offset);
                break;
        }
    }

    private void Compare(in HistoryEvent one, FoundLog log)
    {
        ref var last = ref CollectionsMarshal.GetValueRefOrAddDefault(_byReader, (one.Client, one.Partition), out var isKnown);
        if (isKnown && one.Began < 0 && one.Offset < last)
            anomalies.Add($"the high watermark of partition {one.Partition} went back from {last} to {one.Offset} for reader {one.Client}");
        else if (one.Began >= 0 && KnownOf(one.Partition).At(one.Began) is var before && one.Offset < before)
            anomalies.Add($"the high watermark of partition {one.Partition} went back from {before} to {one.Offset}, which reader {one.Client} was told {(one.Time - one.Began) / 10_000} ms after it had asked");
        last = one.Offset;
        if (one.Offset > log.End)
            anomalies.Add($"the high watermark of partition {one.Partition} was {one.Offset} for reader {one.Client}, and the log ends at {log.End}");
    }

    private KnownSince KnownOf(int partition)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_byPartition, partition, out _);
        return known ??= new KnownSince();
    }

    /// <summary>The highest watermark known at each time. What is learned within a millisecond is kept as learned at its end.</summary>
    private sealed class KnownSince
    {
        private const long StepTicks = TimeSpan.TicksPerMillisecond;

        private readonly List<(long StepBegan, long Time, long Watermark)> _steps = [];

        public void Learn(long time, long watermark)
        {
            if (_steps.Count > 0 && watermark <= _steps[^1].Watermark)
                return;
            if (_steps.Count > 0 && time - _steps[^1].StepBegan < StepTicks)
                _steps[^1] = (_steps[^1].StepBegan, time, watermark);
            else
                _steps.Add((time, time, watermark));
        }

        /// <summary>What was known before a time; 0 where nothing was.</summary>
        public long At(long time)
        {
            var (low, high) = (0, _steps.Count);
            while (low < high)
            {
                var middle = (low + high) / 2;
                if (_steps[middle].Time < time)
                    low = middle + 1;
                else
                    high = middle;
            }

            return low == 0 ? 0 : _steps[low - 1].Watermark;
        }
    }
}
