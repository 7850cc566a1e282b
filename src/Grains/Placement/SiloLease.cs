namespace Granary.Grains.Placement;

/// <summary>
/// How long this silo may believe that it is a member: someone else may have declared it dead while it hung, and then its partitions live
/// elsewhere. Writes are fenced in any case; this keeps it from answering reads, which no fence can. A monotonic clock counts, which goes on
/// while the process is stopped. Valid for ever until somebody begins to keep it. Safe for many threads.
/// </summary>
public sealed class SiloLease(TimeProvider time)
{
    private long _until = long.MaxValue;

    public bool IsValid => Volatile.Read(ref _until) is var until && (until == long.MaxValue || time.GetTimestamp() < until);

    /// <param name="seenAt">A timestamp of the clock, taken before it was read that this silo is a member.</param>
    public void Extend(long seenAt, TimeSpan by) => Volatile.Write(ref _until, seenAt + (long)(by.TotalSeconds * time.TimestampFrequency));

    /// <summary>From now on it is valid only as far as it was extended.</summary>
    public void Begin() => Volatile.Write(ref _until, long.MinValue);
}
