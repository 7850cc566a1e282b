namespace Granary.Grains.Idempotency;

/// <summary>How long idempotency keys are kept (settings <c>Granary__Idempotency__…</c>).</summary>
public sealed class IdempotencyOptions
{
    /// <summary>How long a key stands for its request. Too short lets a late repetition append again; too long is rows.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromHours(24);

    /// <summary>How often old keys are looked for.</summary>
    public TimeSpan SweepInterval { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        if (Window <= TimeSpan.Zero || Window > TimeSpan.FromDays(365))
            yield return $"{nameof(Window)} is {Window}: above 0, to 365 days is wanted.";
        if (SweepInterval <= TimeSpan.Zero)
            yield return $"{nameof(SweepInterval)} is {SweepInterval}: above 0 is wanted.";
    }
}
