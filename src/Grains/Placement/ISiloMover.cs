namespace Granary.Grains.Placement;

/// <summary>Hands over what lives on this silo and belongs elsewhere by the cluster's map: its partitions, or its groups.</summary>
public interface ISiloMover
{
    /// <summary>Moves until nothing that belongs elsewhere is left here, or time is over.</summary>
    Task EmptyAsync(CancellationToken cancellation);
}
