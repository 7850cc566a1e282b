using Granary.Abstractions.Groups;
using Granary.Abstractions.Partitions;
using Orleans.Runtime;

namespace Granary.Abstractions.Cluster;

public enum HappeningKind
{
    /// <summary>The teller has raised a partition's leader epoch and opened its log; <see cref="ClusterHappening.Took"/>: how long that took.</summary>
    PartitionOpened,

    /// <summary>The teller has it open no longer.</summary>
    PartitionClosed,

    /// <summary>The first batch under an epoch is on disk; <see cref="ClusterHappening.Took"/>: since it was opened.</summary>
    FirstAppend,

    /// <summary>A sign that a silo's process is gone: its session in PostgreSQL has ended.</summary>
    SiloSuspected,

    /// <summary>A silo is declared dead, or the membership says that it was.</summary>
    SiloDead,

    /// <summary>A silo has joined the teller's map.</summary>
    SiloJoined,

    SiloDraining,

    /// <summary>A silo has left the teller's map in order.</summary>
    SiloLeft,

    /// <summary>The teller coordinates a group that was there before.</summary>
    GroupOpened,

    /// <summary>A group of the teller's is in another state or generation.</summary>
    GroupChanged,
}

/// <summary>One thing that happened in the cluster, as the silo tells it that saw it. Which fields say something depends on the kind.</summary>
[GenerateSerializer, Immutable, Alias("granary.ClusterHappening")]
public sealed record ClusterHappening
{
    /// <summary>Its place in the teller's journal: rises by one.</summary>
    [Id(0)]
    public long Id { get; init; }

    /// <summary>By the teller's clock.</summary>
    [Id(1)]
    public DateTimeOffset At { get; init; }

    [Id(2)]
    public required HappeningKind Kind { get; init; }

    [Id(3)]
    public PartitionId Partition { get; init; }

    [Id(4)]
    public int LeaderEpoch { get; init; }

    [Id(5)]
    public TimeSpan Took { get; init; }

    /// <summary>The silo that it is about, where that is not the teller.</summary>
    [Id(6)]
    public SiloAddress? Silo { get; init; }

    [Id(7)]
    public string? SiloName { get; init; }

    [Id(8)]
    public string? Group { get; init; }

    [Id(9)]
    public GroupState GroupState { get; init; }

    [Id(10)]
    public int Generation { get; init; }

    [Id(11)]
    public int Members { get; init; }

    /// <summary>Why, as a clause for people; of partitions one of the words of <see cref="HappeningCause"/>.</summary>
    [Id(12)]
    public string? Cause { get; init; }
}

/// <summary>Why a partition was opened or closed.</summary>
public static class HappeningCause
{
    /// <summary>It was handed over by its former silo.</summary>
    public const string Moved = "moved";

    /// <summary>It belongs to this silo now and was open nowhere that is known here.</summary>
    public const string Placed = "placed";

    /// <summary>The same silo has opened it anew, after a write whose fate it could not tell.</summary>
    public const string Reopened = "reopened";

    public const string Deleted = "deleted";

    /// <summary>Another silo has raised the leader epoch.</summary>
    public const string Fenced = "fenced";
}
