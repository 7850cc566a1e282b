namespace Granary.Unit.Groups;

/// <summary>What happened in a schedule: one in which nothing of that happens proves nothing.</summary>
internal sealed class ConsumerGroupTallies
{
    /// <summary>Commits that were accepted.</summary>
    public int Commits { get; set; }

    /// <summary>Commits at an epoch that was over.</summary>
    public int StaleCommits { get; set; }

    /// <summary>What a coordinator that had a successor still answered.</summary>
    public int ZombieAnswers { get; set; }

    /// <summary>Saves of a coordinator when another had saved since.</summary>
    public int SavesRefused { get; set; }

    /// <summary>Steps at which a client used what it had no longer been told of.</summary>
    public int Astray { get; set; }

    /// <summary>Target assignments of the range assignor.</summary>
    public int Ranges { get; set; }

    public void Add(ConsumerGroupTallies other)
    {
        Commits += other.Commits;
        StaleCommits += other.StaleCommits;
        ZombieAnswers += other.ZombieAnswers;
        SavesRefused += other.SavesRefused;
        Astray += other.Astray;
        Ranges += other.Ranges;
    }

    public override string ToString() =>
        $"{Commits} commits, {StaleCommits} stale ones, {ZombieAnswers} answers of zombies, {SavesRefused} saves refused, {Astray} steps astray, {Ranges} range assignments";
}
