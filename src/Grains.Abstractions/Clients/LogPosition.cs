using Granary.Abstractions.Partitions;

namespace Granary.Abstractions.Clients;

/// <summary>A place in a partition to read from: its start, its end, an offset, or a time. The default is the start.</summary>
public readonly record struct LogPosition
{
    private readonly Kind _kind;
    private readonly long _value;

    private LogPosition(Kind kind, long value)
    {
        _kind = kind;
        _value = value;
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
    public static LogPosition At(long offset)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        return new LogPosition(Kind.Offset, offset);
    }

    /// <summary>The first record whose timestamp is at or after <paramref name="time"/> (not before 1970); the end where there is none.</summary>
    public static LogPosition AtTime(DateTimeOffset time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(time, DateTimeOffset.UnixEpoch);
        return new LogPosition(Kind.Time, time.ToUnixTimeMilliseconds());
    }

    public override string ToString() => _kind switch
    {
        Kind.Earliest => "earliest",
        Kind.Latest => "latest",
        Kind.Offset => $"{_value}",
        _ => $"{DateTimeOffset.FromUnixTimeMilliseconds(_value):O}",
    };
}
