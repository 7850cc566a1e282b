namespace Granary.Gateway.Kafka;

/// <summary>
/// Keeps a hostile client from filling the log: so many lines of one kind per interval; the rest are counted, and the first line of the next
/// interval tells how many. Safe for many threads.
/// </summary>
internal sealed class LogAllowance(TimeProvider time, int linesPerInterval, TimeSpan interval)
{
    private readonly Lock _gate = new();
    private long _intervalStart = time.GetTimestamp();
    private int _lines;
    private long _withheld;

    /// <summary>True where a line may be written; <paramref name="withheld"/> lines were not since the last one that was.</summary>
    public bool TryTake(out long withheld)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_intervalStart) >= interval)
            {
                _intervalStart = time.GetTimestamp();
                _lines = 0;
            }

            withheld = _withheld;
            if (_lines >= linesPerInterval)
            {
                _withheld++;
                return false;
            }

            _lines++;
            _withheld = 0;
            return true;
        }
    }
}
