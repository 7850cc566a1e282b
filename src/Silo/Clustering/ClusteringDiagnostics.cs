using Orleans.Runtime;

namespace Granary.Silo.Clustering;

internal sealed partial class ClusteringDiagnostics(ILogger<ClusteringDiagnostics> logger)
{
    [LoggerMessage(1, LogLevel.Information, "Members: {Members}")]
    public partial void NewMap(string members);

    [LoggerMessage(2, LogLevel.Warning, "The members' rows cannot be read: {Reason}")]
    public partial void RowsUnreadable(string reason);

    [LoggerMessage(3, LogLevel.Warning, "{Silo} has lost its session in PostgreSQL and refuses connections: it is declared dead")]
    public partial void DeclaredDead(SiloAddress silo);

    [LoggerMessage(4, LogLevel.Information, "Handing over {Partitions} partitions before stopping")]
    public partial void Draining(int partitions);

    [LoggerMessage(5, LogLevel.Warning, "{Partitions} partitions could not be handed over in time: their next call opens them elsewhere")]
    public partial void NotDrained(int partitions);

    [LoggerMessage(6, LogLevel.Warning, "{Silo} could not be told that the members have changed; it finds out by itself")]
    public partial void NotTold(Exception failure, SiloAddress silo);

    [LoggerMessage(7, LogLevel.Warning, "The watch over {Silo}'s session ended; it begins anew: {Reason}")]
    public partial void WatchEnded(SiloAddress silo, string reason);

    [LoggerMessage(8, LogLevel.Warning, "The drain was not told to PostgreSQL: {Reason}")]
    public partial void DrainUntold(string reason);

    [LoggerMessage(9, LogLevel.Warning, "{Silo} does not answer, but either is new or this silo is late itself: no vote against it yet")]
    public partial void VoteHeldBack(SiloAddress silo);

    [LoggerMessage(10, LogLevel.Warning, "{Silo} answers after all: no vote against it")]
    public partial void AnswersAfterAll(SiloAddress silo);

    [LoggerMessage(11, LogLevel.Warning, "PostgreSQL does not say whether this silo is a member; its partitions answer nobody until it does: {Reason}")]
    public partial void LeaseNotKept(Exception? failure, string reason);

    [LoggerMessage(12, LogLevel.Information, "PostgreSQL says again whether this silo is a member")]
    public partial void LeaseKeptAgain();

    [LoggerMessage(13, LogLevel.Error, "{Loop} met a defect, and goes on")]
    public partial void Defect(Exception defect, string loop);

    [LoggerMessage(14, LogLevel.Warning, "The session that holds this silo's name in PostgreSQL has ended; it is taken again: {Reason}")]
    public partial void ClaimLost(Exception? failure, string reason);

    [LoggerMessage(15, LogLevel.Information, "This silo's name is held in PostgreSQL again")]
    public partial void ClaimHeldAgain();

    [LoggerMessage(16, LogLevel.Warning, "This silo is the first of a new cluster '{ClusterId}'; in the same database there are already: {Others}. If it was to join one of them, correct Granary__ClusterId: it sees none of their topics")]
    public partial void FirstOfItsCluster(string clusterId, string others);
}
