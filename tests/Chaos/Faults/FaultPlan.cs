namespace Granary.Chaos.Faults;

/// <summary>The faults of a seed, in their order, without end: the same for every run with as many silos and the same means.</summary>
internal sealed class FaultPlan(int seed, int silos, bool canCut)
{
    private static readonly TimeSpan s_shortestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_longestPause = TimeSpan.FromSeconds(2);

    private readonly Random _random = new(seed);
    private readonly FaultKind[] _kinds = [.. Enum.GetValues<FaultKind>().Where(kind => canCut || kind is not (FaultKind.CutFromPeers or FaultKind.CutFromPostgres))];
    private readonly List<FaultKind> _bag = [];

    /// <summary>How many faults it takes until each kind has come.</summary>
    public int Kinds => _kinds.Length;

    /// <summary>
    /// All kinds come about equally often, each once before any comes again: else a short run of an unlucky seed would only restart things.
    /// </summary>
    public PlannedFault Next()
    {
        if (_bag.Count == 0)
            Fill();
        var kind = _bag[^1];
        _bag.RemoveAt(_bag.Count - 1);
        var fault = Make(kind, Between(s_shortestPause, s_longestPause));
        return fault.IsOfPostgres || fault.IsOfGateway || _random.Next(6) > 0 ? fault : fault with { Companion = Make(FaultKind.KillPostgres, Between(TimeSpan.Zero, s_shortestPause)) };
    }

    private PlannedFault Make(FaultKind kind, TimeSpan pause)
    {
        var (shortest, longest) = kind switch
        {
            FaultKind.KillSilo => (0.0, 3.0),
            FaultKind.HangSilo => (0.3, 4.0),
            FaultKind.RestartSilo => (0.0, 1.0),
            FaultKind.KillPostgres => (0.0, 2.0),
            FaultKind.KillGateway => (0.0, 2.0),
            FaultKind.RestartPostgres => (0.0, 0.0),
            _ => (0.3, 5.0),
        };
        return new PlannedFault(kind, _random.Next(silos), Between(TimeSpan.FromSeconds(shortest), TimeSpan.FromSeconds(longest)), pause);
    }

    private void Fill()
    {
        _bag.AddRange(_kinds);
        _random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_bag));
    }

    private TimeSpan Between(TimeSpan shortest, TimeSpan longest) => shortest + ((longest - shortest) * _random.NextDouble());
}
