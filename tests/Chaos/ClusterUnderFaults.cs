namespace Granary.Chaos;

/// <summary>Clusters that are tormented take the whole machine: one at a time, or silos take one another for dead because they have no processor.</summary>
[CollectionDefinition(Name)]
public sealed class ClusterUnderFaults
{
    public const string Name = "a cluster under faults";
}
