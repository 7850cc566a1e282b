using Granary.Abstractions.Partitions;
using Microsoft.Extensions.Logging;
using Orleans.Runtime;

namespace Granary.Grains.Placement;

public sealed partial class PlacementDiagnostics(ILogger<PlacementDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Warning, "Partition {Partition} could not be handed over to {Target}; it is tried again")]
    public partial void NotMoved(Exception failure, PartitionId partition, SiloAddress target);

    [LoggerMessage(2, LogLevel.Warning, "Partition {Partition} of a silo that is gone could not be opened here; its next call opens it")]
    public partial void NotRevived(Exception failure, PartitionId partition);

    [LoggerMessage(3, LogLevel.Information, "Opening {Count} partitions of {Gone}")]
    public partial void Reviving(int count, string gone);

    [LoggerMessage(4, LogLevel.Debug, "The rehearsal with the other silos did not come to its end; the first partitions may come slowly")]
    public partial void NotRehearsed(Exception failure);

    [LoggerMessage(5, LogLevel.Warning, "The members could not be read at start; they tell which partitions they have when they hear of this silo")]
    public partial void MembersUnknown(Exception failure);

    [LoggerMessage(6, LogLevel.Debug, "{Silo} did not tell which partitions it has; it will by itself: {Reason}")]
    public partial void LeadersUnasked(string reason, SiloAddress silo);

    [LoggerMessage(7, LogLevel.Debug, "Another silo could not be told of {Count} partitions that are open here; it is tried again: {Reason}")]
    public partial void LeadersUntold(string reason, int count);

    [LoggerMessage(8, LogLevel.Error, "{Loop} met a defect, and goes on")]
    public partial void Defect(Exception defect, string loop);
}
