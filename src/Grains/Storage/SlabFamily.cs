namespace Granary.Grains.Storage;

/// <summary>
/// Which partitions share slabs: those whose retention is alike, so that a slab's segments die together and its table can be dropped
/// whole. The number is stored in the slab's row.
/// </summary>
internal static class SlabFamily
{
    /// <summary>Families are numbered from 0 up to this, exclusive.</summary>
    public const int Count = 6;

    /// <summary>Kept for ever.</summary>
    public const int Unbounded = 0;

    private static readonly TimeSpan[] _upTo =
    [
        TimeSpan.FromHours(1), TimeSpan.FromDays(1), TimeSpan.FromDays(7), TimeSpan.FromDays(31),
    ];

    public static int Of(TimeSpan? retention)
    {
        if (retention is not { } time)
            return Unbounded;
        for (var i = 0; i < _upTo.Length; i++)
        {
            if (time <= _upTo[i])
                return i + 1;
        }

        return _upTo.Length + 1;
    }

    /// <summary>A quarter of the class's longest retention, so that at most a quarter of its space lies in slabs that are partly dead.</summary>
    public static TimeSpan SlabAge(int family, TimeSpan atMost)
    {
        if (family < 1 || family > _upTo.Length)
            return atMost;
        var quarter = _upTo[family - 1] / 4;
        return quarter < atMost ? quarter : atMost;
    }
}
