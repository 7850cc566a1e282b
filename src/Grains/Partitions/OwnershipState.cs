namespace Granary.Grains.Partitions;

/// <summary>Where an activation of a partition stands.</summary>
internal enum OwnershipState : byte
{
    /// <summary>The catalog does not know the partition. Ends the activation at the next call.</summary>
    Missing,

    /// <summary>The log is being opened, or opened anew; tried again until it works. What was known before can be read.</summary>
    Opening,

    Open,

    /// <summary>Somebody else has raised the leader epoch. Ends the activation.</summary>
    Fenced,

    Deleted,

    /// <summary>The activation ends in order.</summary>
    Closed,
}
