namespace Granary.Gateway.Http.Live;

/// <summary>Bounds of the live stream, section `Granary:Live`.</summary>
public sealed class LiveOptions
{
    /// <summary>Streams that one process serves at a time; a further one is refused with 503.</summary>
    public int MaxSubscribers { get; set; } = 100;

    /// <summary>Entries of the timeline in a snapshot: the newest.</summary>
    public int TimelineLength { get; set; } = 200;

    /// <summary>Events that may wait for one reader; one that is slower gets a new snapshot instead of them.</summary>
    public int SubscriberQueue { get; set; } = 1_000;

    /// <summary>Newest events that are kept for readers who come back with Last-Event-ID.</summary>
    public int KeptEvents { get; set; } = 2_000;

    /// <summary>Groups that are shown.</summary>
    public int MaxGroups { get; set; } = 1_000;

    /// <summary>Partitions that are shown.</summary>
    public int MaxPartitions { get; set; } = 10_000;

    /// <summary>Silos that are no members any more and are still shown, a minute or as long as they have partitions that are open nowhere; one more takes the place of the one gone for longest.</summary>
    public int MaxFormerSilos { get; set; } = 100;

    /// <summary>How long the silos are still watched after the last reader has gone: one that comes back then has missed nothing.</summary>
    public TimeSpan Linger { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>What is wrong with these settings, a sentence each; empty where nothing is.</summary>
    public IEnumerable<string> Validate()
    {
        foreach (var (name, value) in new[]
        {
            (nameof(MaxSubscribers), MaxSubscribers), (nameof(TimelineLength), TimelineLength), (nameof(SubscriberQueue), SubscriberQueue),
            (nameof(KeptEvents), KeptEvents), (nameof(MaxGroups), MaxGroups), (nameof(MaxPartitions), MaxPartitions),
            (nameof(MaxFormerSilos), MaxFormerSilos),
        })
        {
            if (value is < 1 or > 1_000_000)
                yield return $"{name} is {value}: 1 to 1000000 is wanted.";
        }

        if (Linger < TimeSpan.Zero)
            yield return $"{nameof(Linger)} is {Linger}: 0 or more is wanted.";
    }
}
