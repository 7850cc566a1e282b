namespace Granary.Support.Histories;

/// <summary>What a checker found wrong: the first of them in words, and how many there are in all.</summary>
internal sealed class Anomalies
{
    /// <summary>Beyond these they are only counted: one fault often shows a million times.</summary>
    private const int MaxTold = 1_000;

    private readonly List<string> _told = [];
    private long _count;

    public void Add(string what)
    {
        if (_count++ < MaxTold)
            _told.Add(what);
    }

    public List<string> ToList() => _count > MaxTold ? [.. _told, $"and {_count - MaxTold} more"] : _told;
}
