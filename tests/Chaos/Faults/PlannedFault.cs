namespace Granary.Chaos.Faults;

/// <summary>One fault, before it happens.</summary>
/// <param name="Kind">What.</param>
/// <param name="Silo">To which silo or gateway, from 0; where the kind speaks of one. Of gateways there are fewer: counted around.</param>
/// <param name="Hold">How long it lasts before it is healed.</param>
/// <param name="Pause">How long all is left alone before it.</param>
/// <param name="Companion">Another one that strikes at the same time; PostgreSQL's only, so that no more silos are down.</param>
internal sealed record PlannedFault(FaultKind Kind, int Silo, TimeSpan Hold, TimeSpan Pause, PlannedFault? Companion = null)
{
    public bool IsOfPostgres => Kind is FaultKind.KillPostgres or FaultKind.RestartPostgres;

    public bool IsOfGateway => Kind == FaultKind.KillGateway;

    public override string ToString() =>
        $"{Kind}{(IsOfPostgres ? "" : $" {Silo}")} for {Hold.TotalMilliseconds:0} ms{(Companion is null ? "" : $" with {Companion}")}";
}
