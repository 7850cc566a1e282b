using Orleans.Runtime;

namespace Granary.Silo.Clustering;

/// <summary>
/// When a silo may vote that another one is dead because it did not answer its probes: at once where it is in good order itself and has known the other
/// for a while; else when the other has not answered for ten seconds. So silos that start, or whose machine has no time for them, do not end healthy
/// ones: in a cluster of one or two the vote of a single silo is enough, even of one that is only joining. Safe for many threads.
/// </summary>
internal sealed class DeathVotes(TimeProvider time)
{
    /// <summary>So long a silo that is new to this one is not judged in a hurry: one of the two is starting.</summary>
    public static readonly TimeSpan Acquaintance = TimeSpan.FromSeconds(5);

    /// <summary>At most so long a vote is held back.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Probes fail one after the other; after such a pause the other has answered again.</summary>
    private static readonly TimeSpan s_gap = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly Dictionary<SiloAddress, long> _known = [];
    private readonly Dictionary<SiloAddress, (long Since, long Last)> _silent = [];
    private readonly HashSet<SiloAddress> _certain = [];

    /// <summary>Notes who is a member now.</summary>
    public void Meet(IEnumerable<SiloAddress> members)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            HashSet<SiloAddress> met = [.. members];
            foreach (var silo in met)
                _known.TryAdd(silo, now);
            foreach (var gone in _known.Keys.Where(silo => !met.Contains(silo)).ToArray())
            {
                _known.Remove(gone);
                _silent.Remove(gone);
                _certain.Remove(gone);
            }
        }
    }

    /// <summary>That silo's process is gone: there is other proof than probes.</summary>
    public void BeCertain(SiloAddress silo)
    {
        lock (_lock)
            _certain.Add(silo);
    }

    public bool IsCertain(SiloAddress silo)
    {
        lock (_lock)
            return _certain.Contains(silo);
    }

    /// <param name="steady">This silo itself is in good order.</param>
    public bool May(SiloAddress silo, bool steady)
    {
        var now = time.GetTimestamp();
        lock (_lock)
        {
            if (!_silent.TryGetValue(silo, out var silent) || time.GetElapsedTime(silent.Last, now) > s_gap)
                silent = (now, now);
            _silent[silo] = silent with { Last = now };
            var isKnown = _known.TryGetValue(silo, out var since) && time.GetElapsedTime(since, now) >= Acquaintance;
            return (steady && isKnown) || time.GetElapsedTime(silent.Since, now) >= Patience;
        }
    }
}
