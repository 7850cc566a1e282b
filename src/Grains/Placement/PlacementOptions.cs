namespace Granary.Grains.Placement;

/// <summary>How partitions move between silos.</summary>
public sealed class PlacementOptions
{
    private const int MovesPerLane = 250;

    /// <summary>
    /// Partitions that a silo hands over at a time at most; it is one for each <see cref="MovesPerLane"/> that there are to move. More at once keep each
    /// away for longer, and what shares a client's requests with them; fewer make the whole take longer.
    /// </summary>
    public int ConcurrentMoves { get; set; } = 8;

    /// <summary>Partitions that a silo opens at a time when another is gone.</summary>
    public int ConcurrentRevivals { get; set; } = 64;

    /// <summary>How long a new map stands before partitions move by it. Too short moves some twice, because others have not heard of it.</summary>
    public TimeSpan SettleDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How often a silo that is emptied looks at what is left.</summary>
    public TimeSpan MovePollInterval { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How often partitions are looked for that were opened on the wrong silo.</summary>
    public TimeSpan StrayInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one partition's move or opening may take before others have their turn.</summary>
    public TimeSpan MoveTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Newest bytes of a partition that it takes along when it moves, so that readers at its tail need no PostgreSQL.</summary>
    public int LuggageBytes { get; set; } = 1 << 20;

    /// <summary>Happenings that a silo keeps in memory for those who watch the cluster; older ones are forgotten.</summary>
    public int JournalLength { get; set; } = 4_096;

    /// <summary>Topics whose traffic a silo counts by name; those beyond are counted together.</summary>
    public int MaxCountedTopics { get; set; } = 1_000;

    /// <summary>
    /// Series that each metric by topic, or by partition, has on a silo; those beyond are left out. Too large: scrapes that cost. The exporter
    /// itself takes 2,000 at most.
    /// </summary>
    public int MaxSeries { get; set; } = 1_000;

    /// <summary>How long a silo that starts may practise with the others before it takes part; 0: it does not, and the first partitions come slowly.</summary>
    public TimeSpan RehearsalLimit { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate() =>
        Checks().Where(check => !check.Holds).Select(check => $"{check.Name} is {check.Value}: {check.Wanted} is wanted.");

    /// <summary>How many of that many are handed over at a time.</summary>
    internal int MovesAtATime(int count) => Math.Clamp(1 + (count / MovesPerLane), 1, ConcurrentMoves);

    private IEnumerable<(bool Holds, string Name, object Value, string Wanted)> Checks() =>
    [
        (ConcurrentMoves is >= 1 and <= 1_000, nameof(ConcurrentMoves), ConcurrentMoves, "1 to 1000"),
        (ConcurrentRevivals is >= 1 and <= 1_000, nameof(ConcurrentRevivals), ConcurrentRevivals, "1 to 1000"),
        (SettleDelay >= TimeSpan.Zero, nameof(SettleDelay), SettleDelay, "0 or more"),
        (MovePollInterval > TimeSpan.Zero, nameof(MovePollInterval), MovePollInterval, "above 0"),
        (StrayInterval > TimeSpan.Zero, nameof(StrayInterval), StrayInterval, "above 0"),
        (MoveTimeout > TimeSpan.Zero, nameof(MoveTimeout), MoveTimeout, "above 0"),
        (JournalLength is >= 100 and <= 1_000_000, nameof(JournalLength), JournalLength, "100 to 1000000"),
        (MaxCountedTopics is >= 0 and <= 100_000, nameof(MaxCountedTopics), MaxCountedTopics, "0 to 100000"),
        (MaxSeries is >= 0 and <= 2_000, nameof(MaxSeries), MaxSeries, "0 to 2000"),
        (RehearsalLimit >= TimeSpan.Zero, nameof(RehearsalLimit), RehearsalLimit, "0 or more"),
        (LuggageBytes is >= 0 and <= 64 << 20, nameof(LuggageBytes), LuggageBytes, "0 to 67108864"),
    ];
}
