using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>A place in a partition to read from: its start, its end, an offset, or a time. The default is the start.</summary>
public readonly record struct LogPosition
{
    private readonly Kind _kind;
    private readonly int _leaderEpoch;
    private readonly long _value;

    private LogPosition(Kind kind, long value, int leaderEpoch = -1)
    {
        _kind = kind;
        _value = value;
        _leaderEpoch = leaderEpoch;
    }

    private enum Kind : byte
    {
        Earliest,
        Latest,
        Offset,
        Time,
    }

    /// <summary>The first record that is still there.</summary>
    public static LogPosition Earliest => default;

    /// <summary>After the last record: what is appended from now on.</summary>
    public static LogPosition Latest { get; } = new(Kind.Latest, 0);

    /// <summary>Of the record before an offset: whoever goes on there later can ask whether the log still has it. -1: not known. Where it is the same offset, it is the same place.</summary>
    public int LeaderEpoch => _kind == Kind.Offset ? _leaderEpoch : -1;

    /// <summary>The offset where this is one; null where the partition must be asked first.</summary>
    internal long? Offset => _kind == Kind.Offset ? _value : null;

    /// <summary>What to ask the partition for: a timestamp or a constant of <see cref="OffsetQuery"/>.</summary>
    internal long QueryTimestamp => _kind switch
    {
        Kind.Earliest => OffsetQuery.Earliest,
        Kind.Latest => OffsetQuery.Latest,
        Kind.Time => _value,
        _ => throw new InvalidOperationException($"{this} is an offset: there is nothing to ask"),
    };

    /// <summary>That offset (inclusive), 0 or more.</summary>
    /// <param name="offset">The next record to read.</param>
    /// <param name="leaderEpoch">See <see cref="LeaderEpoch"/>; -1: not known.</param>
    public static LogPosition At(long offset, int leaderEpoch = -1)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new LogPosition(Kind.Offset, offset, Math.Max(leaderEpoch, -1));
    }

    /// <summary>Behind that record: where to go on when it is done.</summary>
    public static LogPosition After(ConsumedRecord record) => At(record.Offset + 1, record.LeaderEpoch);

    /// <summary>The first record whose timestamp is at or after <paramref name="time"/> (not before 1970); the end where there is none.</summary>
    public static LogPosition AtTime(DateTimeOffset time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, DateTimeOffset.UnixEpoch);
        return new LogPosition(Kind.Time, time.ToUnixTimeMilliseconds());
    }

    public bool Equals(LogPosition other) => (_kind, _value) == (other._kind, other._value);

    public override int GetHashCode() => HashCode.Combine(_kind, _value);

    public override string ToString() => _kind switch
    {
        Kind.Earliest => "earliest",
        Kind.Latest => "latest",
        Kind.Offset => $"{_value}",
        _ => $"{DateTimeOffset.FromUnixTimeMilliseconds(_value):O}",
    };
}
