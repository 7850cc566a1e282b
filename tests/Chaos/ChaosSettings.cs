using Granary.Chaos.Groups;

namespace Granary.Chaos;

/// <summary>What a run is like.</summary>
internal sealed record ChaosSettings
{
    /// <summary>All faults follow from it.</summary>
    public required int Seed { get; init; }

    /// <summary>How long faults strike; null: until each kind has struck once.</summary>
    public TimeSpan? Duration { get; init; }

    public int Silos { get; init; } = 3;

    public int Partitions { get; init; } = 6;

    /// <summary>How many Confluent.Kafka producers there are; one of grain calls comes beside them.</summary>
    public int KafkaProducers { get; init; } = 2;

    /// <summary>How often each producer sends a record to each partition.</summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(25);

    /// <summary>The consumer groups, one for each.</summary>
    public IReadOnlyList<GroupProtocolKind> Groups { get; init; } =
        [GroupProtocolKind.Cooperative, GroupProtocolKind.Eager, GroupProtocolKind.Consumer, GroupProtocolKind.InCluster, GroupProtocolKind.Mixed];

    /// <summary>Whether each silo gets a network of its own, and links are cut.</summary>
    public bool Cuts { get; init; }

    /// <summary>Where the history and the silos' logs lie afterwards.</summary>
    public required string Folder { get; init; }

    /// <summary>artifacts/chaos/NAME in the repository that this was built in; else in the folder that it runs in.</summary>
    public static string FolderOf(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Cluster.sln")))
                return Path.Combine(folder.FullName, "artifacts", "chaos", name);
        }

        return Path.GetFullPath(Path.Combine("artifacts", "chaos", name));
    }
}
