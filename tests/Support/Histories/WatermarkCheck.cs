using System.Runtime.InteropServices;

namespace Granary.Support.Histories;

/// <summary>
/// High watermarks only go forward: wherever one answer (a watermark, an acknowledgement or a record that was read) was there before another's question
/// was asked; and for one reader from answer to answer where nothing is known of the questions. None lies beyond the end that was found.
/// </summary>
internal sealed class WatermarkCheck(Anomalies anomalies)
{
    /// <summary>
    /// A reader that does not tell when it asked has a connection to each leader: the answer of a partition's former one may have been on its way, or in the
    /// client's hands, while the first of the new one was read. So long at most.
    /// </summary>
    public static readonly TimeSpan OnItsWay = TimeSpan.FromMilliseconds(250);

    private readonly Dictionary<(int Client, int Partition), (long Watermark, long Since)> _byReader = [];
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
        if (isKnown && one.Began < 0 && one.Offset < last.Watermark && one.Time - last.Since > OnItsWay.Ticks)
            anomalies.Add($"the high watermark of partition {one.Partition} went back from {last.Watermark} to {one.Offset} for reader {one.Client}");
        else if (one.Began >= 0 && KnownOf(one.Partition).At(one.Began) is var before && one.Offset < before)
            anomalies.Add($"the high watermark of partition {one.Partition} went back from {before} to {one.Offset}, which reader {one.Client} was told {(one.Time - one.Began) / 10_000} ms after it had asked");
        if (!isKnown || one.Offset > last.Watermark || one.Time - last.Since > OnItsWay.Ticks)
            last = (one.Offset, one.Time);
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
